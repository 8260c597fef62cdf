"""Tests of the views of sales and payments, to inherit."""

import asyncio
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.rules.orders.order_lines import LineStatus
from openbooking.booking.store import Store
from openbooking.booking.views import Amount, PartnerMonth, Sales, SalesGroup, SalesRow, StoreWithViews, VatRow
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, BOB, MANAGER, PRICE, SELLER, START, Clock, book, cancel, fresh, session
from openbooking.testing.stores.views.view_case import DAY, OTHER, ViewTestCase, exchange, read_all, views_of

_TAX = Decimal("2.00")


def _amount(count: int, price: Decimal | int = PRICE, tax: Decimal | int = _TAX) -> Amount:
    return Amount(count, count * Decimal(price), count * Decimal(tax))


def _due(count: int, price: Decimal | int = PRICE) -> Amount:
    return _amount(count, price, 0)


def _located(key: str, venue: str, price: Decimal = PRICE, **terms: object) -> tuple[Opportunity, Opportunity]:
    """Return a series with an activity and a location, and its session."""
    series, made = session(key, 30)
    offers = tuple(replace(offer, price=price, **terms) for offer in series.offers)
    properties = {"activity": [key.title()], "location": venue}
    return replace(series, offers=offers, properties=properties), made


@rule("Views")
class MoneyViewTests(ViewTestCase):
    """Part of `ViewTests`: what was sold, cancelled and paid."""

    async def trade(self, store: Store, clock: Clock) -> list[str]:
        """Book on the first day, cancel and delete on the second, and replace on the third; return the UUIDs."""
        await store.execute(Publish(_located("yoga", "Hall"), actor=MANAGER))
        await store.execute(Publish(_located("swim", "Pool", Decimal(5), vat=VatTreatment.EXEMPT), actor=MANAGER))
        kept, partly, gone, exchanged = uuids = [fresh() for _ in range(4)]
        await store.execute(book(kept, "yoga", "yoga", caller=BOB))
        for uuid, keys in ((partly, ("yoga", "yoga", "yoga")), (gone, ("yoga",)), (exchanged, ("yoga", "yoga"))):
            await store.execute(book(uuid, *keys))
        clock.move(DAY)
        await store.execute(cancel(partly, 2))
        await store.execute(SellerCancel(order=OrderKey("bob", kept), numbers=frozenset({1}), actor=MANAGER))
        await store.execute(DeleteOrder(caller=ALICE, uuid=gone))
        clock.move(DAY)
        await store.execute(exchange(OrderKey("alice", exchanged), 1, "swim"))
        return uuids

    def test_sales_count_on_the_day_of_the_booking_and_cancellations_on_their_own(self, tmp_path: Path) -> None:
        """A deleted Order counts as never sold. A replacement counts on its own day."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock) as store:
                await self.trade(store, clock)
                views, first = views_of(store), START.replace(hour=0)
                sales = await views.sales(first, first + 30 * DAY, SalesGroup.DAY, UTC)
                swim = Decimal(5)
                assert sales.rows == (
                    SalesRow(group="2027-03-01", currency="GBP", sold=_amount(7)),
                    SalesRow(group="2027-03-02", currency="GBP", cancelled=_amount(2), refund_due=_due(2)),
                    SalesRow(
                        group="2027-03-03",
                        currency="GBP",
                        sold=_amount(1, swim, 0),
                        cancelled=_amount(1),
                        refund_due=_due(1, PRICE - swim),
                    ),
                )
                assert sales.vat == (
                    VatRow(vat="exempt", rate=Decimal(0), currency="GBP", sold=_amount(1, swim, 0)),
                    VatRow(vat="standard", rate=Decimal("0.2"), currency="GBP", sold=_amount(7), cancelled=_amount(3)),
                )
                second = await views.sales(first + DAY, first + 2 * DAY, SalesGroup.DAY, UTC)
                assert second.rows == sales.rows[1:2]
                assert (await views.sales(first - DAY, START, SalesGroup.DAY, UTC)).rows == ()
                others = await views_of(store, OTHER.key).sales(first, first + DAY, SalesGroup.DAY, UTC)
                assert [row.sold.count for row in others.rows] == [1]

        asyncio.run(run())

    def test_sales_of_past_days_are_right_after_they_were_added_up(self, tmp_path: Path) -> None:
        """Also if an Order of such a day is deleted later."""

        async def run() -> None:
            clock, first = Clock(), START.replace(hour=0)
            async with self.with_two_sellers(tmp_path, clock) as store:
                *_, exchanged = await self.trade(store, clock)
                clock.move(2 * DAY)
                views, zone = views_of(store), ZoneInfo("Europe/London")

                async def sales() -> list[Sales]:
                    return [await views.sales(first, first + 30 * DAY, by, zone) for by in SalesGroup]

                async def add_up() -> None:
                    for _ in range(2):
                        await cast("StoreWithViews", store).views.add_up_past_days([SELLER.key, OTHER.key])
                        clock.move(timedelta(hours=2))

                for command in (cancel(exchanged, 2), DeleteOrder(caller=ALICE, uuid=exchanged)):
                    before = await sales()
                    await add_up()
                    assert await sales() == before
                    await store.execute(command)
                days = (await views.sales(first, first + 30 * DAY, SalesGroup.DAY, zone)).rows
                assert [(day.group, day.sold.count, day.cancelled.count) for day in days] == [
                    ("2027-03-01", 5, 0),
                    ("2027-03-02", 0, 2),
                ]
                before = await sales()
                await add_up()
                assert await sales() == before

        asyncio.run(run())

    def test_sales_are_grouped_by_month_partner_activity_and_venue(self, tmp_path: Path) -> None:
        """A replacement belongs to its own activity and venue."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock) as store:
                await self.trade(store, clock)
                first = START.replace(hour=0)
                found = {}
                for by in SalesGroup:
                    sales = await views_of(store).sales(first, first + 30 * DAY, by, UTC)
                    found[by] = {row.group: (row.sold.count, row.cancelled.count) for row in sales.rows}
                assert found[SalesGroup.MONTH] == {"2027-03": (8, 3)}
                assert found[SalesGroup.PARTNER] == {"alice": (6, 2), "bob": (2, 1)}
                assert found[SalesGroup.ACTIVITY] == {"Yoga": (7, 3), "Swim": (1, 0)}
                assert found[SalesGroup.VENUE] == {"Hall": (7, 3), "Pool": (1, 0)}

        asyncio.run(run())

    def test_days_and_months_are_those_of_the_time_zone(self, tmp_path: Path) -> None:
        """Also where it is not whole hours from UTC."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=9) as store:
                clock.time = START.replace(month=2, day=28, hour=18, minute=20)
                await store.execute(book(fresh(), "yoga"))
                clock.move(timedelta(minutes=20))
                await store.execute(book(fresh(), "yoga", caller=BOB))
                views, period = views_of(store), (clock() - DAY, clock() + DAY)
                kathmandu, london = ZoneInfo("Asia/Kathmandu"), ZoneInfo("Europe/London")
                for zone, days, months in (
                    (kathmandu, ["2027-03-01"], ["2027-03"]),
                    (london, ["2027-02-28"], ["2027-02"]),
                    (ZoneInfo("Asia/Kolkata"), ["2027-02-28", "2027-03-01"], ["2027-02", "2027-03"]),
                ):
                    sales = await views.sales(*period, SalesGroup.DAY, zone)
                    assert [row.group for row in sales.rows] == days
                    sales = await views.sales(*period, SalesGroup.MONTH, zone)
                    assert [row.group for row in sales.rows] == months
                    by_partner = await views.partners(*period, zone)
                    assert [row.month for row in by_partner] == [months[0], months[-1]]

        asyncio.run(run())

    def test_each_sale_and_cancellation_has_a_line(self, tmp_path: Path) -> None:
        """The lines add up to the sales. Equal items share a line."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock) as store:
                kept, partly, _, exchanged = await self.trade(store, clock)
                views = views_of(store)
                lines = await read_all(views.sales_lines, START, START + 30 * DAY)
                assert [line.at for line in lines] == sorted(line.at for line in lines)
                found = {
                    (moved.order.uuid, moved.is_sale, moved.line.status, moved.line.number): moved.line.quantity
                    for moved in lines
                }
                assert found == {
                    (kept, True, LineStatus.SELLER_CANCELLED, 1): 1,
                    (kept, False, LineStatus.SELLER_CANCELLED, 1): 1,
                    (kept, True, LineStatus.SOLD, 2): 1,
                    (partly, True, LineStatus.SOLD, 1): 2,
                    (partly, True, LineStatus.CUSTOMER_CANCELLED, 2): 1,
                    (partly, False, LineStatus.CUSTOMER_CANCELLED, 2): 1,
                    (exchanged, True, LineStatus.REPLACED, 1): 1,
                    (exchanged, False, LineStatus.REPLACED, 1): 1,
                    (exchanged, True, LineStatus.SOLD, 1): 1,
                    (exchanged, True, LineStatus.SOLD, 2): 1,
                }
                assert sum(moved.line.quantity for moved in lines if moved.is_sale) == 8
                assert len(await read_all(views.sales_lines, START + DAY, START + 2 * DAY)) == 2
                for partner in ("alice", "bob", "carol"):
                    of_partner = [moved for moved in lines if moved.order.partner == partner and not moved.is_sale]
                    assert await read_all(views.cancellations, partner, START, START + 30 * DAY, limit=1) == of_partner
                    second = await read_all(views.cancellations, partner, START + DAY, START + 2 * DAY)
                    assert second == [moved for moved in of_partner if moved.at < START + 2 * DAY]

        asyncio.run(run())

    def test_payments_are_listed_as_the_broker_stated_them(self, tmp_path: Path) -> None:
        """With what is due now, and what is to be refunded. An Order that was not paid in advance has none."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock) as store:
                kept, partly, _, exchanged = await self.trade(store, clock)
                await store.execute(
                    Publish(_located("door", "Hall", prepayment=Availability.UNAVAILABLE), actor=MANAGER)
                )
                unpaid = book(fresh(), "door")
                await store.execute(replace(unpaid, request=replace(unpaid.request, payment=None)))
                await store.execute(cancel(unpaid.uuid, 1))
                views = views_of(store)
                rows = {row.order.uuid: row for row in await read_all(views.payments, START, START + 30 * DAY)}
                assert {uuid: (row.booked, row.due, row.refund_due) for uuid, row in rows.items()} == {
                    kept: (2 * PRICE, PRICE, PRICE),
                    partly: (3 * PRICE, 2 * PRICE, PRICE),
                    exchanged: (2 * PRICE, PRICE + 5, PRICE - 5),
                }
                assert rows[kept].payment.identifier == "payment-1"
                assert (rows[kept].booked_at, rows[kept].currency) == (START, "GBP")
                assert await read_all(views.payments, START + timedelta(seconds=1), START + DAY) == []
                sales = await views.sales(START, START + 30 * DAY, SalesGroup.MONTH, UTC)
                assert [(row.cancelled.count, row.refund_due.count) for row in sales.rows] == [(4, 3)]

        asyncio.run(run())

    def test_the_orders_of_each_partner_are_added_up_by_month(self, tmp_path: Path) -> None:
        """Without cancelled items, and without deleted Orders."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock) as store:
                await self.trade(store, clock)
                views = views_of(store)
                assert await views.partners(START, START + 99 * DAY, UTC) == (
                    PartnerMonth(partner="alice", month="2027-03", currency="GBP", orders=2, value=3 * PRICE + 5),
                    PartnerMonth(partner="bob", month="2027-03", currency="GBP", orders=1, value=PRICE),
                )
                assert await views.partners(START + DAY, START + 99 * DAY, UTC) == ()

        asyncio.run(run())
