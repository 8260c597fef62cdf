"""The activity log: one entry for each Order and Opportunity that a decision changes."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import BaseCommand, Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.record_export import RecordExport
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, SellerCancel
from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import Situation
from openbooking.booking.store import fold
from support.builders import NOW, PRICE, UUID, book, item, propose, quote, request, session, situation
from support.histories.all_commands import command_classes
from support.parties import ALICE, CENTRE, MANAGER
from support.proposals import TRIP, places

YOGA = session("yoga")
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)
PARTNER = Actor(ActorKind.PARTNER, "alice")


def booked() -> Situation:
    order = request(item(YOGA), item(YOGA, 1), total_payment_due=PRICE * 2)
    return fold(situation(YOGA), [book(order)])[0]


def log_of(where: Situation, *commands: Command[Any]) -> list[Activity]:
    """Return the entries that the commands add."""
    after, outcomes = fold(where, commands)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return list(after.activity[len(where.activity) :])


def entry(action: Action, actor: Actor = MANAGER, *items: int, **about: Any) -> Activity:
    described = about or {"order": KEY}
    return Activity(at=NOW, actor=actor, action=action, seller=CENTRE.key, items=items, **described)


def test_a_quote_and_a_booking_have_no_entries() -> None:
    assert booked().activity == ()
    assert log_of(situation(YOGA), quote(request(item(YOGA)))) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            SellerCancel(order=KEY, numbers=frozenset({2}), actor=MANAGER),
            entry(Action.SELLER_CANCELLED, MANAGER, 2),
        ),
        (Cancel(caller=ALICE, uuid=UUID, numbers=(1,)), entry(Action.CUSTOMER_CANCELLED, PARTNER, 1)),
        (Notify(order=KEY, notice="Bring a towel.", actor=MANAGER), entry(Action.CUSTOMER_NOTIFIED, MANAGER, 1, 2)),
        (
            RecordAttendance(order=KEY, numbers=frozenset({1}), attended=True, actor=MANAGER),
            entry(Action.ATTENDANCE_RECORDED, MANAGER, 1),
        ),
        (DeleteOrder(caller=ALICE, uuid=UUID), entry(Action.ORDER_DELETED, PARTNER)),
        (RecordExport(orders=frozenset({KEY}), actor=MANAGER), entry(Action.PERSONAL_DATA_EXPORTED)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_entry_names_the_order_and_its_changed_items(command: Command[Any], expected: Activity) -> None:
    assert log_of(booked(), command) == [expected]


def test_each_decision_of_a_batch_has_its_own_entry() -> None:
    commands = [RecordAttendance(order=KEY, attended=attended, actor=MANAGER) for attended in (True, False, False)]
    recorded = entry(Action.ATTENDANCE_RECORDED, MANAGER, 1, 2)
    assert log_of(booked(), *commands) == [recorded, recorded]


def test_the_cancellation_of_an_opportunity_has_entries_for_the_opportunity_and_its_orders() -> None:
    found = log_of(booked(), CancelOpportunity(opportunity=PATH, message="The coach is ill.", actor=MANAGER))
    assert found == [
        entry(Action.OPPORTUNITY_CANCELLED, opportunity=PATH),
        entry(Action.OPPORTUNITY_CANCELLED, MANAGER, 1, 2),
    ]


@pytest.mark.parametrize(
    ("sale", "action"),
    [(SaleState.UNPUBLISHED, Action.TAKEN_OFF_SALE), (SaleState.ON_SALE, Action.PUT_ON_SALE)],
)
def test_an_entry_says_whether_an_opportunity_went_on_sale(sale: SaleState, action: Action) -> None:
    other = SaleState.UNPUBLISHED if sale is SaleState.ON_SALE else SaleState.ON_SALE
    where, _ = fold(situation(YOGA), [SetSaleState(opportunity=PATH, sale=other, actor=MANAGER)])
    command = SetSaleState(opportunity=PATH, sale=sale, actor=MANAGER)
    assert log_of(where, command) == [entry(action, opportunity=PATH)]


@pytest.mark.parametrize(("accept", "action"), [(True, Action.PROPOSAL_ACCEPTED), (False, Action.PROPOSAL_REJECTED)])
def test_an_entry_says_whether_a_proposal_was_accepted(accept: bool, action: Action) -> None:
    where, _ = fold(situation(TRIP), [propose(places(TRIP))])
    assert [found.action for found in log_of(where, DecideProposal(order=KEY, accept=accept, actor=MANAGER))] == [
        action
    ]


def test_a_seller_that_changes_has_an_entry_and_a_new_or_unchanged_one_has_none() -> None:
    changed = replace(CENTRE, name="Riverside Sports")
    found = log_of(situation(YOGA), *(PublishSeller(seller, actor=MANAGER) for seller in (CENTRE, changed, changed)))
    assert found == [Activity(at=NOW, actor=MANAGER, action=Action.SELLER_CHANGED, seller=CENTRE.key)]
    assert log_of(situation(YOGA), PublishSeller(replace(CENTRE, key="new"), actor=MANAGER)) == []


def test_a_refused_command_has_no_entry() -> None:
    after, (outcome,) = fold(situation(YOGA), [SellerCancel(order=KEY, actor=MANAGER)])
    assert isinstance(outcome, Exception)
    assert after.activity == ()


# Their changes are known from the stamps of records, are made by imports or upkeep, or are none.
NOT_LOGGED = {
    "Book", "BookAtDesk", "BookProposal", "DeleteQuote", "ErasePersonalData", "ExpireLeases", "FindBySource",
    "FindOccurrences", "GetDueTimetable", "GetOpportunities", "GetOpportunity", "GetOrder", "GetTimetable",
    "ImportBookings", "NoteTimetableFault", "Preview", "Propose", "Publish", "PublishOccurrences", "Quote",
    "RemoveOver",
    "Republish", "ShowOtherSales", "TakeOffSale", "Withdraw", "Withhold",
}  # fmt: skip


def test_every_other_command_is_logged() -> None:
    assert {
        kind.__name__ for kind in command_classes() if vars(kind).get("action", kind.action) is BaseCommand.action
    } == NOT_LOGGED
