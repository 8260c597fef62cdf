"""The demo data of two weeks of past and four weeks of coming bookings, made by several Brokers (`make_bookings`).

The bookings are commands like those of real Brokers. A clock that only the demo sees moves through the two weeks, so
that each booking has its own time.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import (
    Offer,
    Opportunity,
    Properties,
    Seller,
    applicable_offers,
    parents_among,
)
from openbooking.booking.model.order import Caller, OrderKey, Payment
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.rules.orders.pricing import Pricing, amount_due
from openbooking.booking.store import Store
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BrokerRole
from openbooking.sandbox.timetable import series_path

PAST_DAYS = 14
STAFF = Actor(ActorKind.STAFF, "robin")

_BOOKED_AHEAD = timedelta(days=16)
_MOST_ORDERS_OF_A_SESSION = 6
# One Slot in so many is booked.
_SLOTS = 20
_CANCELLED, _ABSENT = 0.06, 0.1
_COURSE = opportunity_path(OpportunityType.COURSE_INSTANCE, "badminton-course")
_FULL, _CANCELLED_CLASS = series_path("adult-lessons"), series_path("aqua-fit")
_FIRST_NAMES = ("Amara", "Ben", "Chloe", "Dev", "Ella", "Farah", "George", "Hana", "Isla", "Jack", "Kofi", "Lily")
_LAST_NAMES = ("Ahmed", "Brown", "Chen", "Davies", "Evans", "Flynn", "Green", "Hughes", "Iqbal", "Jones", "Khan")


class Broker(NamedTuple):
    """A Booking Partner of the demo, and the Seller that it may book for; None for both Sellers."""

    key: str
    name: str
    seller: str | None = None


BROKERS = (
    Broker("demo", "Demo Broker"),
    Broker("studio-app", "Studio App", "willow-studio"),
    Broker("active-oxford", "Active Oxford"),
    Broker("moves", "Moves"),
)


class DemoClock:
    """A clock that shows the time to which it is set. The demo sets it while it makes the bookings."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def monotonic(self) -> float:
        """Return the seconds since 1970."""
        return self.now.timestamp()

    def is_trusted(self) -> bool:
        """Return False, so that nothing is erased or removed by this clock."""
        return False

    def compare(self, noted: datetime) -> None:
        """Ignore the time in the database."""


class _Step(NamedTuple):
    """A command, and the time at which it is given."""

    at: datetime
    command: Command[Any]


async def make_bookings(
    store: Store, clock: DemoClock, sellers: Sequence[Seller], opportunities: Sequence[Opportunity], now: datetime
) -> None:
    """Make the bookings, and set the clock to the present in the end.

    Args:
        store: The store, in which the Opportunities are published.
        clock: The clock of the store.
        sellers: The Sellers.
        opportunities: The Opportunities, past and coming, in the order of their starts.
        now: The present.
    """
    plan = _Plan(sellers, opportunities, now)
    steps = sorted((step for step in plan.steps() if step.at <= now), key=lambda step: step.at)
    for at, due in groupby(steps, key=lambda step: step.at):
        clock.now = at
        for step in due:
            try:
                await store.execute(step.command)
            except OpenBookingError:
                # A random cancellation can come too late for its Offer.
                continue
    clock.now = now


class Buyer(NamedTuple):
    """The Broker that books, the identifier of its payment, and its Customer as JSON-LD."""

    broker: Broker
    payment: str
    customer: Properties


def order_request(seller: Seller, opportunity: Opportunity, offer: Offer, spaces: int, buyer: Buyer) -> OrderRequest:
    """Return the request of a Broker for some spaces of an Opportunity."""
    price = amount_due(offer, Pricing(seller.tax_mode)) * spaces
    items = tuple(
        ItemRequest(
            position=position,
            opportunity_id=opportunity.path,
            opportunity=opportunity.path,
            offer_id=offer.key,
            offer=offer.ref,
        )
        for position in range(spaces)
    )
    broker = buyer.broker
    return OrderRequest(
        seller_id=seller.key,
        seller=seller.key,
        broker_role=BrokerRole.AGENT,
        broker={"@type": "Organization", "name": broker.name, "url": f"https://{broker.key}.example.net/"},
        customer=buyer.customer,
        items=items,
        total_payment_due=Decimal(price),
        total_currency=offer.currency,
        payment=Payment(identifier=buyer.payment, name=broker.name) if price else None,
    )


