"""The lines of an Order."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance, SellerCancel
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey, Payment
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import OrderRecord, QuoteRecord
from openbooking.booking.rules.orders.order_lines import (
    LineStatus,
    OrderLine,
    OrderStatus,
    currency_of,
    order_lines,
    order_status,
    value_of,
)
from openbooking.openactive.money import ZERO
from openbooking.openactive.terms import TaxMode
from openbooking.store.memory import MemoryStore
from openbooking.testing.samples import ALICE, MANAGER, SELLER, START, Clock, book, cancel, session, session_path
from openbooking.testing.store_case import UUID, feed_writer
from openbooking.testing.stores.views.view_case import exchange

KEY = OrderKey("alice", UUID)


def after(*commands: Command[Any], tax_mode: TaxMode = TaxMode.GROSS) -> OrderRecord:
    """The Order after these commands, each a minute after the one before."""

    async def run() -> OrderRecord:
        clock = Clock()
        store = MemoryStore(policy=Policy(), writer=feed_writer(), clock=clock)
        await store.execute(PublishSeller(replace(SELLER, tax_mode=tax_mode), actor=MANAGER))
        series, made = session("swim", 9)
        cheap = replace(series, offers=(replace(series.offers[0], price=Decimal("5.00")),))
        for family in (session("yoga", 9), (cheap, made), session("spin", 9), at_two("walk"), at_two("talk")):
            await store.execute(Publish(family, actor=MANAGER))
        for command in commands:
            await store.execute(command)
            clock.move(timedelta(minutes=1))
        record = await store.views.of(SELLER.key).order(KEY)
        assert isinstance(record, OrderRecord)
        return record

    return asyncio.run(run())


def at_two(key: str) -> tuple[Opportunity, Opportunity]:
    """A series at two pounds, and its session."""
    series, made = session(key, 9)
    return replace(series, offers=(replace(series.offers[0], price=Decimal("2.00")),)), made


def shown(lines: Sequence[OrderLine]) -> list[tuple[int, int, str, str, str]]:
    return [(line.number, line.quantity, line.status, str(line.price), str(line.refund)) for line in lines]


def test_equal_items_share_a_line() -> None:
    record = after(book(UUID, "yoga", "yoga", "yoga"))
    (line,) = order_lines(record)
    assert (line.number, line.quantity, line.opportunity) == (1, 3, session_path("yoga"))
    assert (line.price, line.tax, line.vat, line.rate) == (Decimal(12), Decimal(2), "standard", Decimal("0.2"))
    assert (line.sold_at, line.starts) == (START, START + timedelta(days=10))
    assert (order_status(record), value_of((line,)), currency_of((line,))) == (OrderStatus.BOOKED, Decimal(36), "GBP")


def test_cancelled_items_have_a_line_with_their_refund() -> None:
    record = after(
        book(UUID, "yoga", "yoga", "yoga"),
        cancel(UUID, 2),
        SellerCancel(order=KEY, numbers=frozenset({3}), actor=MANAGER),
    )
    lines = order_lines(record)
    assert shown(lines) == [
        (1, 1, LineStatus.SOLD, "12.00", "0.00"),
        (2, 1, LineStatus.CUSTOMER_CANCELLED, "12.00", "12.00"),
        (3, 1, LineStatus.SELLER_CANCELLED, "12.00", "12.00"),
    ]
    assert [line.ended_at for line in lines] == [None, START + timedelta(minutes=1), START + timedelta(minutes=2)]
    assert (order_status(record), value_of(lines)) == (OrderStatus.PARTLY_CANCELLED, Decimal(12))
    assert order_status(after(book(UUID, "yoga"), cancel(UUID, 1))) is OrderStatus.CANCELLED


def test_an_item_that_was_not_paid_in_advance_has_no_refund() -> None:
    record = after(book(UUID, "yoga"), cancel(UUID, 1))
    unpaid = replace(record, order=replace(record.order, payment=None))
    assert [line.refund for line in order_lines(unpaid)] == [0]


def test_a_replaced_item_ends_when_its_replacement_begins() -> None:
    record = after(book(UUID, "yoga", "yoga"), exchange(KEY, 1, "swim"), cancel(UUID, 1))
    before, now, other = order_lines(record)
    assert shown([before, now, other]) == [
        (1, 1, LineStatus.REPLACED, "12.00", "7.00"),
        (1, 1, LineStatus.CUSTOMER_CANCELLED, "5.00", "5.00"),
        (2, 1, LineStatus.SOLD, "12.00", "0.00"),
    ]
    exchanged = START + timedelta(minutes=1)
    assert (before.replaced, before.sold_at, before.ended_at) == (1, START, exchanged)
    assert (now.replaced, now.sold_at, now.ended_at) == (0, exchanged, START + timedelta(minutes=2))
    assert value_of((before, now, other)) == 12


def test_later_replacements_leave_earlier_lines_as_they_were() -> None:
    steps: list[Command[Any]] = [
        book(UUID, "yoga"),
        exchange(KEY, 1, "swim"),
        exchange(KEY, 1, "walk"),
        exchange(KEY, 1, "talk"),
    ]
    lines = [order_lines(after(*steps[:number])) for number in (2, 3, 4)]
    assert shown(lines[-1]) == [
        (1, 1, LineStatus.REPLACED, "12.00", "7.00"),
        (1, 1, LineStatus.REPLACED, "5.00", "3.00"),
        (1, 1, LineStatus.REPLACED, "2.00", "0.00"),
        (1, 1, LineStatus.SOLD, "2.00", "0.00"),
    ]
    assert [line.replaced for line in lines[-1]] == [1, 2, 3, 0]
    times = [START + timedelta(minutes=minute) for minute in range(4)]
    assert [(line.sold_at, line.ended_at) for line in lines[-1]] == [*pairwise([*times, None])]
    keys = [session_path(key) for key in ("yoga", "swim", "walk", "talk")]
    assert [line.opportunity for line in lines[-1]] == keys
    for fewer, more in pairwise(lines):
        assert more[: len(fewer) - 1] == fewer[:-1]
        assert (
            replace(more[len(fewer) - 1], replaced=0, status=LineStatus.SOLD, ended_at=None, refund=ZERO) == fewer[-1]
        )


def test_an_item_that_gets_its_first_opportunity_again_keeps_what_was_sold_in_between() -> None:
    record = after(book(UUID, "yoga"), exchange(KEY, 1, "spin"), exchange(KEY, 1, "yoga"), cancel(UUID, 1))
    assert [(line.opportunity, line.replaced, line.status) for line in order_lines(record)] == [
        (session_path("yoga"), 1, LineStatus.REPLACED),
        (session_path("spin"), 2, LineStatus.REPLACED),
        (session_path("yoga"), 0, LineStatus.CUSTOMER_CANCELLED),
    ]


def test_a_change_of_logistics_is_no_earlier_replacement() -> None:
    moved = ChangeLogistics(opportunity=session_path("yoga"), start=START + timedelta(days=9), actor=MANAGER)
    record = after(book(UUID, "yoga"), moved, exchange(KEY, 1, "swim"))
    assert [line.opportunity for line in order_lines(record)] == [session_path("yoga"), session_path("swim")]
    assert record.states[0].former == ()


@pytest.mark.parametrize(
    "command",
    [
        ChangeLogistics(opportunity=session_path("yoga"), start=START + timedelta(days=9), actor=MANAGER),
        RecordAttendance(order=KEY, numbers=None, attended=True, actor=MANAGER),
    ],
)
def test_a_change_of_logistics_ends_no_line(command: Command[Any]) -> None:
    (line,) = order_lines(after(book(UUID, "yoga"), command))
    assert (line.status, line.ended_at, line.sold_at) == (LineStatus.SOLD, None, START)


def test_tax_is_added_to_net_prices() -> None:
    request = book(UUID, "yoga")
    request = replace(request, request=replace(request.request, total_payment_due=Decimal("14.40")))
    (line,) = order_lines(after(request, tax_mode=TaxMode.NET))
    assert (line.price, line.tax) == (Decimal("14.40"), Decimal("2.40"))


def test_only_orders_have_lines() -> None:
    assert order_lines(None) == ()
    assert order_lines(QuoteRecord(partner="alice", uuid=UUID, seller="centre")) == ()
    assert Payment(identifier="payment-1") == after(book(UUID, "yoga")).payment
    assert ALICE.partner == KEY.partner
