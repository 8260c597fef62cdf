"""The rows that each command asks a store to load and lock before the decision."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.find_opportunities import (
    FindBySource,
    FindOccurrences,
    GetOpportunities,
    GetOpportunity,
)
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.publish_occurrences import (
    GetDueTimetable,
    NoteTimetableFault,
    OccurrenceBatch,
    PublishOccurrences,
)
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.commands.opportunities.republish import Republish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState, TakeOffSale
from openbooking.booking.commands.opportunities.show_other_sales import ShowOtherSales
from openbooking.booking.commands.opportunities.timetable import (
    ApplyTimetable,
    GetTimetable,
    RemoveTimetableEntry,
    SaveTimetableEntry,
)
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData, ErasePersonalData
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.import_bookings import ImportBookings
from openbooking.booking.commands.orders.proposal_decisions import WriteToCustomer
from openbooking.booking.commands.orders.record_export import RecordExport
from openbooking.booking.commands.orders.record_payment import RecordPayment
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import (
    Notify,
    RecordAttendance,
    RenewAccess,
    SellerCancel,
    UndoAttendance,
)
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.commands.preview import Preview
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import CourtTime, SaleState
from openbooking.booking.model.order import MeansOfPayment, OrderKey, Partnership, desk_caller
from openbooking.booking.model.situation import DatedChildren, Needs
from openbooking.booking.model.timetable import TimetableEntry, Venue
from openbooking.openactive.terms import EventStatus
from support.builders import NOW, PRICE, UUID, book, item, propose, quote, request, session, slot
from support.histories.all_commands import command_classes
from support.parties import ALICE, CENTRE, MANAGER
from support.proposals import ACCEPT, amend

SERIES, YOGA = session("yoga")
FACILITY, SLOT = slot("court", individual=False)
_, COURT, COURT_SLOT = slot("court-1")
assert COURT_SLOT.start is not None
assert COURT_SLOT.end is not None
CANCELLED = replace(YOGA, status=EventStatus.CANCELLED)
KEY = OrderKey("alice", UUID)
ASKED = request(item([SERIES, YOGA]))
WITH_CENTRE = Partnership("alice", CENTRE.key)

RECORD = Needs(records=frozenset({KEY}))
ORDER = Needs(
    records=frozenset({KEY}),
    opportunities=frozenset({YOGA.path}),
    lookups=frozenset({SERIES.path}),
    sellers=frozenset({CENTRE.key}),
)
TIMETABLE = Needs(timetables=frozenset({CENTRE.key}), sellers=frozenset({CENTRE.key}))
ENTRY = TimetableEntry(seller=CENTRE.key, key="hall", rule=Venue(name="Hall"), changed_by=MANAGER)
BATCH = OccurrenceBatch(
    entry=ENTRY,
    opportunities=(SERIES, YOGA),
    periods=frozenset({DatedChildren(SERIES.path, NOW, NOW)}),
    undated=frozenset({"events/b"}),
    retired=frozenset({"facility-uses/c"}),
)
HOLDERS, SOURCES, PATHS = frozenset({"alice"}), frozenset({"feed-1", "feed-2"}), frozenset({YOGA.path, SLOT.path})

COMMANDS: list[tuple[Command[Any], Needs]] = [
    (quote(ASKED), replace(ORDER, holders=HOLDERS)),
    (replace(quote(ASKED), holds=False), replace(ORDER, likely_read_only=True)),
    (propose(ASKED), replace(ORDER, holders=HOLDERS)),
    (book(ASKED), replace(ORDER, fills=frozenset({YOGA.path}))),
    (
        BookAtDesk(caller=desk_caller(CENTRE.key), uuid=UUID, request=ASKED, actor=MANAGER),
        replace(ORDER, records=frozenset({OrderKey(DESK, UUID)}), fills=frozenset({YOGA.path})),
    ),
    (
        ImportBookings(
            bookings=(
                BookAtDesk(caller=desk_caller(CENTRE.key), uuid=UUID, request=ASKED, actor=MANAGER),
                BookAtDesk(caller=desk_caller(CENTRE.key), uuid="other", request=ASKED, actor=MANAGER),
            ),
            actor=MANAGER,
        ),
        replace(
            ORDER,
            records=frozenset({OrderKey(DESK, UUID), OrderKey(DESK, "other")}),
            fills=frozenset({YOGA.path}),
        ),
    ),
    (
        FindOccurrences(paths=PATHS, periods=frozenset({DatedChildren(SERIES.path, NOW, NOW)}), actor=MANAGER),
        Needs(
            opportunities=PATHS,
            dated_children=frozenset({DatedChildren(SERIES.path, NOW, NOW)}),
            likely_read_only=True,
        ),
    ),
    (BookProposal(caller=ALICE, uuid=UUID, version=None), replace(RECORD, fills_of=frozenset({KEY}))),
    (GetOrder(caller=ALICE, uuid=UUID), replace(RECORD, likely_read_only=True)),
    (Cancel(caller=ALICE, uuid=UUID, numbers=(1,)), RECORD),
    (DeleteOrder(caller=ALICE, uuid=UUID), RECORD),
    (DeleteQuote(caller=ALICE, uuid=UUID), RECORD),
    (UpdateProposal(caller=ALICE, uuid=UUID), RECORD),
    (ACCEPT, RECORD),
    (amend(), RECORD),
    (WriteToCustomer(order=KEY, note="Hello.", actor=MANAGER), RECORD),
    (SellerCancel(order=KEY, actor=MANAGER), RECORD),
    (Notify(order=KEY, notice="Hello.", actor=MANAGER), RECORD),
    (RecordAttendance(order=KEY, attended=True, actor=MANAGER), RECORD),
    (UndoAttendance(order=KEY, actor=MANAGER), RECORD),
    (RenewAccess(order=KEY, nonce="new", actor=MANAGER), RECORD),
    (RecordPayment(order=KEY, amount=PRICE, means=MeansOfPayment.CASH, due=PRICE, actor=MANAGER), RECORD),
    (
        Replace(order=KEY, number=1, opportunity=YOGA.path, offer=SERIES.offers[0].ref, actor=MANAGER),
        Needs(
            records=frozenset({KEY}),
            opportunities=frozenset({YOGA.path}),
            lookups=frozenset({SERIES.path}),
            fills=frozenset({YOGA.path}),
        ),
    ),
    (
        Publish((FACILITY, CANCELLED), actor=MANAGER),
        Needs(
            opportunities=frozenset({FACILITY.path, SERIES.path, YOGA.path}),
            children=frozenset({FACILITY.path}),
            claims_on=frozenset({YOGA.path}),
            announced=(FACILITY, CANCELLED),
            proposed_at=frozenset({YOGA.path}),
            sellers=frozenset({CENTRE.key}),
        ),
    ),
    (
        Publish((COURT_SLOT,), actor=MANAGER),
        Needs(
            opportunities=frozenset({COURT_SLOT.path, COURT.path}),
            announced=(COURT_SLOT,),
            court_times=frozenset({CourtTime(COURT.path, COURT_SLOT.start, COURT_SLOT.end)}),
            proposed_at=frozenset({COURT_SLOT.path}),
            sellers=frozenset({CENTRE.key}),
        ),
    ),
    (
        PublishSeller(CENTRE, actor=MANAGER),
        Needs(changed_sellers=frozenset({CENTRE.key}), timetables=frozenset({CENTRE.key})),
    ),
    (Republish(PATHS, actor=MANAGER), Needs(opportunities=PATHS)),
    (ShowOtherSales(PATHS), Needs(opportunities=PATHS, fills=PATHS)),
    (CancelOpportunity(opportunity=SERIES.path, actor=MANAGER), Needs(families=frozenset({SERIES.path}))),
    (
        CancelOpportunity(opportunity=YOGA.path, actor=MANAGER),
        Needs(opportunities=frozenset({YOGA.path}), claims_on=frozenset({YOGA.path})),
    ),
    (ChangeLogistics(opportunity=SERIES.path, actor=MANAGER), Needs(families=frozenset({SERIES.path}))),
    (
        SetSaleState(opportunity=SERIES.path, sale=SaleState.UNPUBLISHED, actor=MANAGER),
        Needs(below=frozenset({SERIES.path})),
    ),
    (TakeOffSale(sources=SOURCES, keep=PATHS, actor=MANAGER), Needs(sources=SOURCES)),
    (Withdraw(sources=SOURCES, keep=PATHS, actor=MANAGER), Needs(sources=SOURCES)),
    (Withhold(partnership=WITH_CENTRE, withheld=True, actor=MANAGER), Needs(shown_to=frozenset({WITH_CENTRE}))),
    (Withhold(partnership=WITH_CENTRE, withheld=False, actor=MANAGER), Needs(withheld_from=frozenset({WITH_CENTRE}))),
    (ExpireLeases(), Needs(expired=True)),
    (RemoveOver(), Needs(leaving=True)),
    (GetTimetable(seller=CENTRE.key, actor=MANAGER), replace(TIMETABLE, sellers=frozenset(), likely_read_only=True)),
    (NoteTimetableFault(entry=ENTRY, fault="No."), Needs(timetables=frozenset({CENTRE.key}))),
    (GetDueTimetable(), Needs(due_timetable=True, likely_read_only=True)),
    (SaveTimetableEntry(key=ENTRY.entry_key, rule=ENTRY.rule, actor=MANAGER), TIMETABLE),
    (RemoveTimetableEntry(key=ENTRY.entry_key, actor=MANAGER), TIMETABLE),
    (ApplyTimetable(seller=CENTRE.key, seen={}, rules={}, actor=MANAGER), TIMETABLE),
    (
        PublishOccurrences(batch=BATCH, remove=frozenset({"slots/a"})),
        Needs(
            timetables=frozenset({CENTRE.key}),
            dated_children=BATCH.periods,
            opportunities=frozenset({YOGA.path, SERIES.path, "slots/a", "events/b", "facility-uses/c"}),
            claims_on=frozenset({"slots/a"}),
            announced=(SERIES, YOGA),
            proposed_at=frozenset({YOGA.path}),
            sellers=frozenset({CENTRE.key}),
        ),
    ),
    (ErasePersonalData(over_before=NOW), Needs(over_before=NOW)),
    (EraseOrderData(orders=frozenset({KEY}), contact="geoff@example.com", actor=MANAGER), RECORD),
    (RecordExport(orders=frozenset({KEY}), actor=MANAGER), RECORD),
    (
        GetOpportunity(YOGA.path, actor=MANAGER),
        Needs(opportunities=frozenset({YOGA.path}), likely_read_only=True),
    ),
    (GetOpportunities(PATHS, actor=MANAGER), Needs(opportunities=PATHS, likely_read_only=True)),
    (FindBySource(SOURCES, actor=MANAGER), Needs(source_prefixes=SOURCES, likely_read_only=True)),
    (
        FindOccurrences(sources=SOURCES, paths=PATHS, periods=BATCH.periods, actor=MANAGER),
        Needs(opportunities=PATHS, dated_children=BATCH.periods, likely_read_only=True),
    ),
    (Preview(command=ACCEPT, actor=MANAGER), replace(RECORD, likely_read_only=True)),
]


@pytest.mark.parametrize(("command", "needs"), COMMANDS, ids=lambda value: type(value).__name__)
def test_a_command_needs_its_rows(command: Command[Any], needs: Needs) -> None:
    assert command.needs() == needs


def test_the_needs_of_every_command_are_tested() -> None:
    assert {type(command) for command, _ in COMMANDS} == set(command_classes())
