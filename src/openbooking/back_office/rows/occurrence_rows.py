"""Occurrences, and the occurrences that can replace an item, as rows of tables."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from openbooking.back_office.descriptions import opportunity_name, place_name
from openbooking.back_office.plans.replacements import Choice
from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.booking.model.opportunity import SaleState, is_on_sale
from openbooking.booking.views import Occurrence


class OccurrenceState(StrEnum):
    """Whether an occurrence takes place and can be booked, or the reason why it cannot."""

    OPEN = "open"
    FULL = "full"
    OVER = "over"
    UNPUBLISHED = "unpublished"
    NOT_UNDERSTOOD = "not-understood"
    CANCELLED = "cancelled"


class OccurrenceRow(TableRow, frozen=True, kw_only=True):
    """An occurrence.

    Attributes:
        occurrence: The path of the Opportunity.
        starts: When it starts.
        ends: When it ends.
        name: Its name.
        place: The name of its place.
        booked: The number of spaces that are sold and not cancelled.
        held: The number of spaces that are held for quotes and proposals.
        capacity: The number of spaces that this system may sell.
        proposals: The number of OrderProposals for it that wait for the Seller.
        state: Its state.
    """

    occurrence: str
    starts: datetime | None
    ends: datetime | None
    name: str
    place: str
    booked: int
    held: int
    capacity: int | None
    proposals: int
    state: OccurrenceState


class ReplacementRow(TableRow, frozen=True, kw_only=True):
    """An occurrence with an Offer that can replace an item.

    Attributes:
        occurrence: The path of the Opportunity.
        offer: The key of the Offer.
        starts: When the Opportunity starts.
        name: Its name.
        price: The price of the Offer, with tax.
        currency: The currency of the price.
    """

    occurrence: str
    offer: str
    starts: datetime | None
    name: str
    price: Decimal
    currency: str | None


def occurrence_row(occurrence: Occurrence, context: TableContext) -> OccurrenceRow:
    """Return the row of an occurrence."""
    opportunity = occurrence.opportunity
    return OccurrenceRow(
        occurrence=opportunity.path,
        starts=context.local(opportunity.start),
        ends=context.local(opportunity.end),
        name=opportunity_name(opportunity, occurrence.parents),
        place=place_name(opportunity, occurrence.parents),
        booked=occurrence.booked,
        held=occurrence.leased,
        capacity=occurrence.capacity,
        proposals=occurrence.proposals,
        state=occurrence_state(occurrence, context.now),
    )


def replacement_row(choice: Choice, context: TableContext) -> ReplacementRow:
    """Return the row of a choice."""
    return ReplacementRow(
        occurrence=choice.occurrence.path,
        offer=choice.offer.key,
        starts=context.local(choice.occurrence.opportunity.start),
        name=choice.name,
        price=choice.price,
        currency=choice.offer.currency,
    )


def occurrence_state(occurrence: Occurrence, now: datetime) -> OccurrenceState:
    """Return whether an occurrence takes place and can be booked, or the reason why it cannot."""
    opportunity, members = occurrence.opportunity, (occurrence.opportunity, *occurrence.parents)
    if not opportunity.takes_place:
        return OccurrenceState.CANCELLED
    if opportunity.is_over(now) or not occurrence.is_stored:
        return OccurrenceState.OVER
    if not is_on_sale(opportunity, occurrence.parents):
        is_unpublished = any(member.sale is SaleState.UNPUBLISHED for member in members)
        return OccurrenceState.UNPUBLISHED if is_unpublished else OccurrenceState.NOT_UNDERSTOOD
    is_full = occurrence.capacity is not None and occurrence.sold + occurrence.leased >= occurrence.capacity
    return OccurrenceState.FULL if is_full else OccurrenceState.OPEN