class _Plan:
    """The bookings of one demo; they depend on the present only."""

    def __init__(self, sellers: Sequence[Seller], opportunities: Sequence[Opportunity], now: datetime) -> None:
        self._sellers = {seller.key: seller for seller in sellers}
        self._known = {opportunity.path: opportunity for opportunity in opportunities}
        self._now = now
        self._random = Random(now.toordinal())  # noqa: S311 - data for people to look at

    def steps(self) -> Iterator[_Step]:
        """Yield all steps, in no order."""
        for opportunity in self._known.values():
            if not opportunity.start or not opportunity.capacity or opportunity.path == _COURSE:
                continue
            is_slot = opportunity.type is OpportunityType.SLOT
            if is_slot and self._random.randrange(_SLOTS):
                continue
            most = 1 if is_slot else min(_MOST_ORDERS_OF_A_SESSION, opportunity.capacity)
            for _ in range(self._random.randint(1, most)):
                yield from self._order(opportunity, opportunity.start)
        yield from self._full_class()
        yield from self._cancelled_class()
        yield from self._proposals()

    def _order(self, opportunity: Opportunity, start: datetime, spaces: int = 0) -> Iterator[_Step]:
        """Yield the booking of some spaces, and what follows it: a cancellation or a record of attendance."""
        offer, broker = self._random.choice(self._offers(opportunity)), self._broker(opportunity)
        opens = start - (offer.valid_from_before_start or _BOOKED_AHEAD)
        earliest = max(opens, self._now - timedelta(days=PAST_DAYS) - _BOOKED_AHEAD / 2)
        latest = min(start - timedelta(hours=1), self._now - timedelta(hours=1))
        if latest <= earliest:
            return
        at = (earliest + (latest - earliest) * self._random.random()).replace(microsecond=0)
        spaces = spaces or min(self._random.choice((1, 1, 1, 2)), opportunity.capacity or 1)
        order = uuid.UUID(int=self._random.getrandbits(128), version=4)
        caller = Caller(broker.key)
        request = self._request(opportunity, offer, broker, spaces)
        yield _Step(at, Book(caller=caller, uuid=str(order), request=request, nonce=order.hex))
        if self._random.random() < _CANCELLED:
            yield _Step(at + timedelta(hours=2), Cancel(caller=caller, uuid=str(order), numbers=(1,)))
        attended = self._random.random() >= _ABSENT
        key = OrderKey(broker.key, str(order))
        yield _Step(start + timedelta(minutes=5), RecordAttendance(order=key, attended=attended, actor=STAFF))

    def _full_class(self) -> Iterator[_Step]:
        """Yield bookings of all spaces of the next class of one series."""
        session = self._next(_FULL)
        if session and session.start and session.capacity:
            for _ in range(session.capacity // 2):
                broker, order = self._broker(session), uuid.UUID(int=self._random.getrandbits(128), version=4)
                request = self._request(session, self._offers(session)[0], broker, 2)
                command = Book(caller=Caller(broker.key), uuid=str(order), request=request, nonce=order.hex)
                yield _Step(self._now - timedelta(minutes=30), command)

    def _cancelled_class(self) -> Iterator[_Step]:
        session = self._next(_CANCELLED_CLASS)
        if session:
            message = "The instructor is ill. We are sorry."
            command = CancelOpportunity(opportunity=session.path, message=message, actor=STAFF)
            yield _Step(self._now - timedelta(minutes=20), command)

    def _proposals(self) -> Iterator[_Step]:
        course = self._known.get(_COURSE)
        if course is None:
            return
        for number, broker in enumerate(broker for broker in BROKERS if broker.seller is None):
            order = uuid.UUID(int=self._random.getrandbits(128), version=4)
            request = self._request(course, course.offers[0], broker, 1)
            command = Propose(
                caller=Caller(broker.key), uuid=str(order), request=request, version=str(order), nonce=order.hex
            )
            yield _Step(self._now - timedelta(hours=3 * number + 1), command)

    def _offers(self, opportunity: Opportunity) -> list[Offer]:
        """Return the Offers that Brokers sell."""
        offers = applicable_offers(opportunity, parents_among(self._known, opportunity))
        return [offer for offer in offers if not offer.restricted]

    def _next(self, series: str) -> Opportunity | None:
        """Return the first session of the series with this path that starts tomorrow or later."""
        tomorrow = self._now + timedelta(days=1)
        coming = (item for item in self._known.values() if item.parent == series and item.start)
        return next((item for item in coming if item.start and item.start > tomorrow), None)

    def _broker(self, opportunity: Opportunity) -> Broker:
        return self._random.choice([each for each in BROKERS if each.seller in (None, opportunity.seller)])

    def _request(self, opportunity: Opportunity, offer: Offer, broker: Broker, spaces: int) -> OrderRequest:
        identifier = f"{broker.key}-{self._random.randrange(10**6):06}"
        seller = self._sellers[opportunity.seller]
        return order_request(seller, opportunity, offer, spaces, Buyer(broker, identifier, self._customer()))

    def _customer(self) -> dict[str, str]:
        """Return a made-up person; the telephone numbers are reserved for fiction."""
        given, family = self._random.choice(_FIRST_NAMES), self._random.choice(_LAST_NAMES)
        return {
            "@type": "Person",
            "givenName": given,
            "familyName": family,
            "email": f"{given}.{family}@example.net".lower(),
            "telephone": f"01632 960{self._random.randrange(1000):03}",
        }
