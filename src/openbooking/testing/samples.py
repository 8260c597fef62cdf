"""Sample data of the test kit: a Seller, sessions and requests, and a clock that tests move."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.booking.model.order import Caller, Payment
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.store import Feed, Store
from openbooking.openactive.ids import OfferRef, key_of, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BrokerRole, TaxMode

ALICE, BOB = Caller("alice"), Caller("bob")
MANAGER = Actor(ActorKind.STAFF, "ann")
SELLER = Seller(key="centre", name="Riverside Centre", legal_name="Riverside Trust", tax_mode=TaxMode.GROSS)
EMAIL = "geoff.capes@customer.example.com"
PRICE = Decimal("12.00")
START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
SESSIONS = Feed("scheduled-sessions")


def fresh() -> str:
    """Return an Order UUID that was not used before."""
    return str(uuid.uuid4())


class Clock:
    """A clock that stands still until a test moves it. Its monotonic time moves too, so a move is not a jump."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def monotonic(self) -> float:
        """Return the seconds by which the clock was moved since it was created."""
        return (self.time - START).total_seconds()

    def is_trusted(self) -> bool:
        """Return True, because tests know the right time."""
        return True

    def compare(self, noted: datetime) -> None:
        """Do nothing: any time that a store has noted is right."""

    def move(self, by: timedelta) -> None:
        """Move the clock ahead by this duration."""
        self.time += by


def session_path(key: str) -> str:
    """Return the path of the ScheduledSession with this key."""
    return opportunity_path(OpportunityType.SCHEDULED_SESSION, key)


def session(key: str, capacity: int) -> tuple[Opportunity, Opportunity]:
    """Return a SessionSeries with an Offer, and its ScheduledSession of this capacity, ten days after START."""
    series = opportunity_path(OpportunityType.SESSION_SERIES, key)
    offer = Offer(key="adult", owner=series, price=PRICE, currency="GBP", full_refund_on_cancellation=True)
    start = START + timedelta(days=10)
    return (
        Opportunity(path=series, type=OpportunityType.SESSION_SERIES, seller=SELLER.key, offers=(offer,), source="kit"),
        Opportunity(
            path=session_path(key),
            type=OpportunityType.SCHEDULED_SESSION,
            seller=SELLER.key,
            parent=series,
            start=start,
            end=start + timedelta(hours=1),
            capacity=capacity,
            source="kit",
        ),
    )


def order(*keys: str, email: str = EMAIL) -> OrderRequest:
    """Return a request for one space at each of these sessions; a key that occurs twice stands for two spaces."""
    return OrderRequest(
        seller_id=SELLER.key,
        seller=SELLER.key,
        broker_role=BrokerRole.AGENT,
        broker={"@type": "Organization", "name": "MyFitnessApp"},
        customer={"@type": "Person", "email": email},
        items=tuple(
            ItemRequest(
                position=position,
                opportunity_id=key,
                opportunity=session_path(key),
                offer_id=key,
                offer=OfferRef(opportunity_path(OpportunityType.SESSION_SERIES, key), "adult"),
            )
            for position, key in enumerate(keys)
        ),
        total_payment_due=PRICE * len(keys),
        total_currency="GBP",
        payment=Payment(identifier="payment-1"),
    )


def book(uuid: str, *keys: str, caller: Caller = ALICE) -> Book:
    """Return B of one space at each of these sessions."""
    return Book(caller=caller, uuid=uuid, request=order(*keys))


def quote(uuid: str, *keys: str, caller: Caller = ALICE, checkpoint: Checkpoint = Checkpoint.C2) -> Quote:
    """Return C2, or C1, of one space at each of these sessions."""
    return Quote(checkpoint=checkpoint, caller=caller, uuid=uuid, request=order(*keys))


def cancel(uuid: str, *numbers: int, caller: Caller = ALICE) -> Cancel:
    """Return the cancellation of the items with these numbers."""
    return Cancel(caller=caller, uuid=uuid, numbers=numbers)


async def read_feed(store: Store, feed: Feed, after: int = 0, page: int = 100) -> dict[str, Any]:
    """Follow a feed to its end.

    Returns:
        The data of each item, by the last segment of its id; None for an item that is deleted.
    """
    copy: dict[str, Any] = {}
    while items := await store.feed_items(feed, after, page):
        numbers = [item.modified for item in items]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > after
        copy |= {key_of(item.id): None if item.data is None else msgspec.json.decode(item.data) for item in items}
        after = numbers[-1]
    return copy


async def spaces_left(store: Store, key: str) -> int | None:
    """Return the number of spaces of a session that are left according to the open feed."""
    data = (await read_feed(store, SESSIONS))[key]
    left = data["remainingAttendeeCapacity"]
    assert left is None or isinstance(left, int)
    return left
