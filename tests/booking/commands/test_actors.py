"""Every command has an actor, and everything that it changes has a stamp with actor and time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command, OrderCommand
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.publish_occurrences import (
    GetDueTimetable,
    NoteTimetableFault,
    PublishOccurrences,
)
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.commands.opportunities.show_other_sales import ShowOtherSales
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import RETENTION, ErasePersonalData
from openbooking.booking.commands.orders.expire_leases import SWEEPER, ExpireLeases
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal, WriteToCustomer
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, SellerCancel
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import ItemState, Record
from openbooking.booking.model.situation import OpportunitySet, RecordSet, Situation, evolve
from openbooking.booking.rules.opportunities.cancellation_effects import SOLD_OUT
from openbooking.openactive.terms import EventStatus
from support.builders import (
    BY_ALICE,
    BY_MANAGER,
    NOW,
    UUID,
    after,
    book,
    item,
    offer,
    propose,
    quote,
    request,
    session,
    situation,
)
from support.histories.all_commands import command_classes
from support.histories.invariants import check_stamps
from support.parties import ALICE, BOB, CENTRE, MANAGER
from support.proposals import ABORT, ACCEPT, APPROVAL, NEGOTIATED, PATH, amend, b, having, proposed, record_in, standing

YOGA = session("yoga")
KEY = OrderKey("alice", UUID)
STORM = Stamp(Actor(ActorKind.STAFF, "ben"), NOW)


def test_every_command_has_an_actor_and_none_has_one_by_default() -> None:
    """The actor is the Booking Partner, a part of the system, or a required field."""
    names = {kind.__name__ for kind in command_classes()}
    assert {"Quote", "Book", "Withdraw", "DecideProposal", "ExpireLeases", "GetOrder", "GetOpportunity"} <= names
    for kind in command_classes():
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        if issubclass(kind, OrderCommand) and kind is not BookAtDesk:
            assert "actor" not in fields
            assert kind.actor is OrderCommand.actor
        elif kind not in (
            ErasePersonalData,
            ExpireLeases,
            GetDueTimetable,
            NoteTimetableFault,
            PublishOccurrences,
            RemoveOver,
            ShowOtherSales,
        ):
            assert fields["actor"].required, kind
            assert fields["actor"].type is Actor
    assert book(request(), caller=BOB).actor == Actor(ActorKind.PARTNER, "bob")
    assert ExpireLeases().actor == SWEEPER == Actor(ActorKind.SYSTEM, "sweeper")
    assert ErasePersonalData(over_before=NOW).actor == RETENTION == Actor(ActorKind.SYSTEM, "retention")


def test_a_stamp_has_the_time_of_the_decision() -> None:
    assert SellerCancel(order=KEY, actor=MANAGER).stamp(situation(YOGA)) == BY_MANAGER


def test_a_quote_has_no_stamps_and_an_order_has_the_stamp_of_its_booking() -> None:
    quoted = after(situation(YOGA), quote(request(item(YOGA))))
    assert (quoted.records[KEY].booked, quoted.records[KEY].changed) == (None, None)
    record = after(quoted, book(request(item(YOGA)))).records[KEY]
    assert (record.proposed, record.booked, record.changed, record.deleted) == (None, BY_ALICE, BY_ALICE, None)


@pytest.mark.parametrize(
    "cancelling",
    [
        SellerCancel(order=KEY, actor=STORM.actor),
        CancelOpportunity(opportunity=YOGA[-1].path, actor=STORM.actor),
        Publish((replace(YOGA[-1], status=EventStatus.CANCELLED),), actor=STORM.actor),
    ],
)
def test_a_cancelled_item_has_the_stamp_of_its_cancellation(cancelling: Any) -> None:
    booked = after(situation(YOGA), book(request(item(YOGA))))
    record = after(booked, cancelling).records[KEY]
    assert (record.states[0].cancelled, record.states[0].changed, record.changed) == (STORM, STORM, STORM)
    assert record.booked == BY_ALICE


def test_a_proposal_has_the_stamps_of_decision_and_amendment_and_its_order_keeps_them() -> None:
    accepted = after(proposed(), ACCEPT)
    assert (standing(accepted).decided, record_in(accepted).proposed) == (BY_MANAGER, BY_ALICE)
    amended = having(accepted, amend())
    assert (standing(amended).decided, standing(amended).amended) == (None, BY_MANAGER)
    record = record_in(having(accepted, b()))
    assert record.proposal
    assert (record.proposed, record.booked, record.proposal.decided) == (BY_ALICE, BY_ALICE, BY_MANAGER)


@pytest.mark.parametrize(
    ("rejecting", "by"),
    [
        (ABORT, BY_ALICE),
        (CancelOpportunity(opportunity=PATH, actor=STORM.actor), STORM),
    ],
)
def test_a_rejection_has_the_stamp_of_the_customer_or_the_seller(rejecting: Any, by: Stamp) -> None:
    assert standing(after(proposed(), rejecting)).decided == by


def test_the_sweeper_is_the_actor_that_rejects_an_ended_proposal() -> None:
    expires = standing(proposed()).expires
    assert expires
    swept = after(replace(proposed(), now=expires), ExpireLeases())
    assert standing(swept).decided == record_in(swept).changed == Stamp(SWEEPER, expires)


@pytest.mark.parametrize("again", [ACCEPT, UpdateProposal(caller=ALICE, uuid=UUID, note=None)])
def test_a_command_without_a_change_leaves_no_stamp(again: Any) -> None:
    before = after(proposed(), ACCEPT)
    later = replace(before, now=NOW.replace(second=1), policy=replace(before.policy, lease_duration=NOW - NOW))
    assert record_in(after(later, again)) == record_in(before)


def _changed(**changes: Any) -> Callable[[Record], Record]:
    return lambda record: replace(record, **changes)


@pytest.mark.parametrize(
    "forgetting",
    [
        _changed(updated=True),
        _changed(updated=True, changed=BY_ALICE),
        _changed(booked=STORM),
        _changed(proposed=STORM),
        _changed(states=(ItemState(customer_notice="Hello."),), changed=STORM),
        _changed(states=(ItemState(changed=STORM),)),
    ],
)
def test_the_check_notices_missing_and_wrong_stamps(forgetting: Callable[[Record], Record]) -> None:
    before = after(situation(YOGA), book(request(item(YOGA))))
    check_stamps(before, before, STORM)
    left = evolve(before, RecordSet(KEY, forgetting(before.records[KEY])))
    with pytest.raises(AssertionError):
        check_stamps(before, left, STORM)


@pytest.mark.spec("OB-APP-27")
def test_the_system_is_the_actor_that_rejects_a_proposal_whose_spaces_are_sold() -> None:
    """The actor is not the Booking Partner that bought the spaces."""
    policy = Policy(leasing=Leasing.OFF)
    trip = session("trip", capacity=1, offered={"flow": APPROVAL})
    where = after(situation(trip, policy=policy), propose(request(item(trip)), caller=BOB))
    where = evolve(where, OpportunitySet(replace(trip[0], offers=(offer(trip[0].path),))))
    turned_away = after(where, book(request(item(trip)))).records[OrderKey("bob", UUID)]
    assert turned_away.proposal is not None
    assert turned_away.proposal.decided == turned_away.changed == Stamp(SOLD_OUT, NOW)


LATER = NOW + timedelta(minutes=6)
FROM_FEED = [replace(member, source="feed") for member in YOGA]
SPIN, TOUR = session("spin"), session("tour", offered={"flow": NEGOTIATED}, source="feed")
ORDERED = after(situation(FROM_FEED, SPIN), book(request(item(YOGA))))
ASKED = having(situation(TOUR), propose(request(item(TOUR))))
POSTPONED = replace(TOUR[1], status=EventStatus.POSTPONED)
CHANGES: list[tuple[Situation, Command[Any]]] = [
    (ORDERED, Cancel(caller=ALICE, uuid=UUID, numbers=(1,))),
    (ORDERED, DeleteOrder(caller=ALICE, uuid=UUID)),
    (ORDERED, SellerCancel(order=KEY, actor=STORM.actor)),
    (ORDERED, Notify(order=KEY, notice="Bring a mat.", actor=STORM.actor)),
    (
        ORDERED,
        Replace(order=KEY, number=1, opportunity=SPIN[1].path, offer=SPIN[0].offers[0].ref, actor=STORM.actor),
    ),
    (ORDERED, CancelOpportunity(opportunity=YOGA[-1].path, actor=STORM.actor)),
    (ORDERED, ChangeLogistics(opportunity=YOGA[-1].path, start=LATER, actor=STORM.actor)),
    (ORDERED, Publish((replace(FROM_FEED[1], start=LATER, source="feed"),), actor=STORM.actor)),
    (ORDERED, Withdraw(sources=frozenset({"feed"}), orders=True, actor=STORM.actor)),
    (ORDERED, Withhold(partnership=Partnership("alice", CENTRE.key), withheld=True, actor=STORM.actor)),
    (ORDERED, ErasePersonalData(over_before=NOW + timedelta(days=9))),
    (ASKED, Publish((replace(TOUR[1], capacity=0),), actor=STORM.actor)),
    (ASKED, Withdraw(sources=frozenset({"feed"}), actor=STORM.actor)),
    (ASKED, DecideProposal(order=KEY, accept=True, actor=STORM.actor)),
    (ASKED, DecideProposal(order=KEY, accept=False, actor=STORM.actor)),
    (ASKED, replace(amend(note="Sorry."), actor=STORM.actor)),
    (ASKED, WriteToCustomer(order=KEY, note="Bring boots.", actor=STORM.actor)),
    (ASKED, UpdateProposal(caller=ALICE, uuid=UUID, note="Is there a lift?")),
    (ASKED, ABORT),
    (having(ASKED, ACCEPT), b()),
    (having(ASKED, ACCEPT, Publish((POSTPONED,), actor=MANAGER)), b()),
    (having(ASKED, ACCEPT), CancelOpportunity(opportunity=TOUR[-1].path, actor=STORM.actor)),
]


@pytest.mark.parametrize(("where", "command"), CHANGES, ids=lambda value: type(value).__name__)
def test_a_changed_record_has_the_stamp_of_the_change(where: Situation, command: Command[Any]) -> None:
    before = replace(where, now=LATER)
    left = after(before, command)
    assert left.records[KEY] != before.records[KEY]
    check_stamps(before, left, Stamp(command.actor, LATER))
