"""Tests of the Orders feed as a Broker reads it: the cursor, the versions, and the transaction of the application."""

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

import pytest

from openbooking.broker.api.access import ApiKey
from openbooking.broker.flow import Answer, Flow, NoAnswerError, Pause, Request, Work
from openbooking.broker.money.journal import Journal
from openbooking.broker.money.purchase import State
from openbooking.broker.orders.changes import (
    Change,
    Deleted,
    ItemCancelled,
    ProposalAccepted,
    UnknownOrder,
    Unreadable,
)
from openbooking.broker.orders.feed import FeedError, OrderFeed, OrderFeedReading
from openbooking.broker.orders.pages import by_application
from openbooking.broker.orders.untold import UntoldChanges
from openbooking.broker.orders.versions import latest
from openbooking.broker.schema import prepare
from openbooking.broker.store.database import Database, DatabaseError, open_database
from openbooking.openactive.terms import OrderType

Result = TypeVar("Result")
FEED = OrderFeed("https://booking.example/orders-rpde", OrderType.ORDER)
ORDER = uuid.UUID("e5d1a4f5-6b5c-4f5a-9f7e-0a8d2a4a8f10")
ITEM = "https://booking.example/orders/1#/orderedItem/1"
CANCELLED = ItemCancelled(order=ORDER, item=ITEM, by_seller=True, is_last=True)


def version(status: str = "OrderItemConfirmed", price: int = 10) -> dict[str, Any]:
    """Return a version of an Order with one OrderItem."""
    return {
        "@context": "https://openactive.io/",
        "@type": "Order",
        "@id": "https://booking.example/orders/1",
        "totalPaymentDue": {"@type": "PriceSpecification", "price": price, "priceCurrency": "GBP"},
        "orderedItem": [
            {"@type": "OrderItem", "@id": ITEM, "orderItemStatus": f"https://openactive.io/{status}"},
        ],
    }


