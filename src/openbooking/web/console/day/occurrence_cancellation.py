"""The cancellation of an occurrence: what it will do, the decision, and who has read of it afterwards."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.plans.cancellations import cancellation_effect
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.model.activity import Action
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.errors import NothingToCancelError
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import OrderKey
from openbooking.booking.rules.opportunities.cancellation_effects import CancelledBooking
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, Feed
from openbooking.booking.views import Occurrence
from openbooking.openactive.errors import NotFoundError
from openbooking.openactive.terms import OrderItemStatus
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.confirmation import confirmation
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.console.day.occurrences import occurrence_row
from openbooking.web.pages import Form, Problem

_ROWS = 500
# How many pages of the activity log are searched for rejected proposals.
_ACTIVITY_PAGES = 4
_A_DAY = timedelta(days=1)
_NOTHING_LEFT = "Nothing is left to cancel: this session is cancelled already."
_OVER = "Nothing is left to cancel: this session has taken place already."
_NOT_STORED = "This session is no longer published. Cancel its bookings one by one."
_CHANGED = "The bookings have changed since you opened this page. Nothing has been cancelled. Look at them again."


class Told(NamedTuple):
    """What the cancellation does to the bookings of one Broker, and what the Broker has read of it.

    Attributes:
        broker: The name of the Broker.
        orders: The number of Orders.
        proposals: The number of OrderProposals.
        spaces: The number of spaces.
        unread: How many of the Orders and proposals have a change that the Broker has not read from its feeds.
        withheld: How many of them the Broker cannot read, because the Seller has stopped it.
        is_desk: Whether they were booked at the front desk, which has no feed.
    """

    broker: str
    orders: int
    proposals: int
    spaces: int
    unread: int = 0
    withheld: int = 0
    is_desk: bool = False

    @property
    def customers(self) -> int:
        """The number of Customers. Each Order or proposal counts as one, because nobody is matched."""
        return self.orders + self.proposals


class _Preview(NamedTuple):
    """The bookings that the cancellation would cancel, or the reason why there is nothing to cancel."""

    bookings: tuple[CancelledBooking, ...] = ()
    reason: str = ""

    @property
    def seen(self) -> str:
        """A digest of the bookings, by which a form is recognised that was made for other bookings."""
        return hashlib.sha256(repr([tuple(booking) for booking in self.bookings]).encode()).hexdigest()


class OccurrenceCancellationPages:
    """The form that cancels an occurrence, and the page that shows who has read of it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes of both pages."""
        return [
            self._console.route(OpportunityPage.CANCEL.route, self._cancel, ("GET", "POST")),
            self._console.route(OpportunityPage.CANCELLED.route, self._cancelled),
        ]

    async def _cancel(self, visit: ConsoleVisit) -> Response:
        form = await visit.form() if visit.request.method == "POST" else None
        occurrence = await visit.occurrence()
        preview = await _preview(visit, occurrence)
        problem = None
        if form is not None:
            problem = await self._decide(visit, occurrence, preview, form)
            if problem is None:
                return visit.redirect(OpportunityPage.CANCELLED.path(occurrence.path), Notice.OCCURRENCE_CANCELLED)
        told = await _by_broker(visit, preview.bookings)
        return visit.page(
            "day/cancel_occurrence.html",
            problem=problem,
            row=occurrence_row(visit, occurrence),
            told=told,
            total=_total(told),
            reason=preview.reason,
            seen=preview.seen,
            recorded=await _recorded(visit, occurrence),
            confirmation=confirmation(visit, len(preview.bookings)),
            form=defaultdict(str, form or {}),
        )

    async def _decide(
        self, visit: ConsoleVisit, occurrence: Occurrence, preview: _Preview, form: Form
    ) -> Problem | None:
        """Cancel the occurrence as the form says; return the problem if that is not possible."""
        if preview.reason:
            return Problem(preview.reason)
        if form.get("seen") != preview.seen:
            return Problem(_CHANGED)
        problem = confirmation(visit, len(preview.bookings)).problem(form)
        message = form.get("message", "").strip()
        command = CancelOpportunity(opportunity=occurrence.path, message=message or None, actor=visit.actor)
        return problem or await visit.try_(command)

    async def _cancelled(self, visit: ConsoleVisit) -> Response:
        occurrence = await visit.occurrence()
        bookings = await _cancelled_bookings(visit, occurrence)
        told = await _by_broker(visit, bookings, unread=await _unread(visit, bookings))
        return visit.page(
            "day/cancelled_occurrence.html",
            row=occurrence_row(visit, occurrence),
            told=told,
            total=_total(told),
        )


async def _preview(visit: ConsoleVisit, occurrence: Occurrence) -> _Preview:
    """Return what the cancellation would do now.

    A session that is no longer stored for the Seller is not cancelled: perhaps another Seller sells it now.
    """
    if not occurrence.is_stored:
        return _Preview(reason=_NOT_STORED)
    try:
        effect = await cancellation_effect(visit.console.system.store, occurrence.path, visit.actor)
    except NothingToCancelError:
        return _Preview(reason=_OVER if occurrence.opportunity.takes_place else _NOTHING_LEFT)
    except NotFoundError:
        return _Preview(reason=_NOT_STORED)
    return _Preview(effect.bookings)


async def _recorded(visit: ConsoleVisit, occurrence: Occurrence) -> int:
    """Return the number of booked spaces with a record of attendance, which the cancellation leaves alone."""
    spaces, cursor = 0, ""
    while True:
        found = await visit.views.bookings(occurrence.path, cursor, _ROWS)
        spaces += sum(
            item.opportunity.path == occurrence.path and state.status.has_attendance
            for record in found.rows
            for item, state in record.items()
        )
        if found.next is None:
            return spaces
        cursor = found.next


async def _by_broker(
    visit: ConsoleVisit, bookings: Iterable[CancelledBooking], unread: frozenset[OrderKey] = frozenset()
) -> list[Told]:
    """Return what happens to the bookings of each Broker, in the order of the names of the Brokers."""
    partners = await visit.partner_names()
    of_partner: dict[str, list[CancelledBooking]] = defaultdict(list)
    for booking in bookings:
        of_partner[booking.key.partner].append(booking)
    told = [
        Told(
            broker=partners.get(partner, partner),
            orders=sum(not booking.is_proposal for booking in own),
            proposals=sum(booking.is_proposal for booking in own),
            spaces=sum(booking.spaces for booking in own),
            unread=sum(booking.key in unread for booking in own),
            withheld=sum(booking.is_withheld for booking in own),
            is_desk=partner == DESK,
        )
        for partner, own in of_partner.items()
    ]
    return sorted(told, key=lambda row: row.broker.casefold())


def _total(told: Sequence[Told]) -> Told:
    return Told(
        broker="",
        orders=sum(row.orders for row in told),
        proposals=sum(row.proposals for row in told),
        spaces=sum(row.spaces for row in told),
        unread=sum(row.unread for row in told),
        withheld=sum(row.withheld for row in told),
        is_desk=any(row.is_desk for row in told),
    )


async def _cancelled_bookings(visit: ConsoleVisit, occurrence: Occurrence) -> list[CancelledBooking]:
    """Return the Orders with an item that the Seller has cancelled here, and the proposals rejected with them."""
    bookings: dict[OrderKey, CancelledBooking] = {}
    paths = await _paths_of(visit, occurrence)
    for path in sorted(paths):
        cursor: str | None = ""
        while cursor is not None:
            found = await visit.views.bookings(path, cursor, _ROWS)
            for record in found.rows:
                spaces = sum(
                    item.opportunity.path in paths and state.status is OrderItemStatus.SELLER_CANCELLED
                    for item, state in record.items()
                )
                if spaces:
                    booking = CancelledBooking(record.key, spaces, is_proposal=False, is_withheld=record.withheld)
                    bookings[record.key] = booking
            cursor = found.next
    return [*bookings.values(), *await _rejected_proposals(visit, paths)]


async def _paths_of(visit: ConsoleVisit, occurrence: Occurrence) -> frozenset[str]:
    """Return the paths of an occurrence and of its parts, if it can have any."""
    opportunity, paths = occurrence.opportunity, {occurrence.path}
    cursor: str | None = "" if opportunity.type.has_children and opportunity.start else None
    while cursor is not None and opportunity.start:
        until = max(opportunity.end or opportunity.start, opportunity.start) + _A_DAY
        found = await visit.views.occurrences(opportunity.start - _A_DAY, until, cursor, _ROWS)
        paths |= {part.path for part in found.rows if any(parent.path in paths for parent in part.parents)}
        cursor = found.next
    return frozenset(paths)


async def _rejected_proposals(visit: ConsoleVisit, paths: frozenset[str]) -> list[CancelledBooking]:
    """Return the proposals that the latest cancellations of these Opportunities rejected.

    The activity log names the proposals of a decision before the Opportunities, because it shows the newest entry
    first.
    """
    waiting: dict[tuple[datetime, Actor], list[OrderKey]] = defaultdict(list)
    rejected: list[OrderKey] = []
    cursor: str | None = ""
    for _ in range(_ACTIVITY_PAGES):
        found = await visit.views.activity(cursor or "", _ROWS)
        for entry in found.rows:
            if entry.action is not Action.OPPORTUNITY_CANCELLED:
                continue
            if entry.order and not entry.items:
                waiting[entry.at, entry.actor].append(entry.order)
            elif entry.opportunity in paths:
                rejected += waiting.pop((entry.at, entry.actor), [])
        cursor = found.next
        if cursor is None:
            break
    records = [await visit.views.order(key) for key in rejected]
    return [
        CancelledBooking(record.key, sum(record.wanted().values()), is_proposal=True, is_withheld=record.withheld)
        for record in records
        if record
    ]


async def _unread(visit: ConsoleVisit, bookings: Sequence[CancelledBooking]) -> frozenset[OrderKey]:
    """Return the keys of the bookings whose latest version the Brokers have not read from their feeds."""
    of_feed: dict[Feed, list[OrderKey]] = defaultdict(list)
    # The feed shows a withheld booking as deleted, and its change number does not change.
    unread = {booking.key for booking in bookings if booking.is_withheld}
    for booking in bookings:
        if booking.key.partner == DESK:
            continue
        name = ORDER_PROPOSALS if booking.is_proposal else ORDERS
        of_feed[Feed(name, booking.key.partner)].append(booking.key)
    for feed, keys in of_feed.items():
        position = await visit.console.system.identity.feed_positions.position(feed)
        numbers = await visit.console.system.store.change_numbers(feed, {key.uuid for key in keys})
        unread |= {key for key in keys if not _is_read(numbers, key, position)}
    return frozenset(unread)


def _is_read(numbers: Mapping[str, int], key: OrderKey, position: int) -> bool:
    """Return whether a feed has been read up to the change of an Order. An Order that is not in the feed is unread."""
    return key.uuid in numbers and numbers[key.uuid] <= position
