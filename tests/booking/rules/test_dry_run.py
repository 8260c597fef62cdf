"""The common rules of C1, C2, P and B, and their differences."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.book import Book
from openbooking.booking.commands.delete import DeleteOrder
from openbooking.booking.commands.get_order import GetOrder
from openbooking.booking.commands.propose import Propose
from openbooking.booking.commands.publish import Publish
from openbooking.booking.model.opportunity import FormField, Opportunity
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Situation, Spaces
from openbooking.booking.rules.dry_run import Checkpoint
from openbooking.openactive.errors import (
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
    ItemErrorType,
    OpenBookingError,
    OrderCreationFailedError,
    SellerMismatchError,
    SellerNotFoundError,
)
from openbooking.openactive.terms import EventStatus, FlowRequirement, FormFieldType, OrderItemStatus
from support.builders import (
    NOW,
    PRICE,
    UUID,
    after,
    course,
    event,
    headline_event,
    item,
    offer,
    on_demand_event,
    quote,
    request,
    session,
    situation,
    slot,
)
from support.parties import ADDRESS, ALICE, BOB, MANAGER, STUDIO

YOGA = session("yoga")
SERIES, PATH = (member.path for member in YOGA)
KEY = OrderKey("alice", UUID)
QUESTION = FormField(key="age", type=FormFieldType.SHORT_ANSWER, name="Age", description="How old?", required=True)


def with_offer(**changes: Any) -> list[Opportunity]:
    """A session whose Offer requires further details."""
    return session("yoga", offers=(offer(SERIES, **changes),))


APPROVED = with_offer(flow=(FlowRequirement.APPROVAL,))
ATTENDED = with_offer(attendee_details=("https://schema.org/givenName",))
ASKED = with_offer(intake_form=(QUESTION,))


def command(checkpoint: Checkpoint, asked: OrderRequest) -> Command[Any]:
    if checkpoint is Checkpoint.B:
        return Book(caller=ALICE, uuid=UUID, request=asked)
    if checkpoint is Checkpoint.P:
        return Propose(caller=ALICE, uuid=UUID, request=asked, version="v1")
    return quote(asked, checkpoint)


def answer(where: Situation, checkpoint: Checkpoint, asked: OrderRequest) -> Order:
    reply = command(checkpoint, asked).decide(where).reply
    assert isinstance(reply, Order)
    return reply


def errors_of(order: Order) -> list[list[str]]:
    return [[error.type for error in found.errors] for found in order.items]


@pytest.mark.spec("OB-BKBL-02", "OB-BKBL-03", "OB-BKBL-31")
@pytest.mark.parametrize(
    "family",
    [
        YOGA,
        slot(),
        slot(individual=False),
        event(),
        headline_event(),
        course(),
        event(parent=course()),
        on_demand_event(),
    ],
    ids=lambda family: family[-1].path,
)
def test_each_bookable_type_can_be_booked_and_its_parents_cannot(family: list[Opportunity]) -> None:
    assert errors_of(answer(situation(family), Checkpoint.C2, request(item(family)))) == [[]]
    without_offers = [replace(member, offers=()) for member in family]
    faulty = answer(situation(without_offers), Checkpoint.C2, request(item(family)))
    assert errors_of(faulty) == [[ItemErrorType.UNKNOWN_OFFER]]


@pytest.mark.spec("OB-BKBL-31")
@pytest.mark.parametrize("parent", [headline_event(), course()], ids=["headline event", "course"])
def test_an_event_does_not_inherit_the_offers_of_its_parent(parent: list[Opportunity]) -> None:
    part = event("part", parent=parent, offers=())
    faulty = answer(situation(part), Checkpoint.C1, request(item(part)))
    assert errors_of(faulty) == [[ItemErrorType.UNACCEPTABLE_OFFER]]


REQUEST_FAULTS: dict[str, tuple[dict[str, Any], type[OpenBookingError]]] = {
    "seller": ({"seller": None}, SellerNotFoundError),
    "other seller": ({"seller": STUDIO.key}, SellerMismatchError),
    "broker": ({"broker": {"@type": "Organization"}}, IncompleteBrokerDetailsError),
    "customer": ({"customer": {"@type": "Person"}}, IncompleteCustomerDetailsError),
}


@pytest.mark.spec("OB-VAL-07", "OB-CUST-03")
@pytest.mark.parametrize("name", ["email", "name"])
@pytest.mark.parametrize("value", [{"a": 1}, ["a@example.com"], 7, True, " "])
def test_details_of_a_customer_are_texts_except_the_address(name: str, value: Any) -> None:
    business = {"@type": "Organization", "email": "a@example.com", "name": "Acme", "address": ADDRESS}
    assert errors_of(answer(situation(YOGA), Checkpoint.C2, request(item(YOGA), customer=business))) == [[]]
    for customer in ({**business, name: value}, {"@type": "Person", "email": value}):
        with pytest.raises(IncompleteCustomerDetailsError):
            answer(situation(YOGA), Checkpoint.C2, request(item(YOGA), customer=customer))


@pytest.mark.spec("OB-VAL-10", "OB-VAL-44", "OB-VAL-45", "OB-C2-02")
@pytest.mark.parametrize("checkpoint", Checkpoint)
@pytest.mark.parametrize("what", REQUEST_FAULTS)
def test_an_error_of_the_request_is_raised_at_each_checkpoint_that_checks_it(what: str, checkpoint: Checkpoint) -> None:
    changes, expected = REQUEST_FAULTS[what]
    family = APPROVED if checkpoint is Checkpoint.P else YOGA
    where, asked = situation(family), request(item(family), **changes)
    if what == "customer" and checkpoint is Checkpoint.C1:
        assert not answer(where, checkpoint, asked).has_errors
        return
    with pytest.raises(expected):
        command(checkpoint, asked).decide(where)


@pytest.mark.spec("OB-VAL-43", "OB-VAL-44", "OB-VAL-45", "OB-C2-07")
@pytest.mark.parametrize("checkpoint", Checkpoint)
def test_availability_and_price_are_checked_at_each_checkpoint(checkpoint: Checkpoint) -> None:
    family = APPROVED if checkpoint is Checkpoint.P else YOGA
    asked = request(item(family))
    assert answer(situation(family), checkpoint, asked).totals.price == PRICE
    full = situation(family, spaces={PATH: Spaces(booked=10)})
    assert errors_of(answer(full, checkpoint, asked)) == [[ItemErrorType.OPPORTUNITY_IS_FULL]]
    dearer = [replace(family[0], offers=tuple(replace(o, price=Decimal(20)) for o in family[0].offers)), family[1]]
    asked = replace(asked, total_payment_due=Decimal(20))
    assert answer(situation(dearer), checkpoint, asked).totals.price == Decimal(20)


@pytest.mark.spec("OB-C1-08", "OB-C1-12", "OB-C2-02", "OB-VAL-44")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2, Checkpoint.B])
@pytest.mark.parametrize(
    ("family", "error"),
    [
        pytest.param(
            ATTENDED, ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS, id="attendee", marks=pytest.mark.spec("E-20")
        ),
        pytest.param(ASKED, ItemErrorType.INCOMPLETE_INTAKE_FORM, id="intake form", marks=pytest.mark.spec("E-22")),
    ],
)
def test_details_are_required_from_c2_on(
    checkpoint: Checkpoint, family: list[Opportunity], error: ItemErrorType
) -> None:
    order = answer(situation(family), checkpoint, request(item(family)))
    assert errors_of(order) == [[] if checkpoint is Checkpoint.C1 else [error]]
    (found,) = order.items
    assert found.offer == family[0].offers[0]


@pytest.mark.spec("OB-C2-08", "OB-B-16", "OB-B-20", "E-13")
def test_an_order_that_requires_approval_goes_to_p_and_not_to_b() -> None:
    where, asked = situation(APPROVED), request(item(APPROVED))
    assert answer(where, Checkpoint.C2, asked).requires_approval
    with pytest.raises(OrderCreationFailedError):
        command(Checkpoint.B, asked).decide(where)
    assert not answer(where, Checkpoint.P, asked).has_errors


@pytest.mark.spec("OB-LEASE-01", "OB-LEASE-03")
def test_spaces_are_leased_at_c2_by_default() -> None:
    leased = after(situation(YOGA, policy=Policy()), quote(request(item(YOGA)), Checkpoint.C2))
    assert leased.spaces[PATH] == Spaces(leased=1)
    off = after(situation(YOGA, policy=Policy(leasing=Leasing.OFF)), quote(request(item(YOGA)), Checkpoint.C2))
    assert off.spaces[PATH] == Spaces()


@pytest.mark.spec("OB-LEASE-02", "OB-LEASE-04", "OB-LEASE-16", "OB-ID-12")
def test_an_anonymous_lease_becomes_a_named_one_and_holds_no_more() -> None:
    anonymous = after(situation(YOGA), quote(request(item(YOGA), customer=None), Checkpoint.C1))
    assert anonymous.spaces[PATH] == Spaces(leased=1)
    named = after(anonymous, quote(request(item(YOGA)), Checkpoint.C2))
    assert named.spaces[PATH] == Spaces(leased=1)
    assert list(named.records) == [KEY]


@pytest.mark.spec("OB-LEASE-22", "OB-LEASE-08")
def test_a_lease_carries_over_to_the_proposal_and_lasts_as_long() -> None:
    policy = Policy(leasing=Leasing.NAMED, proposal_duration=timedelta(days=1))
    leased = after(situation(APPROVED, policy=policy), quote(request(item(APPROVED))))
    proposed = after(leased, command(Checkpoint.P, request(item(APPROVED))))
    record = proposed.records[KEY]
    assert record.kind is RecordKind.PROPOSAL
    assert proposed.spaces[PATH] == Spaces(leased=1)
    assert record.lease_expires == NOW + policy.proposal_duration
    assert record.lease_expires > NOW + policy.lease_duration


@pytest.mark.spec("OB-TAX-14", "OB-OF-07", "OB-B-22")
def test_a_booked_item_keeps_its_price_when_the_offer_changes() -> None:
    booked = after(situation(YOGA), command(Checkpoint.B, request(item(YOGA))))
    dearer = replace(YOGA[0], offers=tuple(replace(o, price=Decimal(20)) for o in YOGA[0].offers))
    changed = after(booked, Publish((dearer,), actor=MANAGER))
    assert changed.opportunities[SERIES].offers[0].price == Decimal(20)
    order = GetOrder(caller=ALICE, uuid=UUID).decide(changed).reply.order
    assert [found.offer.price for found in order.items if found.offer] == [PRICE]
    assert [charge.price for found in order.items for charge in found.tax] == [Decimal("2.00")]


@pytest.mark.spec("OB-DEL-08")
def test_deletion_is_no_cancellation() -> None:
    booked = after(situation(YOGA), command(Checkpoint.B, request(item(YOGA))))
    deleted = after(booked, DeleteOrder(caller=ALICE, uuid=UUID))
    assert deleted.records[KEY].states == ()
    assert not deleted.records[KEY].updated


@pytest.mark.spec("OB-BKBL-11", "OB-OF-08")
def test_a_cancelled_opportunity_is_cancelled_in_every_order() -> None:
    mine = after(situation(YOGA), command(Checkpoint.B, request(item(YOGA))))
    both = after(mine, Book(caller=BOB, uuid=UUID, request=request(item(YOGA))))
    off = after(both, Publish((replace(YOGA[1], status=EventStatus.CANCELLED),), actor=MANAGER))
    for record in off.records.values():
        assert [state.status for state in record.states] == [OrderItemStatus.SELLER_CANCELLED]
        assert record.updated