def updated(modified: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of the feed."""
    return {"state": "updated", "kind": "Order", "id": str(ORDER), "modified": modified, "data": data}


def deleted(modified: int) -> dict[str, Any]:
    """Return an item that says that the Order was deleted."""
    return {"state": "deleted", "kind": "Order", "id": str(ORDER), "modified": modified}


class Feed:
    """A scripted Orders feed, and the application that reads it.

    Attributes:
        pages: The items of each page by its URL, with the URL of the next page.
        answers: Answers that come before the pages; None for no answer.
        told: The changes that the application was told.
        requested: The URLs that were requested.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.pages: dict[str, tuple[list[dict[str, Any]], str]] = {FEED.url: ([], FEED.url)}
        self.answers: list[Answer | None] = []
        self.told: list[Change] = []
        self.requested: list[str] = []
        prepare(database)

    def add(self, *items: dict[str, Any]) -> None:
        """Add a page with items to the end of the feed."""
        last = f"{FEED.url}?page={len(self.pages)}"
        before = list(self.pages)[-1]
        self.pages[before] = (list(items), last)
        self.pages[last] = ([], last)

    def begin(self) -> None:
        """Note that B is about to be sent."""
        Journal(self.database, "https://booking.example/").begin("https://booking.example/sellers/1", ORDER, None)

    def book(self, reply: Mapping[str, Any] | None = None) -> None:
        """Note the reply to B, and that 10 pounds were paid."""
        self.begin()
        content = json.dumps(version() if reply is None else reply).encode()
        with self.database.transaction() as transaction:
            transaction.execute(
                "UPDATE broker_purchases SET state = ?, reply = ?, reply_type = ?, pays = 1, amount = ?",
                (State.BOOKED.value, content, "Order", "10"),
            )

    def end(self, state: State) -> None:
        """Note that the purchase has come to another state."""
        with self.database.transaction() as transaction:
            transaction.execute("UPDATE broker_purchases SET state = ?", (state.value,))

    def handle(self, connection: Any, changes: Sequence[Change]) -> None:
        """Note what the application was told."""
        assert connection is not None
        self.told += changes

    def read(self) -> int:
        """Read the feed to its end, and return the number of changes."""
        return self.drive(self.flow(self.reading()))

    def reading(self) -> OrderFeedReading:
        """Begin a reading of the feed."""
        return OrderFeedReading(self.database, FEED, ApiKey("key"))

    def flow(self, reading: OrderFeedReading) -> Flow[int]:
        """Read pages to the end of the feed, and have the application handle their changes."""
        count = 0
        while page := (yield from reading.next_page()):
            count += yield from page.commit(by_application(self.handle))
        return count

    def drive(self, flow: Flow[Result]) -> Result:
        """Carry out a flow with the scripted answers."""
        result: Any = None
        fault: Exception | None = None
        while True:
            try:
                step = flow.throw(fault) if fault else flow.send(result)
            except StopIteration as end:
                value: Result = end.value
                return value
            result, fault = None, None
            match step:
                case Request():
                    assert step.headers["authorization"] == "Bearer key"
                    answer = self.answer(step.url)
                    result, fault = answer, None if answer else NoAnswerError("cut")
                case Work(function):
                    try:
                        result = function()
                    except Exception as error:  # noqa: BLE001 - as the drivers do
                        fault = error
                case Pause():
                    pass

    def answer(self, url: str) -> Answer | None:
        """Return the next answer."""
        self.requested.append(url)
        if self.answers:
            return self.answers.pop(0)
        items, next_ = self.pages[url]
        return Answer(200, {"content-encoding": "gzip"}, json.dumps({"next": next_, "items": items}).encode())


@pytest.fixture
def feed(database: Database) -> Feed:
    """A feed without Orders."""
    return Feed(database)


def test_changes_are_told_once(feed: Feed) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled", 0)))
    assert feed.read() == len([CANCELLED, "TotalChanged"])
    assert feed.told[0] == CANCELLED
    assert [purchase.owed for purchase in Journal(feed.database, "https://booking.example/").refunds_due()] == [10]
    assert feed.read() == 0
    assert feed.requested[-1] == f"{FEED.url}?page=1"


def test_a_failing_handler_gets_the_page_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled")))

    def fail(connection: Any, changes: Sequence[Change]) -> None:
        connection.execute("CREATE TABLE own (number INTEGER)")
        raise OSError(str(changes))

    with monkeypatch.context() as patched:
        patched.setattr(feed, "handle", fail)
        with pytest.raises(OSError, match="ItemCancelled"):
            feed.read()
    feed.read()
    assert feed.told == [CANCELLED]
    with feed.database.transaction() as transaction:
        transaction.execute("CREATE TABLE own (number INTEGER)")


def test_a_page_whose_handler_commits_comes_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled", 0)))

    def commit(connection: Any, changes: Sequence[Change]) -> None:
        assert changes
        connection.execute("COMMIT")

    with monkeypatch.context() as patched:
        patched.setattr(feed, "handle", commit)
        with pytest.raises(DatabaseError, match="must not commit"):
            feed.read()
    assert Journal(feed.database, "https://booking.example/").refunds_due() == []
    feed.read()
    assert feed.told[0] == CANCELLED
    assert feed.read() == 0


def test_the_application_changes_its_tables_with_the_cursor(feed: Feed, location: str) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled")))
    with feed.database.transaction() as transaction:
        transaction.execute("CREATE TABLE told (item TEXT)")

    def write(connection: Any, changes: Sequence[Change]) -> None:
        connection.execute(f"INSERT INTO told VALUES ('{len(changes)}')")

    feed.handle = write  # type: ignore[method-assign]
    feed.read()
    with closing(open_database(location)) as other, other.transaction() as transaction:
        assert transaction.execute("SELECT item FROM told").fetchall() == [("1",)]
        assert transaction.execute("SELECT cursor_url FROM broker_order_feeds").fetchall() == [(f"{FEED.url}?page=1",)]


def test_an_older_version_on_a_repeated_page_changes_nothing(feed: Feed) -> None:
    feed.book()
    feed.add(updated(2, version("SellerCancelled")))
    feed.read()
    feed.add(updated(1, version()), updated(2, version()))
    assert feed.read() == 0
    with feed.database.transaction() as transaction:
        kept = latest(transaction, ORDER, OrderType.ORDER)
    assert kept is not None
    assert kept.ordered_item[0].order_item_status == "https://openactive.io/SellerCancelled"


@pytest.mark.spec("OB-BRK-11")
def test_an_unknown_order_is_serious(feed: Feed) -> None:
    feed.add(updated(1, version()))
    feed.read()
    assert feed.told == [UnknownOrder(order=ORDER)]
    assert feed.told[0].is_serious


@pytest.mark.spec("OB-BRK-11")
@pytest.mark.parametrize("is_expected", [True, False])
def test_an_unexpected_deletion_is_serious(feed: Feed, is_expected: bool) -> None:
    feed.book()
    if is_expected:
        feed.end(State.DELETING)
    feed.add(deleted(1))
    feed.add(deleted(2))
    feed.read()
    assert feed.told == [Deleted(order=ORDER, expected=is_expected)]
    assert feed.told[0].is_serious is not is_expected


def test_an_order_whose_reply_was_lost_is_known(feed: Feed) -> None:
    feed.begin()
    feed.add(updated(1, version("SellerCancelled")))
    feed.read()
    assert feed.told == [CANCELLED]
    feed.add(updated(1, version("SellerCancelled")))
    assert feed.read() == 0


def test_a_reply_without_properties_of_feeds_is_no_obstacle(feed: Feed) -> None:
    feed.book({"@type": "Order"})
    feed.add(updated(1, version("SellerCancelled")))
    feed.read()
    assert feed.told == [CANCELLED]


def test_an_unreadable_version_keeps_the_version_before(feed: Feed) -> None:
    feed.book()
    feed.add(updated(1, {"@type": "Order"}))
    due = {"@type": "PriceSpecification", "price": "NaN", "priceCurrency": "GBP"}
    feed.add(updated(2, {**version(), "totalPaymentDue": due}))
    feed.add(updated(3, version("SellerCancelled")))
    feed.read()
    unreadable, endless, cancelled = feed.told
    assert isinstance(unreadable, Unreadable)
    assert "@context" in unreadable.reason
    assert isinstance(endless, Unreadable)
    assert "no price" in endless.reason
    assert cancelled == CANCELLED


@pytest.mark.parametrize("depth", [150, 920])
def test_a_version_that_is_nested_too_deeply_is_no_obstacle(feed: Feed, depth: int) -> None:
    feed.book()
    item = {**version()["orderedItem"][0], "orderedItem": {"@type": "Slot", "@id": "https://x", "my:deep": "deep"}}
    page = {"next": f"{FEED.url}?page=1", "items": [updated(1, {**version(), "orderedItem": [item]})]}
    body = json.dumps(page).replace('"deep"', "[" * depth + "]" * depth)
    feed.answers = [Answer(200, {}, body.encode())]
    feed.add(updated(1, version()))
    feed.add(updated(2, version("SellerCancelled")))
    feed.read()
    unreadable, cancelled = feed.told
    assert isinstance(unreadable, Unreadable)
    assert cancelled == CANCELLED


def test_temporary_failures_are_tried_again(feed: Feed) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled")))
    feed.answers = [None, Answer(503, {}, b""), Answer(429, {"retry-after": "1"}, b"")]
    feed.read()
    assert feed.told == [CANCELLED]


def test_a_refused_feed_is_an_error(feed: Feed) -> None:
    feed.answers = [Answer(401, {}, b"")]
    with pytest.raises(FeedError, match=r"status 401\. The Booking System does not accept the credentials"):
        feed.read()


def test_a_page_that_another_process_handled_is_not_told_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled")))
    other = Feed(feed.database)
    other.pages = feed.pages
    answer = feed.answer

    def answer_late(url: str) -> Answer | None:
        if not other.told:
            other.read()
        return answer(url)

    monkeypatch.setattr(feed, "answer", answer_late)
    feed.read()
    assert other.told == [CANCELLED]
    assert feed.told == []


def test_changes_are_stored_until_they_are_handled(feed: Feed, location: str) -> None:
    feed.book()
    feed.add(updated(1, version("SellerCancelled")))
    untold = UntoldChanges(feed.database, "https://booking.example/")
    page = feed.drive(feed.reading().next_page())
    assert page is not None
    assert feed.drive(page.commit(untold.keep)) == 1
    assert feed.read() == 0
    with closing(open_database(location)) as other:
        assert feed.drive(UntoldChanges(other, "https://booking.example/").next_page()) is None
    left = feed.drive(untold.next_page())
    assert left is not None
    assert left.changes == (CANCELLED,)
    assert feed.drive(untold.commit(left, by_application(feed.handle))) == 1
    assert feed.drive(untold.commit(left, by_application(feed.handle))) == 0
    assert feed.told == [CANCELLED]
    assert feed.drive(untold.next_page()) is None


def test_changes_that_an_ended_process_has_left_are_taken_over(feed: Feed, location: str) -> None:
    with closing(open_database(location)) as ended, ended.transaction() as transaction:
        UntoldChanges(ended, "https://booking.example/").keep(transaction, [CANCELLED])
    left = feed.drive(UntoldChanges(feed.database, "https://booking.example/").next_page())
    assert left is not None
    assert left.changes == (CANCELLED,)


@pytest.mark.spec("OB-OPF-01", "OB-OPF-06")
def test_a_proposal_in_the_orders_feed_is_known_by_its_identifier(feed: Feed) -> None:
    feed.begin()
    proposal = version() | {
        "@type": "OrderProposal",
        "identifier": str(ORDER),
        "orderProposalVersion": "https://booking.example/order-proposals/1/versions/1",
        "orderProposalStatus": "https://openactive.io/SellerAccepted",
    }
    feed.add(updated(1, proposal) | {"id": "proposal-1"})
    feed.read()
    assert feed.told == [ProposalAccepted(order=ORDER, version=proposal["orderProposalVersion"])]


def test_a_missing_feed_of_proposals_is_empty(feed: Feed) -> None:
    reading = OrderFeedReading(feed.database, FEED._replace(type=OrderType.PROPOSAL), ApiKey("key"))
    feed.answers = [Answer(404, {}, b"")]
    assert feed.drive(reading.next_page()) is None
