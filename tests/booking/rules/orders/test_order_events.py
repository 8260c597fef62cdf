"""Order events: which events a change of a record leads to, and what they say."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData, ErasePersonalData
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, UndoAttendance
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_event import (
    AttendanceRecorded,
    EventItem,
    OrderBooked,
    OrderCancelled,
    OrderChanged,
    OrderDeleted,
    OrderEvent,
    OrderProposed,
    PersonalDataErased,
    ProposalChanged,
)
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.order_events import order_events
from openbooking.booking.store import fold
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus
from support.builders import NOW, PRICE, UUID, book, item, propose, quote, request, session, situation
from support.parties import ALICE, CENTRE, MANAGER
from support.proposals import TRIP

YOGA, SWIM = session("yoga"), session("swim")
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)
PARTNER = Actor(ActorKind.PARTNER, "alice")
CANCELLED = OrderItemStatus.CUSTOMER_CANCELLED
ATTENDED, CONFIRMED = OrderItemStatus.ATTENDED, OrderItemStatus.CONFIRMED
CANCEL_SECOND = Cancel(caller=ALICE, uuid=UUID, numbers=(2,))
CAME = RecordAttendance(order=KEY, numbers=frozenset({1}), attended=True, actor=MANAGER)


def booked() -> Situation:
    order = request(item(YOGA), item(YOGA, 1), total_payment_due=PRICE * 2)
    return fold(situation(YOGA), [book(order)])[0]


def events_of(before: Situation, *commands: Command[Any]) -> Sequence[OrderEvent]:
    """Return the events of the record after the commands."""
    after, outcomes = fold(before, commands)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return order_events(before, after.records[KEY])


def of_type(events: Sequence[OrderEvent], *types: type[OrderEvent]) -> OrderEvent:
    """Return the first event, after a check of the types of all events."""
    assert [type(event) for event in events] == list(types)
    return events[0]


def test_a_booking_is_an_event_with_all_items() -> None:
    order = request(item(YOGA), item(YOGA, 1), total_payment_due=PRICE * 2)
    event = of_type(events_of(situation(YOGA), book(order)), OrderBooked)
    assert (event.at, event.actor, event.order, event.seller) == (NOW, PARTNER, KEY, CENTRE.key)
    assert event.items == (EventItem(number=1, opportunity=PATH), EventItem(number=2, opportunity=PATH))


def test_a_quote_is_no_event() -> None:
    after, _ = fold(situation(YOGA), [quote(request(item(YOGA)))])
    assert [event for record in after.records.values() for event in order_events(situation(YOGA), record)] == []


def test_a_booking_and_a_cancellation_in_one_batch_are_two_events() -> None:
    order = request(item(YOGA), item(YOGA, 1), total_payment_due=PRICE * 2)
    events = events_of(situation(YOGA), book(order), CANCEL_SECOND)
    of_type(events, OrderBooked, OrderCancelled)
    assert [each.number for each in events[1].items] == [2]


@pytest.mark.parametrize(
    ("commands", "type_", "items"),
    [
        ([CANCEL_SECOND], OrderCancelled, (EventItem(number=2, opportunity=PATH, status=CANCELLED),)),
        (
            [CancelOpportunity(opportunity=PATH, actor=MANAGER)],
            OrderCancelled,
            tuple(
                EventItem(number=number, opportunity=PATH, status=OrderItemStatus.SELLER_CANCELLED) for number in (1, 2)
            ),
        ),
        (
            [Notify(order=KEY, numbers=frozenset({2}), notice="Bring a towel.", actor=MANAGER)],
            OrderChanged,
            (EventItem(number=2, opportunity=PATH),),
        ),
        ([CAME], AttendanceRecorded, (EventItem(number=1, opportunity=PATH, status=ATTENDED),)),
    ],
)
def test_a_change_of_items_is_an_event_with_these_items(
    commands: list[Command[Any]], type_: type[OrderEvent], items: tuple[EventItem, ...]
) -> None:
    assert of_type(events_of(booked(), *commands), type_).items == items


def test_undone_attendance_is_an_event_of_attendance() -> None:
    came = fold(booked(), [CAME])[0]
    undone = UndoAttendance(order=KEY, numbers=frozenset({1}), actor=MANAGER)
    assert of_type(events_of(came, undone), AttendanceRecorded).items[0].status is CONFIRMED


def test_a_deletion_is_an_event_with_the_items_whose_spaces_are_free() -> None:
    cancelled = fold(booked(), [CANCEL_SECOND])[0]
    event = of_type(events_of(cancelled, DeleteOrder(caller=ALICE, uuid=UUID)), OrderDeleted)
    assert [each.number for each in event.items] == [1]


def test_a_proposal_and_a_decision_about_it_are_events() -> None:
    proposed = fold(situation(TRIP), [propose(request(item(TRIP)))])[0]
    of_type(order_events(situation(TRIP), proposed.records[KEY]), OrderProposed)
    accept = DecideProposal(order=KEY, accept=True, actor=MANAGER)
    event = of_type(events_of(proposed, accept), ProposalChanged)
    assert isinstance(event, ProposalChanged)
    assert (event.status, event.actor) == (OrderProposalStatus.ACCEPTED, MANAGER)


def booked_for_ann() -> Situation:
    ann = {"@type": "Person", "email": "ann@example.com"}
    order = request(replace(item(YOGA), attendee=ann), item(YOGA, 1), total_payment_due=PRICE * 2)
    before = fold(situation(YOGA), [book(order)])[0]
    return replace(before, now=NOW + timedelta(days=400))


def test_the_erasure_of_an_order_is_one_event_without_items() -> None:
    erase = ErasePersonalData(over_before=NOW + timedelta(days=400))
    assert of_type(events_of(booked_for_ann(), erase), PersonalDataErased).items == ()


def test_the_erasure_of_an_attendee_is_an_event_with_the_item_of_the_attendee() -> None:
    erase = EraseOrderData(orders=frozenset({KEY}), contact="ann@example.com", actor=MANAGER)
    event = of_type(events_of(booked_for_ann(), erase), PersonalDataErased)
    assert [each.number for each in event.items] == [1]


def test_a_replacement_is_a_change_that_names_the_former_opportunity() -> None:
    (offer,) = SWIM[0].offers
    instead = Replace(order=KEY, number=1, opportunity=SWIM[-1].path, offer=offer.ref, nonce="n", actor=MANAGER)
    before = fold(situation(YOGA, SWIM), [book(request(item(YOGA)))])[0]
    assert of_type(events_of(before, instead), OrderChanged).items == (
        EventItem(number=1, opportunity=SWIM[-1].path, replaced=PATH),
    )


def test_each_event_has_an_id_of_its_own() -> None:
    one, other = (events_of(booked(), CANCEL_SECOND)[0] for _ in range(2))
    assert one.id != other.id
