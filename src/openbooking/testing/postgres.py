"""A real PostgreSQL server for tests, from the programs installed on this machine.

The server has a temporary data folder and listens on a socket in that folder. It writes to disk as in production.
"""

import itertools
import math
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openbooking.store.migrate import upgrade

# Settings for a write-ahead log of a few files, so that old ones are soon written over.
SMALL_LOG = ("min_wal_size=32MB", "max_wal_size=48MB")
_USER = "openbooking"
_TEMPLATE = "prepared"
# A server does not trust its clock at first if its database was not in use in the last quarter of an hour.
_NOTE_EVERY_SECONDS = 300
_NOTE_TIME = "UPDATE counter SET value = extract(epoch FROM now()) * 1000000 WHERE name = 'noted'"
_SETTINGS = ("listen_addresses=", "max_connections=200", "recovery_init_sync_method=syncfs")
_LOOK_EVERY_SECONDS = 0.02
# Ends the server when the process of the tests ends or closes the pipe. SIGQUIT skips the final checkpoint: the data
# folder is removed anyway.
_GUARD = "read _; kill -QUIT $0"


class PostgresServer:
    """A server that runs until `close`; it can be killed and started again before.

    `settings` are those of the server, as `name=value`. With a `primary` it is a standby of that server, made from a
    base backup, with the same databases.
    """

    def __init__(self, *settings: str, primary: "PostgresServer | None" = None) -> None:
        self._settings = (*_SETTINGS, *settings)
        self._programs = _programs()
        self._account = _account()
        self._numbers = itertools.count(1)
        self._noted_at = -math.inf
        self._folder = Path(tempfile.mkdtemp(prefix="openbooking-postgres-"))
        self.own(self._folder)
        if primary:
            source, target = f"--dbname={primary.url('postgres')}", f"--pgdata={self._data}"
            self._run("pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", source, target)
            self.start()
            return
        self._run("initdb", f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--locale=C", self._data)
        self.start()
        self.execute(f"CREATE DATABASE {_TEMPLATE}")
        upgrade(self.url(_TEMPLATE))
        self._noted_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def url(self, database: str) -> str:
        """Return the URL of a database on this server."""
        return f"postgresql://{_USER}@/{database}?host={self._folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Execute a statement as the superuser, in the database with that name."""
        self._run("psql", "--quiet", "--no-psqlrc", f"--command={statement}", self.url(database))

    def own(self, folder: Path) -> None:
        """Make the account of the server the owner of a folder."""
        if self._account:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def new_database(self, template: str = _TEMPLATE) -> str:
        """Create an empty database with the schema of this version, and return its URL."""
        if template == _TEMPLATE and time.monotonic() > self._noted_at + _NOTE_EVERY_SECONDS:
            self.execute(_NOTE_TIME, _TEMPLATE)
            self._noted_at = time.monotonic()
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def bare_database(self) -> str:
        """Create a database without a schema, and return its URL."""
        return self.new_database("template0")

    @property
    def data(self) -> Path:
        """The data folder of the server."""
        return Path(self._data)

    def back_up(self, url: str) -> Path:
        """Dump the database at that URL to a file, and return its path."""
        dump = self._folder / "openbooking.dump"
        self._run("pg_dump", "--format=custom", f"--file={dump}", url)
        return dump

    def restore(self, dump: Path) -> str:
        """Restore a dump to a new database, and return its URL."""
        url = self.bare_database()
        self._run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url}", str(dump))
        return url

    def start(self) -> None:
        """Start the server, for the first time or after `kill`, and wait until it answers."""
        settings = [word for setting in self._settings for word in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self._folder, *settings],
                stdout=log,
                stderr=log,
                **self._identity,
            )
        self._guard = subprocess.Popen(["sh", "-c", _GUARD, str(self._process.pid)], stdin=subprocess.PIPE)
        ready: list[str | Path] = [self._programs / "pg_isready", "-q", "-h", self._folder]
        while self._process.poll() is None:
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(_LOOK_EVERY_SECONDS)
        raise RuntimeError((self._folder / "log").read_text())

    def kill(self) -> None:
        """Kill the server and all its processes at the same time, as a crash of the machine would."""
        pid = self._process.pid
        self._guard.kill()
        self._guard.communicate()
        os.kill(pid, signal.SIGSTOP)  # so that it starts no more of them
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for process in (*map(int, children), pid):
            os.kill(process, signal.SIGKILL)
        self._process.wait()
        while any(map(_lives, children)):
            time.sleep(_LOOK_EVERY_SECONDS)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Suspend all processes of the server meanwhile: connections stay open, and nothing answers."""
        pid = self._process.pid
        os.kill(pid, signal.SIGSTOP)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        processes = [*map(int, children), pid]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._guard.communicate()
        self._process.wait()
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    @property
    def _identity(self) -> dict[str, Any]:
        """Arguments for `subprocess` that run the server as another user than root, which it refuses."""
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": [], "cwd": self._folder}

    def _run(self, program: str, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._identity)


def _programs() -> Path:
    """Return the folder with the programs of the newest server; Debian keeps them out of the PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(re.sub(r"\D", "", path.parts[4]))
    )
    program = found[-1] if found else shutil.which("postgres")
    if program is None:
        message = "There is no PostgreSQL server: run `make test`, or `scripts/system-packages postgres`."
        raise RuntimeError(message)
    return Path(program).parent


def _lives(pid: str) -> bool:
    """Return whether the process is alive, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _account() -> pwd.struct_passwd | None:
    """Return the account that the server runs as; None for the account that runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
