"""The database of the demo: a marked SQLite file, filled with Sellers, Opportunities and Booking Partners."""

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

# The application id in the header of an SQLite file, by which the demo recognises its own files: "obkd" in ASCII.
_DEMO_FILE = 0x6F626B64
_PUBLISHED_AT_ONCE = 200
DEMO = Actor(ActorKind.SYSTEM, "demo")


class DemoDatabaseError(UserError):
    """The file belongs to another program, or cannot be created."""


class DemoContent(NamedTuple):
    """The content of a new demo database.

    Attributes:
        demo_key: The API key of the partner that may book for both Sellers.
        studio_key: The API key of the partner that may book for Willow Studio only.
        opportunities: All Opportunities, each parent before its children.
    """

    demo_key: str
    studio_key: str
    opportunities: list[Opportunity]


def create_file(path: Path) -> None:
    """Create an empty SQLite file that is marked as a demo database. Replace the file of an earlier demo.

    Raises:
        DemoDatabaseError: The file exists and belongs to another program, or cannot be created.
    """
    if path.exists():
        if not _is_demo_file(path):
            raise DemoDatabaseError(
                f"{path} is not a database of the demo, and is not overwritten: choose another --database."
            )
        for suffix in ("", "-wal", "-shm", "-turn", "-reserve"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    try:
        create(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {_DEMO_FILE}")
    except (OSError, sqlite3.Error) as fault:
        raise DemoDatabaseError(f"The database {path} cannot be created: {fault}.") from fault


async def fill_database(settings: Settings, today: date) -> DemoContent:
    """Publish the Sellers and their Opportunities from tomorrow on, and add two Booking Partners.

    Args:
        settings: The settings, with the database.
        today: The present date in the time zone of the demo.
    """
    zone = ZoneInfo(TIME_ZONE)
    opportunities = [*timetable(today, zone), *events(today, zone)]
    async with open_system(settings) as system:
        for seller in SELLERS:
            await system.store.execute(PublishSeller(seller, actor=DEMO))
        for first in range(0, len(opportunities), _PUBLISHED_AT_ONCE):
            await system.store.execute(Publish(tuple(opportunities[first : first + _PUBLISHED_AT_ONCE]), actor=DEMO))
        demo_key = await _add_partner(system, "demo", "Demo Broker", EVERY_SELLER)
        studio_key = await _add_partner(system, "studio-app", "Studio App", STUDIO.key)
    return DemoContent(demo_key, studio_key, opportunities)


async def _add_partner(system: System, key: str, name: str, seller: str) -> str:
    """Add a Booking Partner that may book for a Seller, and return its API key."""
    return await system.identity.partner_administration.add(NewPartner(key=key, name=name, sellers=(seller,)), "demo")


def _is_demo_file(path: Path) -> bool:
    """Return whether the file is an SQLite file with the mark of the demo."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return bool(application_id == _DEMO_FILE)
