"""A database with the timetable of the Centre, published, for tests of commands."""

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.timetable import ApplyTimetable
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import TimetableRule, WeeklyTime
from openbooking.settings import Settings
from openbooking.store.sql import SqlStore
from openbooking.system import open_system
from openbooking.timetable.publication import publish_due
from support.builders import book
from support.parties import CENTRE, MANAGER
from support.seller_office import execute, order_of, use
from support.timetables import ADULT, EVERY_DAY, LONDON, SPIN, SQUASH, VENUE

TODAY = datetime.now(LONDON).date()
# A class of each day, at noon.
NOON = replace(SPIN, times=(WeeklyTime(EVERY_DAY, time(12), 45),), first=TODAY + timedelta(days=1), prices=(ADULT,))
COURTS = replace(SQUASH, first=TODAY + timedelta(days=1))
RULES: dict[str, TimetableRule] = {"riverside": VENUE, "spin": NOON, "squash": COURTS}


def publish(database: Path) -> None:
    """Publish what is due, as a server does."""

    async def work() -> None:
        async with open_system(Settings(database=str(database)), serves=False) as system:
            async for _ in publish_due(system.store, system.settings.policy, system.clock):
                pass

    asyncio.run(work())


def store_timetable(database: Path) -> None:
    """Store the timetable of the Centre, and publish it."""
    execute(database, ApplyTimetable(seller=CENTRE.key, seen={}, rules=RULES, actor=MANAGER))
    publish(database)


def occurrences(database: Path, key: str) -> list[Opportunity]:
    """Return the stored occurrences of an entry, in the order of their starts."""

    async def work(store: SqlStore) -> list[Opportunity]:
        found = await store.execute(FindBySource(frozenset({f"timetable:{CENTRE.key}/{key}"}), actor=MANAGER))
        return sorted((each for each in found.values() if each.start), key=lambda each: (str(each.start), each.path))

    return use(database, work)


def book_first(database: Path, key: str, uuid: str) -> Opportunity:
    """Book the first occurrence of an entry; return the occurrence."""
    first = occurrences(database, key)[0]

    async def work(store: SqlStore) -> list[Opportunity]:
        found = await store.execute(FindBySource(frozenset({first.source}), actor=MANAGER))
        return [found[first.parent], first] if first.parent else [first]

    family = use(database, work)
    execute(database, book(order_of(family, 1, total_payment_due=ADULT.amount), uuid=uuid))
    return first
