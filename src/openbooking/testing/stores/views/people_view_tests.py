"""Tests of the views that find people, Customers and attendees, for store authors to inherit."""

import asyncio
from pathlib import Path
from typing import Any

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.store import Store
from openbooking.booking.views import OrderQuery
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, MANAGER, SELLER, Clock, fresh
from openbooking.testing.stores.proposal_tests import approved_session, propose
from openbooking.testing.stores.views.view_case import OTHER, ViewTestCase, attended_by, book_for, read_all, views_of

Person = dict[str, Any]

ANN: Person = {"givenName": "Ann", "familyName": "Smith", "email": "ann@example.com"}
BEA: Person = {"givenName": "Bea", "familyName": "Smith", "telephone": "07700 900123"}
CAL: Person = {"@type": "Person", "name": "Cal Smithson", "email": "CAL@example.com"}


async def _orders(store: Store, text: str, seller: str = SELLER.key, **fields: Any) -> list[str]:
    """Return the UUIDs of the Orders that are found, read in pages of one."""
    query = OrderQuery(text=text, **fields)
    return [record.uuid for record in await read_all(views_of(store, seller).orders, query, limit=1)]


async def _proposals(store: Store, text: str, seller: str = SELLER.key) -> list[str]:
    """Return the UUIDs of the OrderProposals that are found, read in pages of one."""
    return [record.uuid for record in await read_all(views_of(store, seller).proposals_of, text, limit=1)]


@rule("Views")
class PeopleViewTests(ViewTestCase):
    """Part of `ViewTests`: Orders and OrderProposals are found by their Customer and by their attendees."""

    def test_orders_are_found_by_each_of_their_attendees_once(self, tmp_path: Path) -> None:
        """Also if several people in an Order have the name that is searched. Each is at its first name."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=30) as store:
                family = attended_by(book_for(ANN, "yoga", "yoga", "yoga"), ANN, BEA, CAL)
                alone = book_for({"givenName": "Di", "familyName": "Smithers"}, "yoga")
                friends = attended_by(book_for({"familyName": "Jones"}, "yoga", "yoga"), CAL, CAL)
                for command in (family, alone, friends):
                    await store.execute(command)
                names = {family.uuid: "family", alone.uuid: "alone", friends.uuid: "friends"}
                expected: dict[str, list[str]] = {
                    "smith": ["family", "alone", "friends"],
                    "bea smith": ["family"],
                    "ann smithson": [],
                    "cal smith": sorted(["family", "friends"], key=lambda name: _uuid(names, name)),
                    "be": ["family"],
                    "07700900123": ["family"],
                    "cal@example.com": sorted(["family", "friends"], key=lambda name: _uuid(names, name)),
                    "jones": ["friends"],
                }
                for text, wanted in expected.items():
                    assert [names[uuid] for uuid in await _orders(store, text)] == wanted, text
                    assert await _orders(store, text, OTHER.key) == [], text
                assert await _orders(store, "cal@example.com", partner="bob") == []

        asyncio.run(run())

    def test_proposals_are_found_by_their_customer_and_attendees(self, tmp_path: Path) -> None:
        """Until they are booked. An Order is no proposal, and an amendment leaves out the attendee of an item at B."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=30) as store:
                await store.execute(Publish(approved_session("trip", 9), actor=MANAGER))
                waits, accepted = (attended_by(propose(fresh(), "trip", "trip"), BEA, CAL) for _ in range(2))
                booked = attended_by(book_for(ANN, "yoga"), CAL)
                for command in (waits, accepted, booked):
                    await store.execute(command)
                both = sorted([waits.uuid, accepted.uuid])
                email = str((waits.request.customer or {})["email"])
                for text in ("07700 900123", "cal@example.com", "smith", "bea smith", email):
                    assert await _proposals(store, text) == both, text
                    assert await _proposals(store, text, OTHER.key) == [], text
                assert await _proposals(store, "ann@example.com") == await _proposals(store, "") == []
                assert await _orders(store, "cal@example.com") == [booked.uuid]
                version = fresh()
                without_bea = AmendProposal(order=accepted.key, version=version, without=frozenset({1}), actor=MANAGER)
                await store.execute(without_bea)
                await store.execute(DecideProposal(order=accepted.key, accept=True, actor=MANAGER))
                await store.execute(BookProposal(caller=ALICE, uuid=accepted.uuid, version=version))
                assert await _proposals(store, "smith") == [waits.uuid]
                assert await _orders(store, "07700 900123") == []
                assert await _orders(store, "cal@example.com") == sorted([booked.uuid, accepted.uuid])

        asyncio.run(run())

    def test_an_erased_attendee_is_not_found(self, tmp_path: Path) -> None:
        """The others of the Order are. Nobody in a deleted Order is found."""

        async def run() -> None:
            async with self.with_two_sellers(tmp_path, Clock(), yoga=30) as store:
                order = attended_by(book_for(ANN, "yoga", "yoga"), BEA, CAL)
                await store.execute(order)
                await store.execute(SellerCancel(order=order.key, actor=MANAGER))
                orders = frozenset({order.key})
                assert await store.execute(EraseOrderData(orders=orders, contact="07700 900123", actor=MANAGER)) == 1
                assert [await _orders(store, text) for text in ("07700 900123", "bea smith")] == [[], []]
                for text in ("ann@example.com", "cal@example.com", "smith"):
                    assert await _orders(store, text) == [order.uuid]
                record = await views_of(store).order(order.key)
                assert record is not None
                assert not any(word in str(record) for word in ("Bea", "900123"))
                assert await store.execute(EraseOrderData(orders=orders, contact="ann@example.com", actor=MANAGER)) == 1
                assert await _orders(store, "cal@example.com") == []
                again = attended_by(book_for(ANN, "yoga"), CAL)
                await store.execute(again)
                await store.execute(DeleteOrder(caller=ALICE, uuid=again.uuid))
                assert await _orders(store, "smith") == []

        asyncio.run(run())


def _uuid(names: dict[str, str], wanted: str) -> str:
    return next(uuid for uuid, name in names.items() if name == wanted)
