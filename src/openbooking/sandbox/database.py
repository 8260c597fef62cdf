"""The database of the demo: a marked SQLite file, filled with Sellers, Opportunities and Booking Partners."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.timetable import ApplyTimetable
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import SOURCE_PREFIX
from openbooking.identity.partner_administration import NewPartner
from openbooking.identity.records import EVERY_SELLER, Role
from openbooking.sandbox.bookings import BROKERS, PAST_DAYS, Broker, DemoClock, make_bookings
from openbooking.sandbox.events import SOURCE, events
from openbooking.sandbox.sellers import SELLERS, TRUST
from openbooking.sandbox.timetable import DAYS, TIME_ZONE, timetable, venues
from openbooking.settings import Settings
from openbooking.store.sqlite.connections import create
from openbooking.system import System, open_system
from openbooking.timetable.publication import publish_due
from openbooking.user_error import UserError

# The application id in the header of an SQLite file, by which the demo recognises its own files: "obkd" in ASCII.
_DEMO_FILE = 0x6F626B64
_SOURCES = (SOURCE, SOURCE_PREFIX)
_BOOKED_BEFORE_DAYS = 9
# The users of the demo, and their password.
USERS = (("sam", TRUST.key, Role.MANAGER), ("robin", TRUST.key, Role.STAFF))
PASSWORD = "riverbank demo"  # noqa: S105 - of made-up people, on the machine that runs the demo
DEMO = Actor(ActorKind.SYSTEM, "demo")


class DemoDatabaseError(UserError):
    """The file belongs to another program, or cannot be created."""


class DemoContent(NamedTuple):
    """The content of a new demo database.

    Attributes:
        demo_key: The API key of the partner that may book for both Sellers.
        studio_key: The API key of the partner that may book for Willow Studio only.
        keys: The API keys of all partners, by the keys of the partners.
        opportunities: All published Opportunities, in the order of their starts.
    """

    demo_key: str
    studio_key: str
    keys: dict[str, str]
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


async def fill_database(settings: Settings, today: date, *, days: int = DAYS, booked: bool = True) -> DemoContent:
    """Publish the Sellers and their Opportunities, and add Booking Partners, users and bookings.

    The Opportunities of the past two weeks are withdrawn after they have been booked, so that only Orders know them.

    Args:
        settings: The settings, with the database.
        today: The present date in the time zone of the demo.
        days: The days from today on for which occurrences are published.
        booked: Whether to make bookings. Without them nothing of the past is published.
    """
    now = datetime.now(UTC)
    # The clock begins before the first booking, and all occurrences are published at that time.
    before = timedelta(days=PAST_DAYS + _BOOKED_BEFORE_DAYS) if booked else timedelta()
    clock = DemoClock(now - before)
    settings = replace(settings, publish_ahead_days=before.days + days)
    async with open_system(settings, clock, serves=False) as system:
        opportunities = await _publish(system, today)
        keys = {broker.key: await _add_partner(system, broker) for broker in BROKERS}
        if booked:
            await make_bookings(system.store, clock, SELLERS, opportunities, now)
        current = frozenset(item.path for item in opportunities if not item.is_over(now))
        # One source after another, because a command must not take too long on a slow machine.
        for source in sorted({item.source for item in opportunities if item.path not in current}):
            await system.store.execute(Withdraw(sources=frozenset({source}), keep=current, actor=DEMO))
        for name, seller_key, role in USERS:
            await _add_user(system, name, seller_key, role)
    return DemoContent(keys["demo"], keys["studio-app"], keys, [item for item in opportunities if item.path in current])


async def _publish(system: System, today: date) -> list[Opportunity]:
    """Publish the Sellers with their timetables and events; return all Opportunities in the order of their starts."""
    timetables = {seller.key: timetable(seller, today) for seller in SELLERS}
    for seller in SELLERS:
        await system.store.execute(PublishSeller(seller, actor=DEMO))
        rules = timetables[seller.key]
        await system.store.execute(ApplyTimetable(seller=seller.key, seen={}, rules=rules, actor=DEMO))
    async for _ in publish_due(system.store, system.settings.policy, system.clock):
        pass
    made = events(today, ZoneInfo(TIME_ZONE), venues(timetables[TRUST.key]))
    await system.store.execute(Publish(tuple(made), actor=DEMO))
    found = await system.store.execute(FindBySource(frozenset(_SOURCES), actor=DEMO))
    return sorted(found.values(), key=lambda item: (item.start or datetime.max.replace(tzinfo=UTC), item.path))


async def _add_partner(system: System, broker: Broker) -> str:
    """Add a Booking Partner, and return its API key."""
    new = NewPartner(key=broker.key, name=broker.name, sellers=(broker.seller or EVERY_SELLER,))
    return await system.identity.partner_administration.add(new, DEMO)


async def _add_user(system: System, name: str, seller: str, role: Role) -> None:
    """Add a user who has the password of the demo."""
    link = await system.identity.user_administration.add(name, seller, role, DEMO)
    await system.identity.accounts.use_link(link, PASSWORD)


def _is_demo_file(path: Path) -> bool:
    """Return whether the file is an SQLite file with the mark of the demo."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error:
        return False
    return bool(application_id == _DEMO_FILE)
