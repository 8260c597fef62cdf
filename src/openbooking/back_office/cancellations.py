"""The plan of the cancellation of a whole Opportunity, with the number of its Orders."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.office import NotFoundInOfficeError, Office
from openbooking.back_office.order_plans import describe_occurrence
from openbooking.back_office.pages import read_rows
from openbooking.back_office.plans import Plan
from openbooking.booking.commands.cancel_opportunity import CancelOpportunity
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import Occurrence, SellerViews
from openbooking.openactive.terms import EventStatus

# An occurrence that has begun and not ended is cancelled, too. None lasts longer than this.
_LONGEST = timedelta(days=366)
_EVER = datetime.max.replace(tzinfo=UTC)
_ROWS = 500


class CancellationEffect(NamedTuple):
    """The effect of the cancellation of an Opportunity and everything below it.

    Attributes:
        parents: The parents of the Opportunity, as far as they are known.
        occurrences: The number of occurrences that are cancelled, and were not before.
        orders: The number of Orders of which items are cancelled, by the keys of the Booking Partners.
        proposals: The number of waiting OrderProposals that are rejected, counted once for each of their occurrences.
    """

    parents: tuple[Opportunity, ...]
    occurrences: int
    orders: Counter[str]
    proposals: int

    @property
    def total(self) -> int:
        """The number of Orders of all Booking Partners."""
        return self.orders.total()


async def plan_cancellation(office: Office, opportunity: Opportunity, message: str, actor: Actor) -> Plan:
    """Plan the cancellation of an Opportunity of the Seller with its Orders. The number of Orders is the answer.

    Args:
        office: The bookings of the Seller.
        opportunity: The Opportunity.
        message: The message to the Customers; may be empty.
        actor: The actor of the cancellation.

    Raises:
        NotFoundInOfficeError: Nothing of the Opportunity is left to cancel.
    """
    context = office.context
    effect = await cancellation_effect(office.views, opportunity, context.now)
    if not effect.occurrences and not effect.total:
        raise NotFoundInOfficeError("No future occurrence is left to cancel.")
    what = describe_occurrence(opportunity, effect.parents, context)
    if not opportunity.type.row.bookable:
        what = f"{_count(effect.occurrences, 'occurrence')} of {opportunity_name(opportunity, effect.parents)}"
    counts = sorted((-count, context.partner_name(key)) for key, count in effect.orders.items())
    partners = ", ".join(f"{name} {-count:,}" for count, name in counts)
    proposals = f" Rejects {_count(effect.proposals, 'waiting proposal')}." if effect.proposals else ""
    orders = _count(effect.total, "Order")
    return Plan(
        command=CancelOpportunity(opportunity=opportunity.path, message=message or None, actor=actor),
        done=f"Cancelled {what} with {orders}. The partners learn of it from their feeds.",
        effect=f"Cancels {what} with {orders}{f' ({partners})' if partners else ''}.{proposals} This cannot be undone.",
        question="Type the number of Orders to cancel them" if effect.total else "Cancel?",
        number=effect.total or None,
    )


async def cancellation_effect(views: SellerViews, opportunity: Opportunity, now: datetime) -> CancellationEffect:
    """Return the effect of the cancellation of an Opportunity of the Seller."""
    own = await views.occurrence(opportunity.path)
    below = [found async for found in _below(views, opportunity, now)]
    bookable = [opportunity] if opportunity.type.row.bookable else []
    members = [each for each in (*bookable, *(found.opportunity for found in below)) if not each.is_over(now)]
    keys = {key for member in members for key in await _orders(views, member.path)}
    return CancellationEffect(
        parents=own.parents if own else (),
        occurrences=sum(member.status is not EventStatus.CANCELLED for member in members),
        orders=Counter(key.partner for key in keys),
        proposals=sum(occurrence.proposals for occurrence in [*below, *([own] if own else [])]),
    )


async def _below(views: SellerViews, opportunity: Opportunity, now: datetime) -> AsyncIterator[Occurrence]:
    """Yield the stored occurrences below an Opportunity."""
    if opportunity.type.row.bookable and not opportunity.type.row.has_parts:
        return
    since = now - _LONGEST
    async for occurrence in read_rows(lambda after: views.occurrences(since, _EVER, after, _ROWS)):
        if occurrence.is_stored and opportunity.path in {parent.path for parent in occurrence.parents}:
            yield occurrence


async def _orders(views: SellerViews, path: str) -> set[OrderKey]:
    """Return the keys of the Orders with an item at the Opportunity that is not cancelled."""
    records = read_rows(lambda after: views.bookings(path, after, _ROWS))
    return {record.key async for record in records if record.wanted().get(path)}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
