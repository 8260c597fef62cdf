"""The dry run of C1, C2, P and B: what they have in common, and their differences."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.model.opportunity import FormField, Opportunity, SaleState
from openbooking.booking.model.order import Order, OrderKey, PersonalData
from openbooking.booking.model.order_request import IntakeAnswer, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.dry_run import Checkpoint, order_needs, personal_data
from openbooking.openactive.errors import (
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
    OpenBookingError,
    OrderCreationFailedError,
    SellerMismatchError,
    SellerNotFoundError,
)
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.terms import (
    Availability,
    BrokerRole,
    FlowRequirement,
    FormFieldType,
    OrderType,
)
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
from support.parties import ALICE, BROKER, CUSTOMER, STUDIO

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


REQUEST_FAULTS: dict[str, tuple[dict[str, Any], type[OpenBookingError]]] = {
    "seller": ({"seller": None}, SellerNotFoundError),
    "other seller": ({"seller": STUDIO.key}, SellerMismatchError),
    "broker": ({"broker": {"@type": "Organization"}}, IncompleteBrokerDetailsError),
    "customer": ({"customer": {"@type": "Person"}}, IncompleteCustomerDetailsError),
}


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


@pytest.mark.parametrize(
    ("asked", "paths", "owners", "sellers"),
    [
        (request(item(YOGA), item(slot("c1"))), {PATH, "slots/c1"}, {SERIES, "slots/c1"}, {"centre"}),
        (request(item(YOGA, opportunity=None)), set(), {SERIES}, {"centre"}),
        (request(item(YOGA, offer=None)), {PATH}, set(), {"centre"}),
        (request(item(YOGA), seller=None), {PATH}, {SERIES}, set()),
    ],
    ids=["two items", "no such Opportunity", "no such Offer", "no such Seller"],
)
def test_the_dry_run_needs_the_seller_and_the_opportunities_and_owners_of_the_offers(
    asked: OrderRequest, paths: set[str], owners: set[str], sellers: set[str]
) -> None:
    needs = order_needs(Needs(records=frozenset({KEY})), asked)
    assert needs == Needs(
        records=frozenset({KEY}),
        opportunities=frozenset(paths),
        lookups=frozenset(owners),
        sellers=frozenset(sellers),
    )


ITEM_FAULTS: dict[str, tuple[dict[str, Any], ItemErrorType, str | None]] = {
    "no Opportunity": (
        {"opportunity_id": None, "opportunity": None},
        ItemErrorType.INCOMPLETE_ORDER_ITEM,
        "The OrderItem has no orderedItem.",
    ),
    "no Offer": (
        {"offer_id": None, "offer": None},
        ItemErrorType.INCOMPLETE_ORDER_ITEM,
        "The OrderItem has no valid acceptedOffer.",
    ),
    "an id of another system": (
        {"opportunity_id": "https://other.example/1", "opportunity": None},
        ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID,
        "https://other.example/1 names no Opportunity.",
    ),
    "an unknown Opportunity": (
        {"opportunity_id": "id:gone", "opportunity": "scheduled-sessions/gone"},
        ItemErrorType.UNKNOWN_OPPORTUNITY,
        "There is no Opportunity id:gone.",
    ),
    "a parent": (
        {"opportunity": SERIES},
        ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE,
        "A SessionSeries cannot be booked itself.",
    ),
}


@pytest.mark.spec("OB-VAL-13", "OB-VAL-14", "OB-VAL-15")
@pytest.mark.parametrize("fault", ITEM_FAULTS)
def test_the_broker_learns_what_is_wrong_with_an_item(fault: str) -> None:
    changes, type_, description = ITEM_FAULTS[fault]
    (found,) = answer(situation(YOGA), Checkpoint.C2, request(item(YOGA, **changes))).items
    assert found.errors == (ItemError(type=type_, description=description),)


@pytest.mark.parametrize("checkpoint", Checkpoint)
def test_the_reply_has_the_type_of_its_checkpoint(checkpoint: Checkpoint) -> None:
    family = APPROVED if checkpoint is Checkpoint.P else YOGA
    expected = {Checkpoint.P: OrderType.PROPOSAL, Checkpoint.B: OrderType.ORDER}.get(checkpoint, OrderType.QUOTE)
    assert checkpoint.order_type is expected
    assert answer(situation(family), checkpoint, request(item(family))).type is expected


def test_an_item_repeats_position_and_ids_of_the_request() -> None:
    asked = request(item(YOGA, 7, opportunity_id="id:one", offer_id="id:two"), item(YOGA, 3))
    first, second = answer(situation(YOGA), Checkpoint.C2, asked).items
    assert (first.number, first.position, first.opportunity_id, first.offer_id) == (1, 7, "id:one", "id:two")
    assert (second.number, second.position) == (2, 3)


def test_an_item_shows_opportunity_and_parents_without_their_offers() -> None:
    family = slot("c2")
    (found,) = answer(situation(family), Checkpoint.C2, request(item(family))).items
    assert found.opportunity == replace(family[2], offers=())
    assert found.parents == (family[1], family[0])
    (of_series,) = answer(situation(YOGA), Checkpoint.C2, request(item(YOGA))).items
    assert of_series.parents == (replace(YOGA[0], offers=()),)


@pytest.mark.parametrize("capacity", [3, None])
def test_an_item_shows_the_spaces_that_are_left(capacity: int | None) -> None:
    family = session("yoga", capacity=capacity)
    where = situation(family, spaces={PATH: Spaces(booked=1)})
    (found,) = answer(where, Checkpoint.C1, request(item(family))).items
    assert found.remaining == (None if capacity is None else 2)


def test_an_opportunity_without_sold_spaces_has_all_spaces_left() -> None:
    where = replace(situation(YOGA), spaces={})
    (found,) = answer(where, Checkpoint.C1, request(item(YOGA))).items
    assert found.remaining == 10


@pytest.mark.spec("OB-VAL-17", "OB-VAL-19")
def test_an_item_with_another_error_takes_no_space() -> None:
    family = session("yoga", capacity=1)
    asked = request(item(family, 0, offer=OfferRef(SERIES, "none")), item(family, 1), item(family, 2))
    order = answer(situation(family), Checkpoint.C2, asked)
    assert errors_of(order) == [
        [ItemErrorType.UNKNOWN_OFFER],
        [],
        [ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY],
    ]
    assert [found.remaining for found in order.items] == [1, 1, 1]
    assert order.items[2].errors == (ItemError(type=ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY),)


@pytest.mark.spec("OB-LEASE-04")
def test_the_spaces_that_a_quote_holds_are_left_for_it() -> None:
    family = session("yoga", capacity=2)
    asked = request(item(family, 0), item(family, 1))
    leased = after(situation(family), quote(asked))
    assert leased.spaces[PATH] == Spaces(leased=2)
    order = answer(leased, Checkpoint.C2, asked)
    assert (errors_of(order), [found.remaining for found in order.items]) == ([[], []], [2, 2])


@pytest.mark.spec("OB-VAL-19")
def test_a_request_for_more_than_the_capacity_is_not_refused_because_of_its_own_lease() -> None:
    """The lease of the quote itself reserves no space against the quote."""
    family = session("yoga", capacity=2)
    leased = after(situation(family), quote(request(item(family))))
    order = answer(leased, Checkpoint.C2, request(*(item(family, position) for position in range(3))))
    assert errors_of(order) == [[], [], [ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY]]


FOR_THREE = with_offer(min_quantity=3)


def test_an_item_of_too_few_spaces_has_the_reason() -> None:
    asked = request(item(FOR_THREE, 0), item(FOR_THREE, 1))
    reason = "The Offer is for 3 spaces or more of one Opportunity in one Order, not 2."
    error = ItemError(type=ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE, description=reason)
    assert [found.errors for found in answer(situation(FOR_THREE), Checkpoint.C2, asked).items] == [(error,), (error,)]


def test_an_item_of_too_few_spaces_keeps_an_earlier_error() -> None:
    unpublished = [replace(member, sale=SaleState.UNPUBLISHED) for member in FOR_THREE]
    (found,) = answer(situation(unpublished), Checkpoint.C2, request(item(unpublished))).items
    assert [error.description for error in found.errors] == ["The Opportunity is not on sale."]


def priced(key: str, currency: str | None, price: Decimal = PRICE, **changes: Any) -> list[Opportunity]:
    return session(key, offered={"price": price, "currency": currency, **changes})


@pytest.mark.spec("OB-VAL-40")
def test_items_in_another_currency_than_the_first_are_in_conflict() -> None:
    families = [
        priced("free", None, Decimal(0)),
        priced("pounds", "GBP"),
        priced("euros", "EUR"),
        priced("more", "GBP"),
    ]
    asked = request(*(item(family, position) for position, family in enumerate(families)))
    order = answer(situation(*families), Checkpoint.C2, asked)
    conflict = ItemError(type=ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, description="Not priced in GBP.")
    assert [found.errors for found in order.items] == [(), (), (conflict,), ()]


@pytest.mark.spec("OB-VAL-40")
def test_an_item_that_cannot_be_booked_keeps_its_error_in_another_currency() -> None:
    families = [priced("pounds", "GBP"), session("full", capacity=0, offered={"currency": "EUR"})]
    asked = request(*(item(family, position) for position, family in enumerate(families)))
    order = answer(situation(*families), Checkpoint.C2, asked)
    assert errors_of(order) == [[], [ItemErrorType.OPPORTUNITY_IS_FULL]]


@pytest.mark.spec("OB-PREP-09")
def test_the_broker_learns_that_prepayment_is_in_conflict() -> None:
    families = [
        priced("must", "GBP", prepayment=Availability.REQUIRED),
        priced("cannot", "GBP", prepayment=Availability.UNAVAILABLE),
        session("full", capacity=0),
    ]
    asked = request(*(item(family, position) for position, family in enumerate(families)))
    order = answer(situation(*families), Checkpoint.C2, asked)
    reason = "Items that require prepayment and items that do not allow it cannot be booked together."
    conflict = ItemError(type=ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, description=reason)
    assert [found.errors for found in order.items[:2]] == [(conflict,), (conflict,)]
    assert errors_of(order)[2] == [ItemErrorType.OPPORTUNITY_IS_FULL]


@pytest.mark.spec("OB-C1-10")
def test_c1_alone_keeps_customer_and_answers_out_of_the_order() -> None:
    reply = IntakeAnswer(sent={"value": "30"})
    person = {"@type": "Person", "givenName": "Ann"}
    asked = request(item(YOGA, 0), item(YOGA, 1, attendee=person, intake_answers=(reply,)))
    assert personal_data(asked, Checkpoint.C1) == PersonalData(attendees={2: person})
    assert personal_data(asked, Checkpoint.C2) == PersonalData(
        customer=CUSTOMER, attendees={2: person}, intake_answers={2: ({"value": "30"},)}
    )
    assert answer(situation(YOGA), Checkpoint.C2, asked).personal == personal_data(asked, Checkpoint.C2)


def test_an_item_without_an_offer_counts_in_no_total() -> None:
    asked = request(item(YOGA, 0), item(YOGA, 1, offer=OfferRef(SERIES, "none")))
    order = answer(situation(YOGA), Checkpoint.C2, asked)
    assert (order.totals.price, len(order.totals.tax)) == (PRICE, 1)
    assert order.broker == BROKER


@pytest.mark.spec("OB-ID-12")
def test_the_reply_has_the_uuid_and_the_role_of_the_broker() -> None:
    order = answer(situation(YOGA), Checkpoint.C2, request(item(YOGA), broker_role=BrokerRole.RESELLER))
    assert (order.uuid, order.broker_role, order.broker) == (UUID, BrokerRole.RESELLER, BROKER)
