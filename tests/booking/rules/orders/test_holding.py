"""The terms that a Lease guarantees."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.opportunity import FormField, Offer, Opportunity
from openbooking.booking.model.order import (
    Lease,
    LeasedItem,
    LeasedTerms,
    Order,
    OrderItem,
    OrderKey,
    Payment,
)
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import HoldingBounds, Leasing, Policy
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import OpportunitySet, Situation, evolve
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.holding import lease_of, still_wanted_spaces
from openbooking.openactive.errors import OrderCreationFailedError
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import BrokerRole, FlowRequirement, FormFieldType, TaxTreatment
from support.builders import (
    NOW,
    UUID,
    after,
    changed,
    item,
    offer,
    propose,
    quote,
    request,
    session,
    situation,
)
from support.parties import ALICE, BROKER

CHEAP, RIGHT = Decimal("0.12"), Decimal("12.00")
YOGA = session("yoga", capacity=100, price=CHEAP)
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)
FREELY = Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(share=1.0))


def spaces(count: int, family: list[Opportunity] = YOGA) -> tuple[ItemRequest, ...]:
    return tuple(item(family, position) for position in range(count))


def order_of(reply: object) -> Order:
    assert isinstance(reply, Order)
    return reply


def prices(reply: object) -> list[Decimal]:
    return [found.offer.price for found in order_of(reply).items if found.offer]


def errors(reply: object) -> list[ItemErrorType | None]:
    return [next((error.type for error in found.errors), None) for found in order_of(reply).items]


def leased(count: int = 1, policy: Policy = FREELY) -> Situation:
    """Yoga with this number of spaces leased at the wrong price."""
    return after(situation(YOGA, policy=policy), quote(request(*spaces(count))))


def offering(where: Situation, *offers: Offer) -> Situation:
    """The situation after the Seller has replaced the Offers of yoga by these Offers."""
    return evolve(where, OpportunitySet(replace(YOGA[0], offers=offers)))


def corrected(where: Situation, **changes: Any) -> Situation:
    return offering(where, offer(YOGA[0].path, **{"price": RIGHT, **changes}))


@pytest.mark.spec("OB-LEASE-10")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
def test_a_quote_guarantees_the_leased_spaces_alone(checkpoint: Checkpoint) -> None:
    again = quote(request(*spaces(3)), checkpoint).decide(corrected(leased()))
    assert prices(again.reply) == [CHEAP, RIGHT, RIGHT]


@pytest.mark.spec("OB-LEASE-10", "OB-B-06")
def test_b_of_ninety_spaces_costs_the_leased_price_for_the_leased_space_only() -> None:
    asked = request(*spaces(90), total_payment_due=CHEAP + 89 * RIGHT)
    booked = Book(caller=ALICE, uuid=UUID, request=asked).decide(corrected(leased()))
    assert order_of(booked.reply).totals.price == CHEAP + 89 * RIGHT
    assert prices(booked.reply) == [CHEAP, *[RIGHT] * 89]


@pytest.mark.spec("OB-LEASE-10")
def test_the_leased_terms_go_to_the_first_items_by_position() -> None:
    asked = request(item(YOGA, 5), item(YOGA, 1), item(YOGA, 3))
    assert prices(quote(asked).decide(corrected(leased())).reply) == [RIGHT, CHEAP, RIGHT]


@pytest.mark.spec("OB-LEASE-10")
def test_terms_of_several_quotes_are_kept_apart() -> None:
    where = after(corrected(leased(2)), quote(request(*spaces(3))))
    dearest = corrected(where, price=Decimal("20.00"))
    assert prices(quote(request(*spaces(4))).decide(dearest).reply) == [CHEAP, CHEAP, RIGHT, Decimal("20.00")]


@pytest.mark.spec("OB-LEASE-10", "OB-VAL-16")
def test_a_withdrawn_offer_is_kept_for_the_leased_spaces_only() -> None:
    where = offering(leased(), offer(YOGA[0].path, "other", RIGHT))
    assert errors(quote(request(*spaces(2))).decide(where).reply) == [None, ItemErrorType.UNKNOWN_OFFER]
    one = Book(caller=ALICE, uuid=UUID, request=request(*spaces(1), total_payment_due=CHEAP)).decide(where)
    assert prices(one.reply) == [CHEAP]


@pytest.mark.spec("OB-LEASE-10", "OB-APP-01", "OB-APP-02")
def test_the_order_needs_approval_if_any_item_does() -> None:
    where = corrected(leased(), flow=(FlowRequirement.APPROVAL,))
    asked = request(*spaces(2), total_payment_due=CHEAP + RIGHT)
    assert order_of(quote(asked).decide(where).reply).requires_approval
    with pytest.raises(OrderCreationFailedError):
        Book(caller=ALICE, uuid=UUID, request=asked).decide(where)
    alone = request(*spaces(1), total_payment_due=CHEAP)
    assert not order_of(quote(alone).decide(where).reply).requires_approval
    assert prices(Book(caller=ALICE, uuid=UUID, request=alone).decide(where).reply) == [CHEAP]


FIELD = FormField(key="age", type=FormFieldType.SHORT_ANSWER, name="Age", description="Yours", required=True)
ASKED_BY_NOW: dict[str, tuple[dict[str, Any], ItemErrorType]] = {
    "attendee details": (
        {"attendee_details": ("https://schema.org/email",)},
        ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
    ),
    "an intake form": ({"intake_form": (FIELD,)}, ItemErrorType.INCOMPLETE_INTAKE_FORM),
    "a booking window that has closed": (
        {"valid_through_before_start": timedelta(days=30)},
        ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE,
    ),
}


@pytest.mark.spec("OB-LEASE-10", "OB-CUST-14", "OB-FORM-09", "OB-BKBL-41")
@pytest.mark.parametrize("what", ASKED_BY_NOW)
@pytest.mark.parametrize("checkpoint", [Checkpoint.C2, Checkpoint.B])
def test_new_requirements_apply_to_all_spaces_that_are_not_leased(what: str, checkpoint: Checkpoint) -> None:
    change, error = ASKED_BY_NOW[what]
    where = corrected(leased(), **change)
    asked = request(*spaces(3))
    command = Book(caller=ALICE, uuid=UUID, request=asked) if checkpoint is Checkpoint.B else quote(asked)
    assert errors(command.decide(where).reply) == [None, error, error]


@pytest.mark.spec("OB-LEASE-10")
def test_an_ended_offer_is_kept_for_the_leased_spaces_only() -> None:
    early_bird = session("early", capacity=100, price=CHEAP, offered={"valid_through": NOW + timedelta(minutes=5)})
    held = after(situation(early_bird, policy=FREELY), quote(request(item(early_bird, 0))))
    late = replace(held, now=NOW + timedelta(minutes=5))
    ended = ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE
    assert errors(quote(request(*spaces(2, early_bird))).decide(late).reply) == [None, ended]
    one = Book(caller=ALICE, uuid=UUID, request=request(*spaces(1, early_bird), total_payment_due=CHEAP))
    assert prices(one.decide(late).reply) == [CHEAP]
    late = replace(held, now=NOW + FREELY.lease_duration)
    assert errors(one.decide(late).reply) == [ended]


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-22")
def test_p_takes_the_leased_terms_for_the_leased_spaces_alone() -> None:
    approved = session("approved", capacity=100, price=CHEAP, offered={"flow": (FlowRequirement.APPROVAL,)})
    held = after(situation(approved, policy=FREELY), quote(request(item(approved, 0))))
    dearer = offer(approved[0].path, price=RIGHT, flow=(FlowRequirement.APPROVAL,))
    where = evolve(held, OpportunitySet(replace(approved[0], offers=(dearer,))))
    asked = request(*spaces(2, approved), total_payment_due=CHEAP + RIGHT)
    assert prices(propose(asked).decide(where).reply) == [CHEAP, RIGHT]


@pytest.mark.spec("OB-LEASE-10")
def test_renewals_keep_the_terms_for_a_set_time() -> None:
    policy = replace(FREELY, guarantee_duration=timedelta(minutes=20))
    renewed = after(
        replace(corrected(leased(policy=policy)), now=NOW + timedelta(minutes=10)), quote(request(*spaces(1)))
    )
    late = replace(renewed, now=NOW + timedelta(minutes=20))
    assert prices(quote(request(*spaces(1))).decide(late).reply) == [RIGHT]
    booked = Book(caller=ALICE, uuid=UUID, request=request(*spaces(1), total_payment_due=CHEAP)).decide(late)
    assert prices(booked.reply) == [CHEAP]


@pytest.mark.spec("OB-LEASE-10")
def test_a_lease_of_one_offer_guarantees_nothing_of_another() -> None:
    concession = offer(YOGA[0].path, "concession", Decimal("1.00"))
    adult = offer(YOGA[0].path, price=CHEAP)
    held = after(offering(situation(YOGA, policy=FREELY), adult, concession), quote(request(*spaces(1))))
    where = offering(held, replace(adult, price=RIGHT), replace(concession, price=Decimal("6.00")))
    other = replace(item(YOGA, 0), offer=concession.ref)
    assert prices(quote(request(other)).decide(where).reply) == [Decimal("6.00")]


@pytest.mark.spec("OB-OST-02", "OB-LEASE-10")
def test_order_status_shows_the_current_opportunity_and_the_leased_offer() -> None:
    renamed = replace(YOGA[0], properties={**YOGA[0].properties, "name": "Hot yoga"})
    where = evolve(corrected(leased(2)), OpportunitySet(replace(renamed, offers=(offer(YOGA[0].path, price=RIGHT),))))
    shown = GetOrder(caller=ALICE, uuid=UUID).decide(where).reply
    assert isinstance(shown, Record)
    assert shown.order is not None
    assert shown.order.totals.price == 2 * CHEAP
    assert [found.parents[0].properties["name"] for found in shown.order.items] == ["Hot yoga"] * 2
    assert {found.remaining for found in shown.order.items} == {100}
    assert shown.order.lease_expires == NOW + FREELY.lease_duration


def test_a_lease_is_smaller_than_its_request() -> None:
    """The size does not depend on the published properties."""
    long = replace(YOGA[0], properties={**YOGA[0].properties, "description": "x" * 50_000})
    family = [long, YOGA[1]]
    asked: OrderRequest = request(*spaces(100, family))
    where = after(situation(family, policy=FREELY), quote(asked))
    stored = msgspec.json.encode(where.records[KEY])
    assert len(stored) < len(msgspec.json.encode(asked))


@pytest.mark.spec("OB-LEASE-10")
def test_terms_stay_with_their_positions_in_any_order_of_the_request() -> None:
    asked = request(item(YOGA, 1), item(YOGA, 0))
    first = quote(asked).decide(corrected(leased()))
    again = quote(asked).decide(changed(corrected(leased()), first))
    assert prices(first.reply) == prices(again.reply) == [RIGHT, CHEAP]


CONCESSION = offer(YOGA[0].path, "concession", Decimal(5))
TWO_OFFERS = [replace(YOGA[0], offers=(offer(YOGA[0].path, price=CHEAP), CONCESSION)), YOGA[1]]


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-12")
@pytest.mark.parametrize(
    ("policy", "checkpoint", "others"),
    [(Policy(), Checkpoint.C1, 1), (Policy(leasing=Leasing.ANONYMOUS), Checkpoint.C2, 60)],
    ids=["named", "beyond a bound"],
)
def test_a_reduced_lease_keeps_the_terms_of_its_spaces(policy: Policy, checkpoint: Checkpoint, others: int) -> None:
    where = after(situation(TWO_OFFERS, policy=policy), quote(request(item(TWO_OFFERS, 0))))
    cheaper = (replace(item(TWO_OFFERS, position), offer=CONCESSION.ref) for position in range(others))
    where = after(where, quote(request(*cheaper, item(TWO_OFFERS, others)), checkpoint))
    where = corrected(where)
    bought = Book(caller=ALICE, uuid=UUID, request=request(item(TWO_OFFERS, 0), total_payment_due=CHEAP)).decide(where)
    assert prices(bought.reply) == [CHEAP]


Reference = tuple[str, str]
ADULT, CHILD, ELSEWHERE = (PATH, "adult"), (PATH, "child"), ("scheduled-sessions/other", "adult")


def lease_for(*references: Reference) -> Lease:
    """A Lease of a space for each of these paths and keys of Offers."""
    terms = tuple(LeasedTerms(offer=offer(YOGA[0].path, key), since=NOW) for key in ("adult", "child"))
    index = {"adult": 0, "child": 1}
    items = tuple(LeasedItem(path, index[key]) for path, key in references)
    return Lease(since=NOW, items=items, terms=terms, broker_role=BrokerRole.AGENT)


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-12")
@pytest.mark.parametrize(
    ("leased_for", "wanted", "kept"),
    [
        ([ADULT, CHILD], [CHILD], [CHILD]),
        ([ADULT, CHILD], [ADULT], [ADULT]),
        ([ADULT], [CHILD], [ADULT]),
        ([ADULT, ADULT], [ADULT], [ADULT]),
        ([CHILD, CHILD, ADULT], [CHILD, ADULT], [CHILD, ADULT]),
        ([ADULT, CHILD, CHILD], [CHILD, CHILD], [CHILD, CHILD]),
        ([ADULT, CHILD], [CHILD, CHILD], [ADULT, CHILD]),
        ([ADULT], [ELSEWHERE], []),
        ([ELSEWHERE, ADULT], [ADULT], [ADULT]),
        ([ADULT], [], []),
    ],
    ids=str,
)
def test_leased_spaces_match_items_by_offer_before_they_match_by_opportunity(
    leased_for: list[Reference], wanted: list[Reference], kept: list[Reference]
) -> None:
    items = [
        OrderItem(number=number, opportunity=replace(YOGA[1], path=path), offer=offer(YOGA[0].path, key))
        for number, (path, key) in enumerate(wanted, 1)
    ]
    assert still_wanted_spaces(lease_for(*leased_for), items) == lease_for(*kept).items


def test_an_item_without_an_offer_keeps_no_leased_space() -> None:
    bare = (OrderItem(number=1, opportunity=YOGA[1]), OrderItem(number=2, offer=YOGA[0].offers[0]), OrderItem(number=3))
    assert still_wanted_spaces(lease_for(ADULT), bare) == ()


def quoted_order(**changes: Any) -> Order:
    return replace(order_of(quote(request(*spaces(3))).decide(situation(YOGA, policy=FREELY)).reply), **changes)


@pytest.mark.spec("OB-LEASE-10", "OB-OST-02")
def test_a_lease_keeps_broker_payment_and_tax_of_its_quote() -> None:
    payment = Payment(name="Points")
    order = quoted_order(payment=payment, tax=TaxTreatment.EXCLUDED, broker_role=BrokerRole.RESELLER)
    lease = lease_of(order, {}, NOW - timedelta(minutes=1), NOW)
    assert (lease.broker_role, lease.broker, lease.payment) == (BrokerRole.RESELLER, BROKER, payment)
    assert (lease.tax, lease.since) == (TaxTreatment.EXCLUDED, NOW - timedelta(minutes=1))


@pytest.mark.spec("OB-LEASE-10")
def test_spaces_with_the_same_terms_share_them_in_the_lease() -> None:
    lease = lease_of(quoted_order(), {}, NOW, NOW)
    assert lease.items == (LeasedItem(PATH, 0),) * 3
    assert lease.terms == (LeasedTerms(offer=YOGA[0].offers[0], since=NOW),)


@pytest.mark.spec("OB-LEASE-10")
def test_guaranteed_terms_stay_beside_current_ones_in_the_lease() -> None:
    older = LeasedTerms(offer=offer(YOGA[0].path, price=RIGHT), since=NOW - timedelta(minutes=5))
    lease = lease_of(quoted_order(), {2: older}, NOW, NOW)
    current = LeasedTerms(offer=YOGA[0].offers[0], since=NOW)
    assert [lease.terms_of(leased_item) for leased_item in lease.items] == [current, older, current]
    assert len(lease.terms) == 2


@pytest.mark.spec("OB-LEASE-10")
def test_an_offer_that_was_changed_and_leased_at_the_same_time_has_terms_of_its_own() -> None:
    dearer = LeasedTerms(offer=offer(YOGA[0].path, price=RIGHT), since=NOW)
    lease = lease_of(quoted_order(), {3: dearer}, NOW, NOW)
    assert [lease.terms_of(leased_item).offer.price for leased_item in lease.items] == [CHEAP, CHEAP, RIGHT]


@pytest.mark.parametrize("lacking", ["opportunity", "offer"])
def test_an_item_that_lacks_opportunity_or_offer_is_not_leased_and_the_others_are(lacking: str) -> None:
    order = quoted_order()
    first, *others = order.items
    lease = lease_of(replace(order, items=(replace(first, **{lacking: None}), *others)), {}, NOW, NOW)
    assert len(lease.items) == 2


def test_a_lease_has_its_items_in_the_order_of_positions() -> None:
    order = quoted_order()
    positions = (2, None, 1)
    items = tuple(
        replace(found, position=position, opportunity=replace(YOGA[1], path=f"slots/{position}"))
        for found, position in zip(order.items, positions, strict=True)
    )
    lease = lease_of(replace(order, items=items), {}, NOW, NOW)
    assert [found.opportunity for found in lease.items] == ["slots/None", "slots/1", "slots/2"]
