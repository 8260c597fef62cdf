"""A Booking System that is served by separate processes, for tests under load."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store, open_store
from support import builders
from support.identity_provider import grant, partner
from support.parties import CENTRE, MANAGER

HOST = "127.0.0.1"
PARTNERS = ("alice", "bob")
SOUND = (str(Path(sys.executable).with_name("openbooking")), "serve")
FAULTY = (sys.executable, str(Path(__file__).with_name("faulty_server.py")))


class Plan(NamedTuple):
    """The database, the number of serving processes, the capacity of each session by key, and a fault to build in."""

    database: str
    workers: int
    capacities: dict[str, int]
    fault: str = ""

    @property
    def settings(self) -> Settings:
        """The settings of each process."""
        return Settings(
            database=self.database,
            workers=self.workers,
            site_url="https://booking.example.com",
            lease_seconds=1,
            sweep_seconds=0.2,
        )

    def open_store(self) -> SqlStore:
        """Open the same database in this process."""
        return open_store(self.settings)

    async def stock(self) -> None:
        """Publish the sessions, and grant access to the Booking Partners."""
        prepare_in_thread = threading.Thread(target=prepare, args=[self.database])
        prepare_in_thread.start()
        prepare_in_thread.join()
        store = self.open_store()
        await store.execute(PublishSeller(CENTRE, actor=MANAGER))
        for key in self.capacities:
            await store.execute(self.publication(key))
        identity = open_identity_store(self.settings)
        for key in PARTNERS:
            await identity.save(partner(key), grant(key, CENTRE.key))
        await identity.close()
        await store.close()

    def publication(self, key: str, **changes: Any) -> Publish:
        """Return the publication of a session and its series."""
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
        made = builders.session(
            key, capacity=self.capacities[key], start=start, end=start + timedelta(hours=1), **changes
        )
        return Publish(tuple(made), actor=MANAGER)


class Served:
    """The running processes; `more` are further settings."""

    def __init__(self, plan: Plan, **more: str) -> None:
        self.plan = plan
        self.log: list[str] = []
        _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
        known = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}
        given = plan.settings
        names = ("database", "workers", "site_url", "lease_seconds", "sweep_seconds")
        set_ = {name: str(getattr(given, name)) for name in names} | {"port": "0"} | more
        environment = {f"OPENBOOKING_{name.upper()}": value for name, value in set_.items()}
        if plan.fault:
            environment["OPENBOOKING_FAULT"] = plan.fault
        self._process = subprocess.Popen(
            FAULTY if plan.fault else SOUND, env=known | environment, stderr=subprocess.PIPE, text=True
        )
        self.port = self._wait_until_ready()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(check=error is None)

    def stop(self, *, check: bool = True) -> None:
        """Stop the processes, unless they have stopped, and wait for their end.

        Args:
            check: Raise RuntimeError if the first process did not end with status 0.
        """
        self.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in (*self.workers(), self._process.pid):
                os.kill(pid, signal.SIGKILL)
            raise
        finally:
            self._reader.join()
        if check and self._process.returncode != 0:
            raise RuntimeError("".join(self.log))

    def workers(self) -> list[int]:
        """Return the ids of the serving processes."""
        if self.plan.workers == 1:
            return [self._process.pid]
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        found = []
        for pid in children.split():
            with suppress(FileNotFoundError):
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    def terminate(self) -> None:
        """Ask the processes to stop (SIGTERM)."""
        self._process.send_signal(signal.SIGTERM)

    def send(self, signal_: signal.Signals) -> None:
        """Send a signal to the first process."""
        self._process.send_signal(signal_)

    def kill_a_worker(self) -> None:
        """Kill a random serving process (SIGKILL), as the kernel does when memory runs out."""
        with suppress(ProcessLookupError, IndexError):
            os.kill(random.choice(self.workers()), signal.SIGKILL)  # noqa: S311 - any will do

    def _wait_until_ready(self) -> int:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line)
            with suppress(ValueError):
                logged = json.loads(line)
                if logged.get("event") == "serving":
                    return int(logged["port"])
        raise RuntimeError("".join(self.log))

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr:
            self.log.extend(self._process.stderr)
