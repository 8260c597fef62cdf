"""Tests of the views of a store, to inherit."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.order import OrderKey, Partnership
from openbooking.booking.model.record import DeletedRecord, OrderRecord, ProposalRecord
from openbooking.booking.rules.orders.order_lines import OrderStatus
from openbooking.booking.store import Store
from openbooking.booking.views import InvalidCursorError, OrderQuery, Page
from openbooking.testing.rules import rule
from openbooking.testing.samples import (
    ALICE,
    BOB,
    MANAGER,
    PRICE,
    SELLER,
    START,
    Clock,
    book,
    cancel,
    fresh,
    quote,
    session,
    session_path,
)
from openbooking.testing.stores.proposal_tests import approved_session, propose
from openbooking.testing.stores.views.activity_view_tests import ActivityViewTests
from openbooking.testing.stores.views.children_view_tests import ChildrenViewTests
from openbooking.testing.stores.views.hand_over_view_tests import HandOverViewTests
from openbooking.testing.stores.views.money_view_tests import MoneyViewTests
from openbooking.testing.stores.views.people_view_tests import PeopleViewTests
from openbooking.testing.stores.views.view_case import (
    DAY,
    OTHER,
    at_day,
    book_for,
    book_other,
    exchange,
    of_other,
    read_all,
    views_of,
)

_FAR = 400 * DAY


async def _found(store: Store, seller: str = SELLER.key, **fields: Any) -> list[str]:
    """Return the UUIDs of the Orders that are found."""
    return [record.uuid for record in await read_all(views_of(store, seller).orders, OrderQuery(**fields))]


@rule("Views")
class ViewTests(ActivityViewTests, ChildrenViewTests, HandOverViewTests, MoneyViewTests, PeopleViewTests):
    """Tests of the views of any store that has some. Inherit from this class, and define `open_store`."""

    def test_occurrences_are_listed_by_their_starts_with_what_is_taken(self, tmp_path: Path) -> None:
        """Only those of the Seller that start in the period. Spaces of cancelled items are free."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9, spin=4, box=4) as store:
                await store.execute(Publish(at_day(session("late", 3), 1), actor=MANAGER))
                await store.execute(Publish(approved_session("trip", 5), actor=MANAGER))
                uuid, accepted = fresh(), propose(fresh(), "trip")
                for command in (book(uuid, "yoga", "yoga", "spin"), cancel(uuid, 1), quote(fresh(), "yoga", "yoga")):
                    await store.execute(command)
                for proposal in (propose(fresh(), "trip", "trip"), accepted):
                    await store.execute(proposal)
                await store.execute(DecideProposal(order=accepted.key, accept=True, actor=MANAGER))
                views, start = views_of(store), START + 10 * DAY
                rows = await read_all(views.occurrences, start, start + DAY)
                assert [(row.path, row.booked, row.leased, row.proposals, row.capacity) for row in rows] == [
                    (session_path("box"), 0, 0, 0, 4),
                    (session_path("spin"), 1, 0, 0, 4),
                    (session_path("trip"), 0, 3, 1, 5),
                    (session_path("yoga"), 1, 2, 0, 9),
                ]
                assert [parent.path for parent in rows[0].parents] == ["session-series/box"]
                assert all(row.is_stored for row in rows)
                later = await read_all(views.occurrences, start, start + 2 * DAY)
                assert [row.path for row in later[4:]] == [session_path("late")]
                assert await read_all(views.occurrences, start - DAY, start) == []

        asyncio.run(run())

    def test_occurrences_that_only_orders_know_are_listed_as_they_were_booked(self, tmp_path: Path) -> None:
        """Also those whose items were all cancelled. What was replaced is not listed for its former item."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9, spin=4, box=2) as store:
                kept, cancelled, replaced = fresh(), fresh(), fresh()
                for command in (
                    book(kept, "yoga", "yoga"),
                    book(cancelled, "spin"),
                    cancel(cancelled, 1),
                    book(replaced, "box"),
                    exchange(OrderKey("alice", replaced), 1, "yoga"),
                    quote(fresh(), "yoga"),
                    Withdraw(sources=frozenset({"kit"}), actor=MANAGER),
                ):
                    await store.execute(command)
                start = START + 10 * DAY
                rows = await read_all(views_of(store).occurrences, start, start + DAY)
                assert [(row.path, row.is_stored, row.booked, row.leased, row.capacity) for row in rows] == [
                    (session_path("spin"), False, 0, 0, 4),
                    (session_path("yoga"), False, 3, 0, 9),
                ]
                assert [parent.path for parent in rows[1].parents] == ["session-series/yoga"]
                (others,) = await read_all(views_of(store, OTHER.key).occurrences, start, start + DAY)
                assert others.path == session_path("pilates")

        asyncio.run(run())

    def test_occurrences_that_were_published_at_another_time_are_listed_there(self, tmp_path: Path) -> None:
        """Also when nothing but Orders knows them any more."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9) as store:
                moved = Publish(at_day(session("yoga", 9), 1), actor=MANAGER)
                withdrawn = Withdraw(sources=frozenset({"kit"}), actor=MANAGER)
                for command in (book(fresh(), "yoga"), moved, book(fresh(), "yoga", "yoga"), withdrawn):
                    await store.execute(command)
                start = START + 10 * DAY
                assert await read_all(views_of(store).occurrences, start, start + DAY) == []
                (row,) = await read_all(views_of(store).occurrences, start + DAY, start + 2 * DAY)
                assert (row.path, row.is_stored, row.booked) == (session_path("yoga"), False, 3)

        asyncio.run(run())

    def test_bookings_are_the_orders_with_an_item_of_the_opportunity(self, tmp_path: Path) -> None:
        """Also a cancelled item, but not one that was replaced. Orders come with personal data."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9, spin=4) as store:
                uuids = sorted(fresh() for _ in range(6))
                cancelled, twice, away, to, deleted, elsewhere = uuids
                for uuid, *keys in (
                    (cancelled, "yoga"),
                    (twice, "yoga", "yoga", "spin"),
                    (away, "yoga"),
                    (to, "spin"),
                    (deleted, "yoga"),
                    (elsewhere, "spin"),
                ):
                    await store.execute(book(uuid, *keys))
                for command in (
                    cancel(cancelled, 1),
                    exchange(OrderKey("alice", away), 1, "spin"),
                    exchange(OrderKey("alice", to), 1, "yoga"),
                    DeleteOrder(caller=ALICE, uuid=deleted),
                ):
                    await store.execute(command)
                found = await read_all(views_of(store).bookings, session_path("yoga"))
                assert [record.uuid for record in found] == [cancelled, twice, to]
                assert found[1] == await store.execute(GetOrder(caller=ALICE, uuid=twice))
                assert found[1].order.personal is not None
                assert await read_all(views_of(store, OTHER.key).bookings, session_path("yoga")) == []
                await store.execute(book_other("pilates"))
                assert await views_of(store).bookings(session_path("pilates"), limit=1) == Page()
                assert len(await read_all(views_of(store, OTHER.key).bookings, session_path("pilates"), limit=1)) == 2

        asyncio.run(run())

    def test_proposals_that_await_the_seller_are_listed_by_the_end_of_their_lifetime(self, tmp_path: Path) -> None:
        """Neither decided ones nor those whose lifetime has ended, swept or not."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock) as store:
                await store.execute(Publish(approved_session("trip", 9), actor=MANAGER))
                made = []
                for _ in range(5):
                    made.append(propose(fresh(), "trip"))
                    await store.execute(made[-1])
                    clock.move(timedelta(minutes=5))
                await store.execute(DecideProposal(order=made[1].key, accept=True, actor=MANAGER))
                await store.execute(DecideProposal(order=made[2].key, accept=False, actor=MANAGER))
                views = views_of(store)
                waiting = await read_all(views.proposals)
                assert [record.key for record in waiting] == [made[0].key, made[3].key, made[4].key]
                assert waiting[0].order.personal is not None
                assert await read_all(views_of(store, OTHER.key).proposals) == []
                ends = waiting[0].proposal.expires
                assert ends is not None
                clock.time = ends
                assert [record.key for record in await read_all(views.proposals)] == [made[3].key, made[4].key]

        asyncio.run(run())

    def test_orders_are_listed_with_the_newest_first(self, tmp_path: Path) -> None:
        """Withheld ones too, but no deleted Orders, quotes, proposals or Orders of other Sellers."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=30) as store:
                uuids = [fresh() for _ in range(7)]
                for number, uuid in enumerate(uuids):
                    await store.execute(book(uuid, "yoga", caller=BOB if number % 2 else ALICE))
                    clock.move(timedelta(minutes=number % 3))
                await store.execute(quote(fresh(), "yoga"))
                await store.execute(DeleteOrder(caller=ALICE, uuid=uuids[2]))
                await store.execute(Withhold(partnership=Partnership("bob", SELLER.key), withheld=True, actor=MANAGER))
                found = await read_all(views_of(store).orders, OrderQuery())
                assert sorted(record.uuid for record in found) == sorted({*uuids} - {uuids[2]})
                times = [record.booked.at for record in found if record.booked and record.booked.at]
                assert times == sorted(times, reverse=True)
                assert len(times) == len(found)
                assert all(record.order.personal for record in found)
                assert len(await _found(store, OTHER.key)) == 1

        asyncio.run(run())

    def test_orders_are_found_by_name_email_telephone_and_uuid(self, tmp_path: Path) -> None:
        """By the beginning of a name, whatever its case and accents, by all of the others."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=30) as store:
                ann = book_for(
                    {"givenName": "Ann", "familyName": "O\u2019Brien", "telephone": "+44 (0)20 7946 0123"}, "yoga"
                )
                zoe = book_for(
                    {"givenName": "Zo\u00eb Ann", "familyName": "\u00c5str\u00f6m", "email": "Zoe@Example.com"}, "yoga"
                )
                club = book_for(
                    {"@type": "Organization", "name": "Annfield Harriers", "address": {"@type": "x"}}, "yoga"
                )
                both = book_for({"givenName": "Brienne", "familyName": "Brien", "telephone": "07700 900123"}, "yoga")
                for command in (ann, zoe, club, both):
                    await store.execute(command)
                names = {ann.uuid: "ann", zoe.uuid: "zoe", club.uuid: "club", both.uuid: "both"}
                expected: dict[str, set[str]] = {
                    "ann": {"ann", "club"},
                    "ANNF": {"club"},
                    "zoe": {"zoe"},
                    "zoe ann": {"zoe"},
                    "astrom": {"zoe"},
                    "Zo\u00eb \u00c5str": {"zoe"},
                    "ann o'b": {"ann"},
                    "brien": {"both"},
                    "bob": set(),
                    "%": set(),
                    "ZOE@example.com": {"zoe"},
                    "zoe@example.co": set(),
                    "02079460123": {"ann"},
                    "+44 20 7946 0123": {"ann"},
                    "00442079460123": {"ann"},
                    "44 7700 900123": {"both"},
                    "7946 0123": set(),
                    ann.uuid.upper(): {"ann"},
                    fresh(): set(),
                }
                for text, wanted in expected.items():
                    assert {names[uuid] for uuid in await _found(store, text=text)} == wanted, text
                    assert len(await _found(store, text=text)) == len(wanted), text
                    assert await _found(store, OTHER.key, text=text) == [], text
                assert await _found(store, text=ann.uuid, partner="bob") == []
                assert await _found(store, text="ann", status=OrderStatus.CANCELLED) == []

        asyncio.run(run())

    def test_orders_are_found_by_partner_dates_status_and_value(self, tmp_path: Path) -> None:
        """All fields must apply. The bounds of values are included, and so is the beginning of a period."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=30) as store:
                await store.execute(Publish(at_day(session("late", 30), 5), actor=MANAGER))
                one, two, three, four = (fresh() for _ in range(4))
                await store.execute(book(one, "yoga"))
                await store.execute(book(two, "yoga", "late", "late", caller=BOB))
                clock.move(DAY)
                for command in (book(three, "late", "yoga"), book(four, "late"), cancel(three, 1), cancel(four, 1)):
                    await store.execute(command)
                yoga, late = START + 10 * DAY, START + 15 * DAY
                expected: list[tuple[dict[str, Any], set[str]]] = [
                    ({"partner": "bob"}, {two}),
                    ({"booked_from": START + DAY}, {three, four}),
                    ({"booked_before": START + DAY}, {one, two}),
                    ({"booked_from": START, "booked_before": START}, set()),
                    ({"session_from": yoga, "session_before": yoga + DAY}, {one, two, three}),
                    ({"session_from": late}, {two, three, four}),
                    ({"session_before": late}, {one, two, three}),
                    ({"session_from": yoga, "session_before": late, "partner": "alice"}, {one, three}),
                    ({"session_from": yoga, "booked_from": START + DAY}, {three, four}),
                    ({"status": OrderStatus.BOOKED}, {one, two}),
                    ({"status": OrderStatus.PARTLY_CANCELLED}, {three}),
                    ({"status": OrderStatus.CANCELLED}, {four}),
                    ({"value_from": PRICE}, {one, two, three}),
                    ({"value_from": PRICE + Decimal("0.001")}, {two}),
                    ({"value_to": PRICE}, {one, three, four}),
                    ({"value_to": PRICE - Decimal("0.001")}, {four}),
                    ({"value_from": PRICE, "value_to": PRICE, "booked_from": START + DAY}, {three}),
                ]
                for fields, wanted in expected:
                    found = await _found(store, **fields)
                    assert (set(found), len(found)) == (wanted, len(wanted)), fields
                assert await _found(store, session_from=yoga, partner="bob") == [two]

        asyncio.run(run())

    def test_an_order_is_shown_to_its_seller_only(self, tmp_path: Path) -> None:
        """Orders, proposals and deleted Orders, but no quotes."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9) as store:
                await store.execute(Publish(approved_session("trip", 9), actor=MANAGER))
                booked, gone, quoted, proposed = fresh(), fresh(), fresh(), propose(fresh(), "trip")
                for command in (book(booked, "yoga"), book(gone, "yoga"), quote(quoted, "yoga"), proposed):
                    await store.execute(command)
                await store.execute(DeleteOrder(caller=ALICE, uuid=gone))
                views, others = views_of(store), views_of(store, OTHER.key)
                kinds: dict[str, type] = {booked: OrderRecord, gone: DeletedRecord, proposed.uuid: ProposalRecord}
                for uuid, kind in kinds.items():
                    assert isinstance(await views.order(OrderKey("alice", uuid)), kind)
                    assert await others.order(OrderKey("alice", uuid)) is None
                    assert await views.order(OrderKey("bob", uuid)) is None
                assert await views.order(OrderKey("alice", booked)) == await store.execute(
                    GetOrder(caller=ALICE, uuid=booked)
                )
                assert await views.order(OrderKey("alice", quoted)) is None
                assert await views.order(OrderKey("alice", fresh())) is None

        asyncio.run(run())

    def test_an_order_without_personal_data_is_not_found_by_it(self, tmp_path: Path) -> None:
        """After the erasure, and after a deletion. All else of an erased Order is still found."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=9) as store:
                erased = book_for({"familyName": "Smith", "telephone": "07700 900123"}, "yoga")
                deleted = book_for({"familyName": "Smith"}, "yoga")
                for command in (erased, deleted):
                    await store.execute(command)
                assert {*await _found(store, text="smith")} == {erased.uuid, deleted.uuid}
                await store.execute(DeleteOrder(caller=ALICE, uuid=deleted.uuid))
                assert await _found(store, text="smith") == [erased.uuid]
                clock.move(_FAR)
                await store.execute(ErasePersonalData(over_before=clock()))
                for text in ("smith", "07700900123", "x@example.com"):
                    assert await _found(store, text=text) == []
                assert await _found(store) == [erased.uuid]

        asyncio.run(run())

    def test_opportunities_without_a_parent_are_listed_with_what_is_to_come(self, tmp_path: Path) -> None:
        """By a part of the name, too."""

        async def run() -> None:
            clock = Clock()
            async with self.with_two_sellers(tmp_path, clock, yoga=9, spin=9) as store:
                series, made = session("box", 9)
                more = tuple(replace(at_day((series, made), day)[1], path=session_path(f"box{day}")) for day in (1, 2))
                named = replace(series, properties={"name": "B\u00f6xing"})
                await store.execute(Publish((named, made, *more), actor=MANAGER))
                views, past = views_of(store), START + 10 * DAY
                rows = await read_all(views.opportunities)
                expected = [("session-series/box", 3), ("session-series/spin", 1), ("session-series/yoga", 1)]
                assert [(row.opportunity.path, row.coming) for row in rows] == expected
                clock.time = past
                rows = await read_all(views.opportunities)
                assert [row.coming for row in rows] == [2, 0, 0]
                found = await views.opportunities(text="oXin")
                assert [row.opportunity for row in found.rows] == [rows[0].opportunity]
                assert await read_all(lambda **page: views.opportunities(text="boxen", **page)) == []
                (other,) = await read_all(views_of(store, OTHER.key).opportunities)
                assert other.opportunity == of_other(session("pilates", 5))[0]

        asyncio.run(run())

    def test_other_texts_are_no_cursors(self, tmp_path: Path) -> None:
        """Neither is the cursor of another list."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=9, spin=9) as store:
                for _ in range(3):
                    await store.execute(book(fresh(), "yoga"))
                views = views_of(store)
                page = await views.opportunities(limit=1)
                assert page.next is not None
                for cursor in (page.next, "x", "\u00e9", "W10", page.next[:-3]):
                    with pytest.raises(InvalidCursorError):
                        await views.orders(OrderQuery(), after=cursor)
                    with pytest.raises(InvalidCursorError):
                        await views.sales_lines(START, START + DAY, after=cursor)

        asyncio.run(run())
