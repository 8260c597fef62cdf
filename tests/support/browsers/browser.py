"""A real server with an OpenID provider, and a real browser to visit its pages."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from msgspec.structs import replace
from playwright.sync_api import Browser, sync_playwright

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.clock import Clock
from openbooking.identity.digests import digest
from openbooking.identity.policy import SecondFactorMode
from openbooking.identity.records import Partner, Role, SecondFactor, User
from openbooking.sandbox.database import create_file, fill_database
from openbooking.sandbox.timetable import TIME_ZONE
from openbooking.settings import AccessMode, Settings
from openbooking.system import System, open_system
from support.parties import CENTRE, MANAGER, STUDIO

PASSWORD = "correct horse battery"
SECRET = "obs_app"
FACTOR = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
URI = "https://app.example.com/cb"


T = TypeVar("T")


class Site:
    """The running server, with the credentials that an administrator hands out."""

    def __init__(self, url: str, database: Path) -> None:
        self.url = url
        self._settings = Settings(
            database=str(database), access=AccessMode.OPENID, second_factor=SecondFactorMode.OPTIONAL
        )
        self._clients = itertools.count(1)

    def new_client(self, name: str = "", registered_by: str = "administrator") -> tuple[str, str]:
        """Register a client to which nobody has consented; return its key and name."""
        key = f"app-{next(self._clients)}"
        client = Partner(
            key=key,
            name=name or f"MyFitnessApp {key}",
            site="https://app.example.com",
            registered=datetime.now(UTC),
            registered_by=registered_by,
            secret_digest=digest(SECRET),
            redirect_uris=(URI,),
        )
        self.do(lambda system: system.identity.store.save(client))
        return key, client.name

    def do(self, work: Callable[[System], Awaitable[T]], clock: Clock | None = None) -> T:
        """Run a coroutine with the system on the database of the server, as a command of the terminal does.

        Args:
            work: The coroutine.
            clock: The clock of the system; by default that of this machine.
        """

        async def do() -> T:
            async with open_system(self._settings, clock, serves=clock is None) as system:
                return await work(system)

        # The driver of the browser runs an event loop in this thread, so the work needs another thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, do()).result()


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Start a server as users do, on a database with Sellers and their users."""
    database = folder / "browsing.sqlite3"
    Site("", database).do(_stock)
    with _server(database) as site:
        yield site


@contextmanager
def served_demo(folder: Path) -> Iterator[Site]:
    """Start a server as users do, on the database of the demo, which has bookings of several weeks."""
    database = folder / "demo.sqlite3"
    create_file(database)
    settings = Settings(database=str(database), access=AccessMode.OPENID)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, fill_database(settings, datetime.now(ZoneInfo(TIME_ZONE)).date())).result()
    with _server(database) as site:
        yield site


@contextmanager
def _server(database: Path) -> Iterator[Site]:
    command = [str(Path(sys.executable).with_name("openbooking")), "serve", "--port", "0"]
    own = {
        "ACCESS": "openid",
        "DATABASE": str(database),
        "NAME": "Riverside Bookings",
        "SECOND_FACTOR": "optional",
    }
    environment = {**os.environ, **{f"OPENBOOKING_{name}": value for name, value in own.items()}}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stderr
        try:
            # A warning that the addresses in the feeds are others may come first.
            told = next(told for told in map(json.loads, process.stderr) if "site" in told)
            yield Site(told["site"], database)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()


async def _stock(system: System) -> None:
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    ann = User(name="ann", seller=CENTRE.key, role=Role.MANAGER, password_hash=hashed)
    for seller in (CENTRE, STUDIO):
        await system.store.execute(PublishSeller(seller, actor=MANAGER))
    factor = SecondFactor(secret=FACTOR, since=system.clock())
    await system.identity.store.save(
        ann, replace(ann, name="cat", role=Role.STAFF), replace(ann, name="flo", second_factor=factor)
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Return the path of the browser: that in CHROMIUM, else that of this machine, else that of Playwright."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    # The sandbox of the browser does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
