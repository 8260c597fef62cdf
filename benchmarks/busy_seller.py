"""The data of a busy Seller: a year of Orders, by several Brokers and at the front desk, and four weeks ahead.

The Orders are made by commands. A clock that only the store sees moves through the year, so that each Order has a time
of its own. `Known` names the Orders and sessions for which there are pages.
"""

import asyncio
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple

from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance, SellerCancel
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import AccessRules, Offer, Opportunity, SaleState
from openbooking.booking.model.order import Caller, MeansOfPayment, OrderKey, Payment, desk_caller
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.identity.digests import digest
from openbooking.identity.records import Grant, Partner, Role, User
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in.passwords import Passwords
from openbooking.openactive.ids import OfferRef, opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import BrokerRole, FlowRequirement
from openbooking.sandbox.bookings import DemoClock
from openbooking.settings import Settings
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store, use_store
from stock import BENCHMARK, CUSTOMER, PRICE, SELLER, described, stock

BUSY = replace(SELLER, key="busy", name="Parkside Centre", colour="#1d4f91")
MANAGER, PASSWORD = "ann", "correct horse battery"
PARTNERS = tuple(f"partner{number}" for number in range(7))
SERIES, ACCESS_SERIES, APPROVED_SERIES, CANCELLED_SERIES = 80, 0, 1, 2
PAST_DAYS, COMING_DAYS = 365, 28
# One session of each of these series is off sale.
_OFF_SALE = range(3, 23)
# The seconds of the year are divided among groups of so many Orders.
AT_ONCE = 64
REGISTER, PROPOSALS, STAFF = 120, 40, 12
ATTENDED = 2_000
_BOOKED_AHEAD_DAYS = 14
_PUBLISHED_AT_ONCE = 500
_CAPACITY = 1_000
_DESK_SHARE = 10
# The Orders that are not spread over the year have higher numbers.
_OTHERS = 10**9
_ANN = Actor(ActorKind.STAFF, MANAGER)


class Known(NamedTuple):
    """What the pages of the benchmark are about.

    Attributes:
        register: The path of today's session with the most attendees; it is full.
        past_register: The path of such a session of yesterday.
        cancelled: The path of a session of tomorrow that was cancelled with its Orders.
        order: An Order by a Broker with access codes.
        at_desk: The UUID of an Order of the front desk.
        proposal: An OrderProposal that waits.
    """

    register: str
    past_register: str
    cancelled: str
    order: OrderKey
    at_desk: str
    proposal: OrderKey


class _Customer(NamedTuple):
    """A Customer's Order: its key, and what it is for."""

    key: OrderKey
    request: OrderRequest


def series_path(series: int) -> str:
    """Return the path of a SessionSeries of the busy Seller."""
    return opportunity_path(OpportunityType.SESSION_SERIES, f"class-{series}")


def session_path(series: int, day: int) -> str:
    """Return the path of the session of a series on a day, counted from today."""
    return opportunity_path(OpportunityType.SCHEDULED_SESSION, f"class-{series}-{day + PAST_DAYS}")


def offer_of(series: int) -> OfferRef:
    """Return the Offer of a series."""
    return OfferRef(series_path(series), "adult")


def bookable_series(chance: random.Random) -> int:
    """Return a series whose sessions anybody can book at any time."""
    return chance.randrange(_OFF_SALE.stop, SERIES)


