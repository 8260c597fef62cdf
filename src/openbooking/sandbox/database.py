"""The database of the demo: a file that is known as the demo's own, filled with Sellers, timetable and partners."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from openbooking.booking.commands.publish import Publish, PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.partners.grants import give
from openbooking.identity.records import EVERY_SELLER, Partner
from openbooking.identity.scopes import Scope
from openbooking.sandbox.events import events
from openbooking.sandbox.sellers import SELLERS, STUDIO
from openbooking.sandbox.timetable import TIME_ZONE, timetable
from openbooking.settings import Settings
from openbooking.store.sqlite.connections import create
from openbooking.system import System, open_system
from openbooking.user_error import UserError

# SQLite keeps a number in each file for its application to know it by; ours is "obkd".
_DEMO_FILE = 0x6F626B64
_PUBLISHED_AT_ONCE = 200
DEMO = Actor(ActorKind.SYSTEM, "demo")


class DemoDatabaseError(UserError):
    """The file cannot be made the demo's database."""


class Filled(NamedTuple):
    """What the database was filled with: the API key of each of its Booking Partners, and what can be booked."""

    demo_key: str
    studio_key: str
    opportunities: list[Opportunity]


def claim_file(path: Path) -> None:
    """Make a new file at the path, in place of an earlier demo's.

    Raises:
        DemoDatabaseError: Another file is there, or the file cannot be made.
    """
    if path.exists():
        if not _is_of_demo(path):
            raise DemoDatabaseError(f"{path} is there already and is not the demo's: choose another --database.")
        for suffix in ("", "-wal", "-shm", "-turn", "-reserve"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    try:
        create(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {_DEMO_FILE}")
    except (OSError, sqlite3.Error) as fault:
        raise DemoDatabaseError(f"The database {path} cannot be created: {fault}.") from fault


async def fill(settings: Settings, today: date) -> Filled:
    """Publish everything to the database of these settings."""
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
    api_key = new_secret(SecretKind.API_KEY)
    partner = Partner(
        key=key, name=name, registered=system.clock(), registered_by="demo", api_key_digest=digest(api_key)
    )
    await system.identity.store.save(partner)
    await system.identity.grants.change(key, seller, give(frozenset({Scope.OPENBOOKING})), "demo")
    return api_key


def _is_of_demo(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return bool(application_id == _DEMO_FILE)
