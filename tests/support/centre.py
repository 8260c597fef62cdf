"""A store with the published timetable of one Seller, and a clock that stands on a Monday at noon."""

from datetime import UTC, date, datetime

from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.timetable import GetTimetable, SaveTimetableEntry
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.timetable import EntryKey, TimetableEntry, TimetableRule
from openbooking.booking.store import Reply
from openbooking.openactive.ids import Identifiers
from openbooking.store.memory import MemoryStore
from openbooking.testing.samples import Clock
from openbooking.testing.store_case import feed_writer
from openbooking.timetable.publication import publish_due
from support.parties import CENTRE, MANAGER
from support.timetables import SPIN, SQUASH, VENUE

POLICY = Policy(leasing=Leasing.OFF)
IDS = Identifiers("https://booking.example.com/api")
# A Monday.
FIRST = datetime(2027, 3, 1, 12, tzinfo=UTC)
EVENING = replace(SPIN, first=date(2027, 1, 1))
COURTS = replace(SQUASH, first=date(2027, 1, 1))


class PublishedCentre:
    """The store of the centre."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.time = FIRST
        self.store = MemoryStore(policy=POLICY, writer=feed_writer(), clock=self.clock)

    async def open(self, **rules: TimetableRule) -> "PublishedCentre":
        """Publish the Seller, the Venue `riverside` and these entries."""
        await self.store.execute(PublishSeller(CENTRE, actor=MANAGER))
        for key, rule in {"riverside": VENUE, **rules}.items():
            await self.save(key, rule)
        return self

    async def save(self, key: str, rule: TimetableRule) -> None:
        """Store an entry, and publish what is due."""
        known = (await self.timetable()).get(EntryKey(CENTRE.key, key))
        seen = known.revision if known else None
        await self.execute(SaveTimetableEntry(key=EntryKey(CENTRE.key, key), rule=rule, seen=seen, actor=MANAGER))
        async for _ in publish_due(self.store, POLICY, self.clock):
            pass

    async def timetable(self) -> dict[EntryKey, TimetableEntry]:
        """Return the stored timetable."""
        return {**await self.execute(GetTimetable(seller=CENTRE.key, actor=MANAGER))}

    async def execute(self, command: Command[Reply]) -> Reply:
        """Execute a command."""
        return await self.store.execute(command)
