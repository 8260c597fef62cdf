"""Tests of the changes of booked Opportunities, which open feeds show and Orders feeds do not."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import pytest

from openbooking.broker.catalogue.feeds import FeedKeeper
from openbooking.broker.catalogue.index import Index
from openbooking.broker.flow import Flow, Work
from openbooking.broker.money.journal import Journal
from openbooking.broker.money.purchase import State
from openbooking.broker.orders.changes import Change, ItemReplaced, Moved
from openbooking.broker.orders.moves import MovesReading, watch_booked, watch_replacement
from openbooking.broker.orders.pages import Handler, by_application
from openbooking.broker.ownership import OrderOwners
from openbooking.broker.schema import prepare
from openbooking.broker.store.database import Database, DatabaseError, Transaction
from openbooking.harvest.documents import Page

Result = TypeVar("Result")
SITE = "https://booking.example/openactive"
FEED = "https://booking.example/feeds/scheduled-sessions"
SESSION, OTHER = "https://booking.example/sessions/1", "https://booking.example/sessions/2"
ITEM = "https://booking.example/orders/1#/orderedItem/1"
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
START = "2027-03-02T18:00:00Z"


class World:
    """A Broker with one booked Order, and what it has harvested."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self._modified = 0
        prepare(database)
        self.publish(SESSION)
        owners = OrderOwners(database, Journal(database, SITE), SITE)
        self.order = owners.begin("https://booking.example/sellers/1", "sam", b"").order
        reply = {
            "@context": "https://openactive.io/",
            "@type": "Order",
            "@id": "https://booking.example/orders/1",
            "orderedItem": [
                {
                    "@type": "OrderItem",
                    "@id": ITEM,
                    "orderItemStatus": "https://openactive.io/OrderItemConfirmed",
                    "orderedItem": {"@type": "ScheduledSession", "@id": SESSION},
                }
            ],
        }
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE broker_purchases SET state = ?, reply = ?, reply_type = 'Order'",
                (State.BOOKED.value, json.dumps(reply).encode()),
            )
        self.watch()

    def watch(self) -> None:
        """Begin to watch what was booked."""
        with self.database.transaction() as transaction:
            watch_booked(transaction, SITE)

    def publish(self, id_: str, **properties: Any) -> None:
        """Harvest a session with these properties, besides the usual ones."""
        self._modified += 1
        data = {
            "@type": "ScheduledSession",
            "@id": id_,
            "name": "Yoga",
            "startDate": START,
            "location": {"@type": "Place", "name": "Hall", "description": "A hall"},
            **properties,
        }
        item = {"state": "updated", "kind": "ScheduledSession", "id": id_, "modified": self._modified, "data": data}
        keeper = FeedKeeper(self.database, SITE, "ScheduledSession")
        keeper.start(FEED, self.now)
        keeper.add(FEED, Page([msgspec.Raw(json.dumps(item).encode())], is_rpde=True), FEED)
        while Index(self.database).update():
            pass

    def handle(self, handle: Handler) -> None:
        """Have the moves handled."""
        reading = MovesReading(self.database, SITE, lambda: self.now)
        while page := drive(reading.next_page()):
            drive(page.commit(by_application(handle)))

    def moves(self, *, commits: bool = True) -> list[Change]:
        """Read the moves."""
        reading = MovesReading(self.database, SITE, lambda: self.now)
        told: list[Change] = []

        def handle(transaction: Transaction, changes: Sequence[Change]) -> None:
            told.extend(changes)
            if not commits:
                raise InterruptedError

        with suppress(InterruptedError):
            while page := drive(reading.next_page()):
                drive(page.commit(handle))
        return told


def drive(flow: Flow[Result]) -> Result:
    """Carry out a flow that uses the database only."""
    outcome: Any = None
    while True:
        try:
            step = flow.send(outcome)
        except StopIteration as end:
            result: Result = end.value
            return result
        assert isinstance(step, Work)
        outcome = step.function()


@pytest.fixture
def world(database: Database) -> World:
    """A Broker with one booked Order."""
    return World(database)


