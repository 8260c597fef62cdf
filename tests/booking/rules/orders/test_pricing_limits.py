"""Prices and totals that cannot be paid are refused at C1, P, amendments and publishing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.model.errors import UnacceptableAmendmentError, UnpayableOfferError
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Order, OrderItem, OrderKey
from openbooking.booking.model.order_request import ItemRequest, OfferOverride, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy, TaxCalculation
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.pricing import Pricing, add_total_errors, can_be_paid, payable_offer
from openbooking.openactive.errors import UnacceptableReplacementError
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.money import PRICE_LIMIT
from openbooking.openactive.terms import BrokerRole, FlowRequirement, TaxMode
from support.builders import UUID, book, item, offer, propose, quote, request, session, situation
from support.parties import AGREED_ALICE, CENTRE, MANAGER, STUDIO
from support.proposals import NEGOTIATED, amend, having

PENNY = Decimal("0.01")
MOST = PRICE_LIMIT - PENNY
CONFLICT, UNACCEPTABLE, UNBOOKABLE = (
    ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT,
    ItemErrorType.UNACCEPTABLE_OFFER,
    ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE,
)
OVERRIDES = Policy(leasing=Leasing.OFF, offer_overrides=True)
YOGA, PILATES = session("yoga", capacity=1_000), session("pilates", seller=STUDIO)


def of(seller: Seller, *items: ItemRequest, **changes: Any) -> OrderRequest:
    return request(*items, **{"seller": seller.key, "seller_id": f"id:{seller.key}", **changes})


def c1(asked: OrderRequest) -> Command[Any]:
    return quote(asked, Checkpoint.C1, AGREED_ALICE)


def c2(asked: OrderRequest) -> Command[Any]:
    return quote(asked, Checkpoint.C2, AGREED_ALICE)


def b(asked: OrderRequest) -> Command[Any]:
    return book(asked, AGREED_ALICE)


def p(asked: OrderRequest) -> Command[Any]:
    return propose(asked, AGREED_ALICE)


AT_EVERY_CALL = pytest.mark.parametrize("call", [c1, c2, p, b])


def errors_of(where: Situation, command: Command[Any]) -> list[ItemErrorType | None]:
    decision = command.decide(where)
    assert isinstance(decision.reply, Order)
    assert not (decision.changes and decision.reply.has_errors)
    return [item.errors[0].type if item.errors else None for item in decision.reply.items]


def overridden(family: list[Opportunity], price: Decimal, position: int = 0) -> ItemRequest:
    override = OfferOverride(price=price, currency="GBP")
    return item(family, position, offer=None, offer_id=None, override=override)


@pytest.mark.spec("OB-VAL-44", "OB-VAL-45", "OB-VAL-24")
@AT_EVERY_CALL
def test_items_that_make_the_total_too_large_are_in_conflict(
    call: Callable[[OrderRequest], Command[Any]],
) -> None:
    """All other items have no error, and can be booked together."""
    large = PRICE_LIMIT - 5
    prices = [large, Decimal(4), Decimal(1), Decimal(0), Decimal("0.99")]
    asked = request(*(overridden(YOGA, price, position) for position, price in enumerate(prices)))
    assert errors_of(situation(YOGA, policy=OVERRIDES), call(asked)) == [None, None, CONFLICT, None, None]


@pytest.mark.spec("OB-VAL-44", "OB-VAL-45", "OB-VAL-12", "OB-B-06")
@AT_EVERY_CALL
def test_published_prices_with_too_large_a_total_are_refused(call: Callable[[OrderRequest], Command[Any]]) -> None:
    each = (PRICE_LIMIT / 400).quantize(PENNY)
    dear = session("dear", capacity=500, price=each)
    where = situation(dear, policy=Policy(leasing=Leasing.OFF))
    asked = request(*(item(dear, position) for position in range(500)))
    assert errors_of(where, call(asked)) == [None] * 399 + [CONFLICT] * 101
    reply = call(asked).decide(where).reply
    assert isinstance(reply, Order)
    assert reply.totals.price == 399 * each


@pytest.mark.spec("OB-VAL-44", "OB-VAL-45", "OB-TAX-02")
@pytest.mark.parametrize(
    ("seller", "calculation", "who", "error"),
    [
        (CENTRE, TaxCalculation.ALWAYS, {}, None),
        (STUDIO, TaxCalculation.ALWAYS, {}, UNACCEPTABLE),
        (STUDIO, TaxCalculation.CONSUMERS, {}, UNACCEPTABLE),
        (STUDIO, TaxCalculation.CONSUMERS, {"broker_role": BrokerRole.RESELLER}, None),
        (STUDIO, TaxCalculation.NEVER, {}, None),
    ],
)
@AT_EVERY_CALL
def test_a_price_that_tax_makes_too_large_is_refused(
    call: Callable[[OrderRequest], Command[Any]],
    seller: Seller,
    calculation: TaxCalculation,
    who: dict[str, Any],
    error: ItemErrorType | None,
) -> None:
    flow = (FlowRequirement.APPROVAL,) if call is p else ()
    family = session("yoga", seller=seller, offered={"flow": flow})
    where = situation(family, policy=replace(OVERRIDES, tax=calculation))
    asked = of(seller, overridden(family, MOST), total_payment_due=MOST, **who)
    assert errors_of(where, call(asked)) == [error]


@pytest.mark.spec("OB-VAL-18", "OB-VAL-44", "OB-VAL-45")
@pytest.mark.parametrize("price", ["1e12", "1e30", "-5", "0.001", "833333333333.34"])
@AT_EVERY_CALL
def test_a_stored_price_that_cannot_be_paid_is_refused(
    call: Callable[[OrderRequest], Command[Any]], price: str
) -> None:
    family = session("dear", seller=STUDIO, price=Decimal(price))
    assert errors_of(situation(family), call(of(STUDIO, item(family)))) == [UNBOOKABLE]


@pytest.mark.parametrize(
    ("seller", "changes", "sound"),
    [
        (CENTRE, {"price": MOST}, True),
        (STUDIO, {"price": MOST}, False),
        (CENTRE, {"price": PRICE_LIMIT}, False),
        (CENTRE, {"price": Decimal("1e40")}, False),
        (CENTRE, {"price": Decimal("Infinity")}, False),
        (CENTRE, {"price": Decimal("NaN")}, False),
        (CENTRE, {"price": Decimal("-0.01")}, False),
        (CENTRE, {"price": Decimal("0.005")}, False),
        (CENTRE, {"currency": None}, False),
        (CENTRE, {"price": Decimal(0), "currency": None}, True),
    ],
)
def test_an_offer_that_cannot_be_paid_is_not_published(seller: Seller, changes: dict[str, Any], sound: bool) -> None:
    family = session("dear", seller=seller)
    series = replace(family[0], offers=(replace(offer(family[0].path), **changes),))
    command = Publish((series, family[1]), actor=MANAGER)
    if sound:
        assert command.decide(situation()).changes
    else:
        with pytest.raises(UnpayableOfferError, match="cannot be paid"):
            command.decide(situation())


@pytest.mark.parametrize(
    ("prices", "sound"),
    [
        ({1: MOST - 12}, True),
        ({1: MOST - 12 + PENNY}, False),
        ({1: PRICE_LIMIT}, False),
        ({1: Decimal("1e40")}, False),
        ({1: PRICE_LIMIT / 2, 2: PRICE_LIMIT / 2}, False),
    ],
)
def test_a_proposal_is_not_amended_to_a_price_that_cannot_be_paid(prices: dict[int, Decimal], sound: bool) -> None:
    trip = session("trip", offered={"flow": NEGOTIATED})
    asked = request(item(trip, 0), item(trip, 1), total_payment_due=Decimal(24))
    proposed = having(situation(trip), propose(asked))
    if sound:
        assert amend(prices=prices).decide(proposed).changes
    else:
        with pytest.raises(UnacceptableAmendmentError):
            amend(prices=prices).decide(proposed)


@pytest.mark.spec("OB-SEL-07")
@pytest.mark.parametrize("price", ["-5", "0.001", "1e40"])
def test_an_offer_that_cannot_be_paid_is_no_replacement(price: str) -> None:
    odd = session("odd", price=Decimal(price))
    booked = having(situation(YOGA, odd), book(request(item(YOGA))))
    command = Replace(
        order=OrderKey("alice", UUID), number=1, opportunity=odd[-1].path, offer=odd[0].offers[0].ref, actor=MANAGER
    )
    with pytest.raises(UnacceptableReplacementError):
        command.decide(booked)


@pytest.mark.spec("OB-VAL-44", "OB-VAL-45")
@pytest.mark.parametrize(("override", "type_"), [(True, UNACCEPTABLE), (False, UNBOOKABLE)])
def test_the_broker_learns_that_a_price_cannot_be_paid(override: bool, type_: ItemErrorType) -> None:
    dear = offer(YOGA[0].path, price=PRICE_LIMIT, override=override)
    expected = ItemError(type=type_, description="The price with its tax cannot be paid.")
    assert payable_offer(dear, Pricing(TaxMode.GROSS)) == expected


def test_a_payable_offer_and_an_error_are_returned_unchanged() -> None:
    error = ItemError(type=UNBOOKABLE)
    assert payable_offer(error, Pricing(TaxMode.GROSS)) == error
    assert payable_offer(YOGA[0].offers[0], Pricing(TaxMode.NET)) == YOGA[0].offers[0]


@pytest.mark.parametrize(
    ("price", "mode", "paid"),
    [
        (PRICE_LIMIT / 2, TaxMode.NET, True),
        (MOST, TaxMode.GROSS, True),
        (MOST, TaxMode.NET, False),
        ((PRICE_LIMIT / Decimal("1.2")).quantize(PENNY) - PENNY, TaxMode.NET, True),
        ((PRICE_LIMIT / Decimal("1.2")).quantize(PENNY), TaxMode.NET, False),
    ],
)
def test_a_price_can_be_paid_if_it_is_below_the_limit_with_its_tax(price: Decimal, mode: TaxMode, paid: bool) -> None:
    assert can_be_paid(offer(YOGA[0].path, price=price), Pricing(mode)) is paid


def priced(*prices: Decimal | None) -> tuple[OrderItem, ...]:
    """An item of each price; None for an item without an Offer."""
    return tuple(
        OrderItem(number=number, offer=None if price is None else offer(YOGA[0].path, price=price))
        for number, price in enumerate(prices, 1)
    )


@pytest.mark.spec("OB-VAL-24")
def test_the_broker_learns_that_the_total_cannot_be_paid() -> None:
    *_, last = add_total_errors(priced(MOST, PENNY), Pricing(TaxMode.GROSS))
    assert last.errors == (ItemError(type=CONFLICT, description="The total would be too large to be paid."),)


@pytest.mark.spec("OB-VAL-24")
@pytest.mark.parametrize(
    ("prices", "conflicts"),
    [
        ((PRICE_LIMIT / 2, PRICE_LIMIT / 2 - PENNY), [False, False]),
        ((PRICE_LIMIT / 2, PRICE_LIMIT / 2), [False, True]),
        ((MOST, None, PENNY), [False, False, True]),
        ((None, MOST, Decimal(1), PENNY), [False, False, True, True]),
        ((None, None), [False, False]),
        ((), []),
    ],
)
def test_only_items_that_raise_the_total_to_the_limit_are_in_conflict(
    prices: tuple[Decimal | None, ...], conflicts: list[bool]
) -> None:
    items = priced(*prices)
    checked = add_total_errors(items, Pricing(TaxMode.GROSS))
    assert [bool(found.errors) for found in checked] == conflicts
    assert [replace(found, errors=()) for found in checked] == list(items)


def test_an_item_that_cannot_be_booked_does_not_raise_the_total() -> None:
    first, *others = priced(MOST, MOST)
    full = replace(first, errors=(ItemError(type=ItemErrorType.OPPORTUNITY_IS_FULL),))
    assert add_total_errors((full, *others), Pricing(TaxMode.GROSS)) == (full, *others)
