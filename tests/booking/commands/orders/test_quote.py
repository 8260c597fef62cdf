"""C1 and C2: quotes and their errors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.model.order import Order, OrderKey
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.errors import (
    IncompleteBrokerDetailsError,
    IncompleteCustomerDetailsError,
    InvalidAuthorizationDetailsError,
    OrderAlreadyExistsError,
    SellerMismatchError,
    SellerNotFoundError,
)
from openbooking.openactive.ids import Identifiers, OfferRef
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import Availability, BrokerRole, EventStatus
from support.builders import NOW, UUID, after, item, offer, quote, request, session, situation, slot
from support.parties import ALICE, BOB, BROKER, CENTRE, CHARLIE, CUSTOMER, STUDIO

YOGA = session("yoga")
SPIN = session("spin")
COURT = slot("court")


def quoted(where: Situation, asked: OrderRequest, checkpoint: Checkpoint = Checkpoint.C2, uuid: str = UUID) -> Order:
    """The quote in the reply."""
    reply = quote(asked, checkpoint, uuid=uuid).decide(where).reply
    assert isinstance(reply, Order)
    return reply


def error_types(order: Order) -> list[list[ItemErrorType]]:
    """The classes of errors, by item."""
    return [[error.type for error in found.errors] for found in order.items]


@pytest.mark.spec("OB-C1-01", "OB-C1-04", "OB-C1-05", "OB-C2-01", "OB-C2-03", "OB-VAL-26")
def test_a_quote_prices_every_item() -> None:
    order = quoted(situation(YOGA, COURT), request(item(YOGA, 0), item(YOGA, 1), item(COURT, 2)))
    assert [found.position for found in order.items] == [0, 1, 2]
    assert [found.opportunity.path for found in order.items if found.opportunity] == [
        "scheduled-sessions/yoga",
        "scheduled-sessions/yoga",
        "slots/court",
    ]
    assert order.totals.price == Decimal("36.00")
    assert not order.has_errors


@pytest.mark.spec("OB-C1-03", "OB-C1-10", "OB-VAL-08")
def test_c1_needs_no_customer_and_reflects_none() -> None:
    policy = Policy(leasing=Leasing.OFF)
    decision = quote(request(item(YOGA), customer=None), Checkpoint.C1).decide(situation(YOGA, policy=policy))
    assert decision.changes == ()
    order = quoted(situation(YOGA), request(item(YOGA)), Checkpoint.C1)
    assert order.personal is not None
    assert order.personal.customer is None


@pytest.mark.spec("OB-C2-06", "OB-VAL-29")
def test_c2_reflects_the_customer_and_the_broker_of_this_call() -> None:
    order = quoted(situation(YOGA), request(item(YOGA)))
    assert order.personal is not None
    assert order.personal.customer == CUSTOMER
    assert order.broker == BROKER
    assert order.broker_role is BrokerRole.AGENT


@pytest.mark.spec("OB-VAL-02")
@pytest.mark.parametrize("seller", [None, "nobody"])
def test_the_error_for_an_unknown_seller_names_the_seller(seller: str | None) -> None:
    with pytest.raises(SellerNotFoundError, match="There is no Seller id:nobody"):
        quoted(situation(YOGA), request(item(YOGA), seller_id="id:nobody", seller=seller))


@pytest.mark.spec("OB-AUTH-14", "OB-AUTH-05")
def test_a_partner_cannot_act_for_a_seller_that_has_not_authorised_it() -> None:
    with pytest.raises(InvalidAuthorizationDetailsError):
        quote(request(item(YOGA)), caller=CHARLIE).decide(situation(YOGA))


@pytest.mark.spec("OB-VAL-03", "OB-VAL-04")
def test_items_of_two_sellers_do_not_mix() -> None:
    pilates = session("pilates", seller=STUDIO)
    with pytest.raises(SellerMismatchError):
        quoted(situation(YOGA, pilates), request(item(YOGA, 0), item(pilates, 1)))


@pytest.mark.spec("OB-VAL-06", "OB-ROLE-01", "OB-ROLE-03", "OB-ROLE-05")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
@pytest.mark.parametrize(
    ("role", "broker"),
    [
        (BrokerRole.AGENT, None),
        (BrokerRole.AGENT, {"@type": "Organization"}),
        (BrokerRole.AGENT, {"@type": "Organization", "name": " "}),
        (BrokerRole.AGENT, {"@type": "Person", "name": "Jo"}),
        (BrokerRole.RESELLER, None),
        (BrokerRole.NO_BROKER, BROKER),
    ],
)
def test_the_broker_must_fit_the_role(checkpoint: Checkpoint, role: BrokerRole, broker: dict[str, str] | None) -> None:
    with pytest.raises(IncompleteBrokerDetailsError):
        quoted(situation(YOGA), request(item(YOGA), broker_role=role, broker=broker), checkpoint)


@pytest.mark.spec("OB-VAL-07", "OB-ROLE-02", "OB-ROLE-06", "OB-CUST-01")
@pytest.mark.parametrize(
    "customer",
    [
        None,
        {"@type": "Person"},
        {"@type": "Person", "email": ""},
        {"@type": "Person", "email": 5},
        {"@type": "Organization", "email": "a@example.com", "name": "Club"},
        {"@type": "Thing", "email": "a@example.com"},
        {"email": "a@example.com"},
    ],
)
def test_the_customer_must_be_complete_at_c2(customer: dict[str, str] | None) -> None:
    with pytest.raises(IncompleteCustomerDetailsError):
        quoted(situation(YOGA), request(item(YOGA), customer=customer))


@pytest.mark.spec("OB-ROLE-04")
def test_a_reseller_may_omit_the_customer() -> None:
    order = quoted(situation(YOGA), request(item(YOGA), customer=None, broker_role=BrokerRole.RESELLER))
    assert not order.has_errors


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"opportunity_id": None, "opportunity": None},
            ItemErrorType.INCOMPLETE_ORDER_ITEM,
            marks=pytest.mark.spec("OB-VAL-13"),
        ),
        pytest.param(
            {"offer_id": None, "offer": None}, ItemErrorType.INCOMPLETE_ORDER_ITEM, marks=pytest.mark.spec("OB-VAL-13")
        ),
        pytest.param(
            {"opportunity": None}, ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID, marks=pytest.mark.spec("OB-VAL-14")
        ),
        pytest.param(
            {"offer": None}, ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID, marks=pytest.mark.spec("OB-VAL-14")
        ),
        pytest.param(
            {"opportunity": "scheduled-sessions/none"},
            ItemErrorType.UNKNOWN_OPPORTUNITY,
            marks=pytest.mark.spec("OB-VAL-15"),
        ),
        pytest.param(
            {"offer": OfferRef("session-series/series-yoga", "none")},
            ItemErrorType.UNKNOWN_OFFER,
            marks=pytest.mark.spec("OB-VAL-16"),
        ),
        pytest.param(
            {"offer": SPIN[0].offers[0].ref}, ItemErrorType.UNACCEPTABLE_OFFER, marks=pytest.mark.spec("OB-VAL-17")
        ),
    ],
)
@pytest.mark.spec("OB-VAL-09", "OB-VAL-11", "OB-C2-07")
def test_a_wrong_reference_is_an_error_of_its_item_only(changes: dict[str, object], expected: ItemErrorType) -> None:
    faulty: ItemRequest = replace(item(YOGA, 0), **changes)
    order = quoted(situation(YOGA, SPIN), request(faulty, item(SPIN, 1)))
    assert error_types(order) == [[expected], []]


TOMORROW = NOW + timedelta(days=1)
NOT_BOOKABLE: dict[str, dict[str, Any]] = {
    "ended": {"start": NOW - timedelta(hours=2), "end": NOW - timedelta(hours=1)},
    "cancelled": {"status": EventStatus.CANCELLED},
    "postponed": {"status": EventStatus.POSTPONED},
    "without capacity": {"capacity": None},
    "not in advance": {"offers": (offer("session-series/series-x", in_advance=Availability.UNAVAILABLE),)},
    "before the window": {"offers": (offer("session-series/series-x", valid_from_before_start=timedelta(days=1)),)},
    "before the Offer": {"offers": (offer("session-series/series-x", valid_from=NOW + timedelta(seconds=1)),)},
    "after the Offer": {"offers": (offer("session-series/series-x", valid_through=NOW),)},
    "for four at least": {"offers": (offer("session-series/series-x", min_quantity=4),)},
    "after the window": {"offers": (offer("session-series/series-x", valid_through_before_start=timedelta(days=3)),)},
}


@pytest.mark.spec(
    "OB-VAL-18", "OB-VAL-19", "OB-VAL-20", "OB-BKBL-06", "OB-BKBL-07", "OB-BKBL-10", "OB-BKBL-11", "OB-BKBL-41"
)
@pytest.mark.parametrize("checkpoint", Checkpoint)
@pytest.mark.parametrize("why", NOT_BOOKABLE)
def test_an_opportunity_that_fails_a_condition_is_not_bookable(why: str, checkpoint: Checkpoint) -> None:
    family = session("x", **NOT_BOOKABLE[why])
    asked = request(item(family))
    command = Book(caller=ALICE, uuid=UUID, request=asked) if checkpoint is Checkpoint.B else quote(asked, checkpoint)
    decision = command.decide(situation(family))
    assert isinstance(decision.reply, Order)
    assert error_types(decision.reply) == [[ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE]]
    assert decision.changes == ()


@pytest.mark.spec("OB-BKBL-10")
def test_a_started_opportunity_can_still_be_booked() -> None:
    family = session("x", start=NOW - timedelta(minutes=5), end=NOW + timedelta(minutes=55))
    assert not quoted(situation(family), request(item(family))).has_errors


@pytest.mark.spec("OB-BKBL-40")
def test_a_seller_can_close_its_open_booking() -> None:
    where = situation(YOGA)
    closed = replace(where.sellers["centre"], open_booking_allowed=False)
    order = quoted(replace(where, sellers={**where.sellers, "centre": closed}), request(item(YOGA)))
    assert error_types(order) == [[ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE]]


@pytest.mark.spec("OB-BKBL-02", "OB-BKBL-31")
def test_a_parent_cannot_be_booked_itself() -> None:
    order = quoted(situation(YOGA), request(item(YOGA[:1])))
    assert error_types(order) == [[ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE]]


@pytest.mark.spec("OB-BKBL-31")
def test_a_slot_has_only_its_own_offers() -> None:
    court = slot("court", offers=())
    facility = replace(court[0], offers=(offer(court[0].path),))
    order = quoted(situation([facility, *court[1:]]), request(item([facility, *court[1:]])))
    assert error_types(order) == [[ItemErrorType.UNACCEPTABLE_OFFER]]


@pytest.mark.spec("OB-BKBL-32")
def test_a_session_with_unknown_offers_of_its_own_does_not_inherit_those_of_its_series() -> None:
    own = session("own", offers_unknown=True)
    order = quoted(situation(own), request(item(own)))
    assert error_types(order) == [[ItemErrorType.UNACCEPTABLE_OFFER]]


@pytest.mark.spec("OB-VAL-21")
def test_a_sold_out_opportunity_is_full() -> None:
    order = quoted(situation(YOGA, spaces={YOGA[-1].path: Spaces(booked=10)}), request(item(YOGA)))
    assert error_types(order) == [[ItemErrorType.OPPORTUNITY_IS_FULL]]
    assert order.items[0].remaining == 0


@pytest.mark.parametrize("status", [EventStatus.CANCELLED, EventStatus.POSTPONED])
def test_a_slot_that_does_not_take_place_has_no_spaces_left_in_quotes_and_feed(status: EventStatus) -> None:
    hall = slot("hall", individual=False, capacity=5, status=status)
    order = quoted(situation(hall), request(item(hall)))
    assert error_types(order) == [[ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE]]
    assert order.items[0].remaining == 0
    feed = JsonLdFeedWriter(Writer(Identifiers("https://booking.example.com/api")))
    shown = msgspec.json.decode(feed.opportunity(hall[-1], Spaces(booked=1, leased=1), hall[:1], CENTRE))
    assert shown["remainingUses"] == 0


@pytest.mark.spec("OB-VAL-22")
def test_only_the_excess_lacks_capacity() -> None:
    where = situation(YOGA, spaces={YOGA[-1].path: Spaces(booked=8)})
    order = quoted(where, request(*(item(YOGA, position) for position in range(5))))
    assert error_types(order) == [[], [], *[[ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY]] * 3]


@pytest.mark.spec("OB-VAL-23", "OB-C1-06")
def test_excess_items_have_another_error_if_leases_hold_their_spaces() -> None:
    five = session("five", capacity=5)
    where = situation(five, spaces={five[-1].path: Spaces(leased=3)})
    order = quoted(where, request(*(item(five, position) for position in range(10))))
    reserved = [ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE]
    beyond = [ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY]
    assert error_types(order) == [[], [], *[reserved] * 3, *[beyond] * 5]
    assert {found.remaining for found in order.items} == {2}


@pytest.mark.spec("OB-LEASE-17")
def test_the_last_space_leased_to_another_partner_is_reserved_and_not_full() -> None:
    one = session("one", capacity=1)
    where = after(situation(one), quote(request(item(one)), caller=BOB))
    assert error_types(quoted(where, request(item(one)))) == [[ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE]]


@pytest.mark.spec("OB-VAL-40", "OB-VAL-24")
def test_two_currencies_are_in_conflict() -> None:
    euro = session("euro", offers=(offer("session-series/series-euro", currency="EUR"),))
    order = quoted(situation(YOGA, euro), request(item(YOGA, 0), item(euro, 1)))
    assert error_types(order) == [[], [ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT]]


@pytest.mark.spec("OB-VAL-12")
def test_items_with_errors_do_not_count_in_the_total() -> None:
    order = quoted(situation(YOGA, SPIN), request(replace(item(YOGA, 0), offer=None), item(SPIN, 1)))
    assert order.totals.price == Decimal("12.00")


@pytest.mark.spec("OB-DEL-05", "OB-ID-12", "OB-ID-15")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
def test_a_uuid_that_was_booked_or_deleted_is_not_quoted_again(checkpoint: Checkpoint) -> None:
    booked = after(situation(YOGA), Book(caller=ALICE, uuid=UUID, request=request(item(YOGA))))
    deleted = after(booked, DeleteOrder(caller=ALICE, uuid=UUID))
    for where in (booked, deleted):
        with pytest.raises(OrderAlreadyExistsError):
            quoted(where, request(item(YOGA)), checkpoint)


@pytest.mark.spec("OB-LEASE-01", "OB-LEASE-03")
def test_spaces_are_leased_at_c2_by_default() -> None:
    leased = after(situation(YOGA, policy=Policy()), quote(request(item(YOGA)), Checkpoint.C2))
    assert leased.spaces[YOGA[-1].path] == Spaces(leased=1)
    off = after(situation(YOGA, policy=Policy(leasing=Leasing.OFF)), quote(request(item(YOGA)), Checkpoint.C2))
    assert off.spaces[YOGA[-1].path] == Spaces()


@pytest.mark.spec("OB-LEASE-02", "OB-LEASE-04", "OB-LEASE-16", "OB-ID-12")
def test_an_anonymous_lease_becomes_a_named_one_and_holds_no_more() -> None:
    anonymous = after(situation(YOGA), quote(request(item(YOGA), customer=None), Checkpoint.C1))
    assert anonymous.spaces[YOGA[-1].path] == Spaces(leased=1)
    named = after(anonymous, quote(request(item(YOGA)), Checkpoint.C2))
    assert named.spaces[YOGA[-1].path] == Spaces(leased=1)
    assert list(named.records) == [OrderKey("alice", UUID)]


@pytest.mark.spec("OB-AUTH-14")
def test_a_partner_may_not_book_for_a_seller_that_has_not_authorised_it() -> None:
    with pytest.raises(InvalidAuthorizationDetailsError):
        quote(request(item(YOGA)), caller=CHARLIE).decide(situation(YOGA))


@pytest.mark.spec("OB-AUTH-14")
def test_the_quote_of_a_seller_that_has_revoked_its_authorisation_is_not_changed() -> None:
    pilates = session("pilates", seller=STUDIO)
    leased = after(situation(YOGA, pilates), quote(request(item(YOGA))))
    barred = replace(ALICE, sellers=None, barred=frozenset({"centre"}))
    elsewhere = request(item(pilates), seller=STUDIO.key, seller_id="id:studio")
    with pytest.raises(InvalidAuthorizationDetailsError):
        quote(elsewhere, caller=barred).decide(leased)