class _Year:
    """The Orders of the year, the same each time on one day."""

    def __init__(self, orders: int, now: datetime) -> None:
        self.now = now
        self.midnight = datetime.combine(now.date(), time(), UTC)
        self._groups = max(orders // AT_ONCE, 1)
        self._chance = random.Random(1)  # noqa: S311 - the same data each time
        self._number = 0

    def opportunities(self) -> Iterator[Opportunity]:
        """Yield the series, and their sessions of each day."""
        for series in range(SERIES):
            path = series_path(series)
            flow = (FlowRequirement.APPROVAL,) if series == APPROVED_SERIES else ()
            offer = Offer(key="adult", owner=path, name="Adult", price=PRICE, currency="GBP", flow=flow)
            yield Opportunity(
                path=path,
                type=OpportunityType.SESSION_SERIES,
                seller=BUSY.key,
                offers=(replace(offer, full_refund_on_cancellation=True),),
                properties=described(series),
            )
        for day in range(-PAST_DAYS, COMING_DAYS):
            for series in range(SERIES):
                start = self.midnight + timedelta(days=day, hours=6 + series % 16, minutes=10 * (series // 16))
                yield Opportunity(
                    path=session_path(series, day),
                    type=OpportunityType.SCHEDULED_SESSION,
                    seller=BUSY.key,
                    parent=series_path(series),
                    start=start,
                    end=start + timedelta(hours=1),
                    capacity=REGISTER if series == ACCESS_SERIES else _CAPACITY,
                    access=AccessRules(code=True) if series == ACCESS_SERIES else None,
                )

    def steps(self) -> Iterator[tuple[datetime, list[Command[Any]]]]:
        """Yield groups of commands that are given at one time."""
        for group in range(self._groups):
            at = self.now - timedelta(days=PAST_DAYS) * (1 - group / self._groups)
            orders = [self._order(at) for _ in range(AT_ONCE)]
            yield at, [_booking(order) for order in orders]
            yield at + timedelta(minutes=5), list(self._ends(orders))
        self._number = _OTHERS
        for day in (-1, 0):
            register = [self._for_session(ACCESS_SERIES, day) for _ in range(REGISTER)]
            yield self.midnight + timedelta(days=day, hours=-1), [_booking(order) for order in register]
        told = [self._for_session(CANCELLED_SERIES, 1) for _ in range(AT_ONCE)]
        yield self.now, [_booking(order) for order in told]
        yield self.now, [CancelOpportunity(opportunity=session_path(CANCELLED_SERIES, 1), message="Ill.", actor=_ANN)]
        wanted = (self._for_session(APPROVED_SERIES, 2 + number % 7) for number in range(PROPOSALS))
        yield (
            self.now,
            [
                Propose(caller=Caller(PARTNERS[0]), uuid=order.key.uuid, request=order.request, version=order.key.uuid)
                for order in wanted
            ],
        )
        hidden = [session_path(series, 20) for series in _OFF_SALE]
        yield self.now, [SetSaleState(opportunity=path, sale=SaleState.UNPUBLISHED, actor=_ANN) for path in hidden]
        yield self.now, list(_attendance(self._groups * AT_ONCE))

    def _order(self, at: datetime) -> _Customer:
        day = (at - self.midnight).days + self._chance.randint(1, _BOOKED_AHEAD_DAYS)
        return self._for_session(bookable_series(self._chance), min(day, COMING_DAYS - 1))

    def _for_session(self, series: int, day: int) -> _Customer:
        self._number += 1
        number = self._number
        spaces = 1 if series == ACCESS_SERIES else self._chance.choice((1, 1, 2, 3))
        key, path = _key(number, series), session_path(series, day)
        at_desk = key.partner == DESK
        items = [
            ItemRequest(
                position=position, opportunity_id=path, opportunity=path, offer_id="adult", offer=offer_of(series)
            )
            for position in range(spaces)
        ]
        request = OrderRequest(
            seller_id=BUSY.key,
            seller=BUSY.key,
            broker_role=BrokerRole.NO_BROKER if at_desk else BrokerRole.AGENT,
            broker=None if at_desk else {"@type": "Organization", "name": key.partner},
            customer=_person(number),
            items=tuple(items),
            total_payment_due=PRICE * spaces,
            total_currency="GBP",
            payment=Payment(identifier=f"payment-{number}", name=MeansOfPayment.CARD),
        )
        return _Customer(key, request)

    @staticmethod
    def _ends(orders: Sequence[_Customer]) -> Iterator[Command[Any]]:
        """Yield cancellations of some Orders: every twentieth by its Customer, every fiftieth by the Seller."""
        for place, (key, _) in enumerate(orders):
            if place % 20 == 1 and key.partner != DESK:
                yield Cancel(caller=Caller(key.partner), uuid=key.uuid, numbers=(1,))
            elif place % 50 == 2:  # noqa: PLR2004 - none of those above
                yield SellerCancel(order=key, message="Ill.", actor=_ANN)


def _person(number: int) -> dict[str, str]:
    return {
        **CUSTOMER,
        "givenName": f"Ann{number % 40}",
        "familyName": f"Smith{number % 970}",
        "email": f"ann{number}@example.com",
        "telephone": f"07700 {number % 10**6:06}",
    }


def _booking(order: _Customer) -> Command[Any]:
    key, request = order
    if key.partner == DESK:
        return BookAtDesk(caller=desk_caller(BUSY.key), uuid=key.uuid, request=request, nonce=key.uuid, actor=_ANN)
    return Book(caller=Caller(key.partner), uuid=key.uuid, request=request, nonce=key.uuid)


def _key(number: int, series: int) -> OrderKey:
    """Return the key of an Order. Every tenth is of the front desk, except for the first series."""
    at_desk = number % _DESK_SHARE == 0 and series >= CANCELLED_SERIES
    bits = random.Random(number).getrandbits(128)  # noqa: S311 - the same data each time
    return OrderKey(DESK if at_desk else PARTNERS[number % len(PARTNERS)], str(uuid.UUID(int=bits, version=4)))


def _attendance(orders: int) -> Iterator[Command[Any]]:
    """Yield records of attendance for some of the latest Orders."""
    for number in range(max(orders - 5 * ATTENDED, 1), orders, 5):
        yield RecordAttendance(order=_key(number, SERIES), attended=number % 7 > 0, actor=_ANN)


async def fill(settings: Settings, orders: int, sessions: int) -> Known:
    """Make the database, and return what its pages are about.

    Args:
        settings: The settings, with the database.
        orders: The number of Orders of the busy Seller.
        sessions: The number of sessions of a second Seller, for which requests are made by `stock.order_body`.
    """
    await stock(settings, sessions=sessions)
    year = _Year(orders, datetime.now(UTC).replace(microsecond=0))
    clock = DemoClock(year.now - timedelta(days=PAST_DAYS + 1))
    async with use_store(settings, clock) as store:
        await store.execute(PublishSeller(BUSY, actor=BENCHMARK))
        opportunities = year.opportunities()
        while some := tuple(islice(opportunities, _PUBLISHED_AT_ONCE)):
            await store.execute(Publish(some, actor=BENCHMARK))
        for clock.now, commands in year.steps():
            await asyncio.gather(*(_execute(store, command) for command in commands))
    await _add_people(settings, year.now)
    return Known(
        register=session_path(ACCESS_SERIES, 0),
        past_register=session_path(ACCESS_SERIES, -1),
        cancelled=session_path(CANCELLED_SERIES, 1),
        order=_key(_OTHERS + REGISTER + 1, ACCESS_SERIES),
        at_desk=_key(orders // 2 // _DESK_SHARE * _DESK_SHARE, SERIES).uuid,
        proposal=OrderKey(PARTNERS[0], _key(_OTHERS + 2 * REGISTER + AT_ONCE + 1, APPROVED_SERIES).uuid),
    )


async def _execute(store: SqlStore, command: Command[Any]) -> None:
    reply = await store.execute(command)
    if getattr(reply, "has_errors", False):
        raise RuntimeError(f"The data cannot be made: {reply}")


async def _add_people(settings: Settings, now: datetime) -> None:
    """Add the Brokers with their grants, a manager who works for both Sellers, and staff."""
    by, scopes = "benchmark", frozenset({Scope.OPENBOOKING})
    hashed = await Passwords().hash(PASSWORD)
    identity = open_identity_store(settings)
    for key in PARTNERS:
        await identity.save(
            Partner(key=key, name=key.title(), registered=now, registered_by=by, api_key_digest=digest(f"obk_{key}")),
            Grant(partner=key, seller=BUSY.key, scopes=scopes, changed=now, changed_by=by),
        )
    others = {SELLER.key: Role.MANAGER}
    await identity.save(
        User(name=MANAGER, seller=BUSY.key, role=Role.MANAGER, others=others, password_hash=hashed),
        *(User(name=f"staff{number}", seller=BUSY.key, role=Role.STAFF) for number in range(STAFF)),
    )
    await identity.close()