def moved(world: World, before: dict[str, Any], after: dict[str, Any]) -> Moved:
    """Return the move of the booked item."""
    return Moved(order=world.order, item=ITEM, opportunity=SESSION, before=before, after=after)


@pytest.mark.spec("OB-NOTIF-05", "OB-BKBL-38")
def test_a_changed_start_is_told_once(world: World) -> None:
    later = "2027-03-02T19:00:00Z"
    world.publish(SESSION, startDate=later)
    assert world.moves(commits=False) == [moved(world, {"startDate": START}, {"startDate": later})]
    assert world.moves() == [moved(world, {"startDate": START}, {"startDate": later})]
    assert world.moves() == []


def test_a_change_that_customers_need_not_know_is_not_told(world: World) -> None:
    world.publish(SESSION, location={"@type": "Place", "name": "Hall", "description": "A bright hall"}, image="x")
    assert world.moves() == []


def test_a_change_of_a_cancelled_item_is_not_told(world: World) -> None:
    with world.database.transaction() as transaction:
        (reply,) = transaction.execute("SELECT reply FROM broker_purchases").fetchall()[0]
        cancelled = bytes(reply).replace(b"OrderItemConfirmed", b"SellerCancelled")
        transaction.execute("UPDATE broker_purchases SET reply = ?", (cancelled,))
    world.publish(SESSION, name="Pilates")
    assert world.moves() == []


def test_a_change_of_what_has_begun_is_not_told(world: World) -> None:
    world.now = datetime(2027, 3, 2, 18, 30, tzinfo=UTC)
    world.publish(SESSION, image="x")
    assert world.moves() == []
    world.publish(SESSION, name="Pilates")
    assert world.moves() == []


def test_a_replacement_is_watched_instead(world: World) -> None:
    world.publish(OTHER)
    replaced = ItemReplaced(
        order=world.order, item=ITEM, previous_opportunity=SESSION, opportunity=OTHER, previous_offer="", offer=""
    )
    with world.database.transaction() as transaction:
        watch_replacement(transaction, replaced)
    world.moves()
    world.publish(SESSION, name="Pilates")
    assert world.moves() == []
    world.publish(OTHER, name="Spin")
    expected = Moved(order=world.order, item=ITEM, opportunity=OTHER, before={"name": "Yoga"}, after={"name": "Spin"})
    assert world.moves() == [expected]


def test_an_order_is_watched_from_its_first_sight(world: World) -> None:
    with world.database.transaction() as transaction:
        transaction.execute("DELETE FROM broker_booked_opportunities")
    world.publish(SESSION, name="Pilates")
    world.watch()
    assert world.moves() == []
    world.publish(SESSION, name="Spin")
    assert world.moves() == [moved(world, {"name": "Pilates"}, {"name": "Spin"})]


def test_another_order_is_not_told(world: World) -> None:
    world.publish(OTHER, name="Pilates")
    assert world.moves() == []


def test_a_move_that_another_process_has_told_is_not_told_again(world: World) -> None:
    world.publish(SESSION, name="Pilates")
    first = drive(MovesReading(world.database, SITE, lambda: world.now).next_page())
    world.publish(SESSION, name="Barre")
    second = drive(MovesReading(world.database, SITE, lambda: world.now).next_page())
    told: list[Change] = []
    for page in (first, second):
        assert page is not None
        drive(page.commit(lambda _, changes: told.extend(changes)))
    assert told == [moved(world, {"name": "Yoga"}, {"name": "Pilates"})]
    assert world.moves() == [moved(world, {"name": "Pilates"}, {"name": "Barre"})]


def test_a_move_whose_handler_commits_is_told_again(world: World) -> None:
    world.publish(SESSION, startDate="2027-03-02T19:00:00Z")
    with pytest.raises(DatabaseError, match="must not commit"):
        world.handle(lambda connection, _: connection.execute("COMMIT"))
    assert [type(change) for change in world.moves()] == [Moved]
    assert world.moves() == []
