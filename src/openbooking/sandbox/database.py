"""The database of the demo: a marked SQLite file with Sellers, a timetable and Booking Partners."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.commands.publish import Publish, PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity
from openbooking.identity.partner_administration import NewPartner
from openbooking.identity.records import EVERY_SELLER
from openbooking.sandbox.events import events
from openbooking.sandbox.sellers import SELLERS, STUDIO
from openbooking.sandbox.timetable import TIME_ZONE, timetable
from openbooking.settings import Settings
from openbooking.store.sqlite.connections import create
from openbooking.system import System, open_system
from openbooking.user_error import UserError

# An SQLite file has a number that identifies its application. The number of demo files spells "obkd".
_DEMO_FILE = 0x6F626B64
_PUBLISHED_AT_ONCE = 200
DEMO = Actor(ActorKind.SYSTEM, "demo")


class DemoDatabaseError(UserError):
    """The file is of another program, or cannot be created."""


class Filled(NamedTuple):
    """The content of a new demo database: the API keys of its two Booking Partners, and its Opportunities."""

    demo_key: str
    studio_key: str
    opportunities: list[Opportunity]


def claim_file(path: Path) -> None:
    """Create an empty file that is marked as a demo database; replace the file of an earlier demo.

    Raises:
        DemoDatabaseError: Another file is there, or the file cannot be made.
    """
    if path.exists():
        if not _is_demo_file(path):
            raise DemoDatabaseError(f"{path} exists already and is not of the demo: choose another --database.")
        for suffix in ("", "-wal", "-shm", "-turn", "-reserve"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    try:
        create(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {_DEMO_FILE}")
    except (OSError, sqlite3.Error) as fault:
        raise DemoDatabaseError(f"The database {path} cannot be created: {fault}.") from fault


async def fill(settings: Settings, today: date) -> Filled:
    """Publish the Sellers and their Opportunities from tomorrow on, and add the Booking Partners."""
    zone = ZoneInfo(TIME_ZONE)
    opportunities = [*timetable(today, zone), *events(today, zone)]
    async with open_system(settings) as system:
        for seller in SELLERS:
            await system.store.execute(PublishSeller(seller, actor=DEMO))
        for first in range(0, len(opportunities), _PUBLISHED_AT_ONCE):
            await system.store.execute(Publish(tuple(opportunities[first : first + _PUBLISHED_AT_ONCE]), actor=DEMO))
        demo_key = await _add_partner(system, "demo", "Demo Broker", EVERY_SELLER)
        studio_key = await _add_partner(system, "studio-app", "Studio App", STUDIO.key)
    return Filled(demo_key, studio_key, opportunities)


async def _add_partner(system: System, key: str, name: str, seller: str) -> str:
    return await system.identity.partner_administration.add(NewPartner(key=key, name=name, sellers=(seller,)), "demo")


def _is_demo_file(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return bool(application_id == _DEMO_FILE)
