"""A club on the console whose timetable is published by hand."""

from datetime import date

from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.timetable import GetTimetable, RemoveTimetableEntry, SaveTimetableEntry
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import desk_caller
from openbooking.booking.model.timetable import EntryKey, TimetableEntry, TimetableRule
from openbooking.booking.views import OrderQuery, StoreWithViews
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import BrokerRole
from openbooking.timetable.publication import publish_due
from support.builders import item, new_uuid, request
from support.console import DESK_PAYMENT
from support.http_system import World
from support.parties import CENTRE, MANAGER


class Club:
    """The timetable of the centre."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def today(self) -> date:
        """The day on the wall clock."""
        return self.world.clock().astimezone(self.world.settings.policy.time_zone).date()

    @property
    def vat(self) -> VatTreatment:
        """The VAT treatment of new prices."""
        return CENTRE.default_vat

    async def timetable(self) -> dict[EntryKey, TimetableEntry]:
        """Return the stored timetable."""
        return {**await self.world.store.execute(GetTimetable(seller=CENTRE.key, actor=MANAGER))}

    async def entry(self, key: str) -> TimetableEntry:
        """Return a stored entry."""
        return (await self.timetable())[EntryKey(CENTRE.key, key)]

    async def save(self, key: str, rule: TimetableRule) -> None:
        """Store an entry."""
        known = (await self.timetable()).get(EntryKey(CENTRE.key, key))
        seen = known.revision if known else None
        await self.world.store.execute(
            SaveTimetableEntry(key=EntryKey(CENTRE.key, key), rule=rule, seen=seen, actor=MANAGER)
        )

    async def remove(self, key: str) -> None:
        """Remove an entry."""
        known = await self.entry(key)
        await self.world.store.execute(RemoveTimetableEntry(key=known.entry_key, seen=known.revision, actor=MANAGER))

    async def publish(self, key: str) -> list[Opportunity]:
        """Publish what is due; return the sessions or Slots of an entry in the order of their starts."""
        async for _ in publish_due(self.world.store, self.world.settings.policy, self.world.clock):
            pass
        source = frozenset({f"timetable:{CENTRE.key}/{key}"})
        found = await self.world.store.execute(FindBySource(source, actor=MANAGER))
        return sorted((each for each in found.values() if each.start), key=lambda each: (str(each.start), each.path))

    async def book(self, member: Opportunity, name: str) -> str:
        """Book a space of a session or Slot at the front desk; return the UUID of the Order."""
        family = [*([await self._parent(member)] if member.parent else []), member]
        priced = next(offer for each in reversed(family) for offer in each.offers)
        wanted = request(
            item(family),
            total_payment_due=priced.price,
            broker_role=BrokerRole.NO_BROKER,
            broker=None,
            customer={"familyName": name},
            payment=DESK_PAYMENT,
        )
        uuid = new_uuid()
        caller = desk_caller(CENTRE.key)
        booked = await self.world.store.execute(BookAtDesk(caller=caller, uuid=uuid, request=wanted, actor=MANAGER))
        assert not booked.has_errors, [each.errors for each in booked.items]
        return uuid

    async def _parent(self, member: Opportunity) -> Opportunity:
        found = await self.world.store.execute(FindBySource(frozenset({member.source}), actor=MANAGER))
        return found[member.parent or ""]

    async def cancelled(self) -> list[str]:
        """Return the messages of cancelled items."""
        assert isinstance(self.world.store, StoreWithViews)
        found = await self.world.store.views.of(CENTRE.key).orders(OrderQuery())
        states = [state for record in found.rows for _, state in record.items()]
        return [state.cancellation_message or "" for state in states if state.status.cancelled]
