"""What was read of a thing, joined with its parent and its Seller, from which it inherits (MOD "Parent-child")."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from openbooking.booking.bookable import Pair, why_not_bookable, why_wrong_quantity
from openbooking.booking.capacity import most_places
from openbooking.booking.opportunity import Opportunity, Seller, applicable_offers
from openbooking.importing.lacks import lacks
from openbooking.importing.read_items import Draft
from openbooking.importing.read_values import UnreadableError, read_count, read_duration
from openbooking.spec.terms import EventStatus, OpportunityType
from openbooking.spec.values import VatTreatment

MOST_REMARKS = 40
_MAXIMUM = "maximumAttendeeCapacity"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What a thing becomes, with remarks on how; `why_not` tells why it cannot be booked, if so."""

    opportunity: Opportunity
    why_not: str | None
    remarks: tuple[str, ...]


def link(  # noqa: PLR0913, PLR0917 - all that it depends on
    draft: Draft,
    parents: tuple[Opportunity, ...],
    seller: Seller,
    remarks: tuple[str, ...],
    now: datetime,
    vat: VatTreatment | None = None,
) -> Imported:
    """What the draft becomes below these parents, nearest first, when this Seller sells it; `remarks` are further.

    `vat` is the VAT treatment of its Offers; None for the Seller's default.
    """
    noted = [*draft.remarks, *remarks]
    parent = parents[0] if parents else None
    opportunity = replace(
        draft.opportunity,
        seller=seller.key,
        parent=parent.path if parent else None,
        offers=tuple(replace(offer, vat=vat or seller.default_vat) for offer in draft.opportunity.offers),
    )
    if parent:
        for rule in _INHERITANCE:
            opportunity = rule(opportunity, draft, parent, noted)
    noted += lacks(opportunity, parents)
    if len(noted) > MOST_REMARKS:
        noted = [*noted[:MOST_REMARKS], "and more"]
    return Imported(opportunity=opportunity, why_not=_why_not(opportunity, parents, seller, now), remarks=tuple(noted))


def _why_not(opportunity: Opportunity, parents: tuple[Opportunity, ...], seller: Seller, now: datetime) -> str | None:
    offers = applicable_offers(opportunity, parents)
    if not offers:
        return "It has no Offer that can be booked."
    reasons = [why_not_bookable(Pair(opportunity, offer, seller, parents), now) for offer in offers]
    if None not in reasons:
        return reasons[0]
    if opportunity.capacity == 0:
        return "It has no places left."
    bookable = [offer for offer, reason in zip(offers, reasons, strict=True) if reason is None]
    too_few = [
        why_wrong_quantity(replace(offer, max_quantity=None), opportunity.capacity or offer.min_quantity)
        for offer in bookable
    ]
    return None if None in too_few else too_few[0]


def _status(opportunity: Opportunity, draft: Draft, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """What tells no status has that of its parent (OB-BKBL-32)."""
    if draft.own_status or parent.status is EventStatus.SCHEDULED:
        return opportunity
    remarks.append("status of its parent taken")
    return replace(opportunity, status=parent.status)


def _duration(opportunity: Opportunity, draft: Draft, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """What tells no end lasts as long as its parent says (OB-BKBL-32, OB-BKBL-33)."""
    del draft
    if opportunity.start is None or opportunity.end is not None or "duration" not in parent.properties:
        return opportunity
    try:
        lasts = read_duration(parent.properties["duration"])
    except UnreadableError:
        return opportunity
    remarks.append("duration of its parent taken")
    return replace(opportunity, end=opportunity.start + lasts)


def _places(opportunity: Opportunity, draft: Draft, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """Of what a parent lets be had once only, no more is taken."""
    del draft
    most = most_places(opportunity, parent)
    if most == opportunity.capacity:
        return opportunity
    remarks.append(f"remainingUses {opportunity.capacity} of an individual facility: {most} taken")
    return replace(opportunity, capacity=most)


def _maximum(opportunity: Opportunity, draft: Draft, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """A session without a maximum of its own has that of its series."""
    del draft
    told = _MAXIMUM in parent.properties and _MAXIMUM not in opportunity.properties
    if opportunity.type is not OpportunityType.SCHEDULED_SESSION or opportunity.capacity is None or not told:
        return opportunity
    try:
        most = read_count(parent.properties[_MAXIMUM])
    except UnreadableError:
        return opportunity
    if opportunity.capacity <= most:
        return opportunity
    remarks.append(
        f"remainingAttendeeCapacity {opportunity.capacity} is more than {_MAXIMUM} of its parent: {most} taken"
    )
    return replace(opportunity, capacity=most)


_INHERITANCE: tuple[Callable[[Opportunity, Draft, Opportunity, list[str]], Opportunity], ...] = (
    _status,
    _duration,
    _places,
    _maximum,
)
