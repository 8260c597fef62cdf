"""A draft, joined with its parent and its Seller, becomes an Opportunity (MOD "Parent-child relationships")."""

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.rules.capacity import max_spaces
from openbooking.booking.rules.inheritance import inherit
from openbooking.importing.completeness import missing_properties
from openbooking.importing.reading.items import Draft
from openbooking.importing.reading.values import UnreadableError, read_count
from openbooking.openactive.inheritance import inherits_dates
from openbooking.openactive.money import VatTreatment

MAX_REMARKS = 40


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The Opportunity that a draft becomes, and remarks on what was assumed, changed or is missing."""

    opportunity: Opportunity
    remarks: tuple[str, ...]


def link(  # noqa: PLR0913, PLR0917 - all that it depends on
    draft: Draft,
    path: str,
    parents: tuple[Opportunity, ...],
    seller: Seller,
    remarks: tuple[str, ...] = (),
    vat: VatTreatment | None = None,
) -> Imported:
    """Return the Opportunity that a draft becomes.

    Args:
        draft: The draft.
        path: The path to store it under; a stored Opportunity keeps its path.
        parents: Its parents, nearest first.
        seller: Its Seller.
        remarks: Remarks to add to those of the draft.
        vat: The VAT treatment of its Offers; None for the Seller's default.

    Raises:
        UnreadableError: Neither it nor its parent has a start.
    """
    noted = [*draft.remarks, *remarks]
    parent = parents[0] if parents else None
    treatment = vat or seller.default_vat
    offers = tuple(replace(offer, owner=path, vat=treatment) for offer in draft.opportunity.offers)
    opportunity = replace(
        draft.opportunity, path=path, seller=seller.key, parent=parent.path if parent else None, offers=offers
    )
    if parent:
        opportunity = _with_inherited(opportunity, parents, noted)
        opportunity = _limited_by_facility(opportunity, parent, noted)
        opportunity = _limited_by_series(opportunity, parent, noted)
    if draft.opportunity.inherited and draft.opportunity.inherited.dates and opportunity.start is None:
        raise UnreadableError("it has no startDate")
    noted += missing_properties(opportunity, parents)
    if len(noted) > MAX_REMARKS:
        noted = [*noted[:MAX_REMARKS], "and more"]
    return Imported(opportunity=opportunity, remarks=tuple(noted))


def _with_inherited(opportunity: Opportunity, parents: tuple[Opportunity, ...], remarks: list[str]) -> Opportunity:
    inherited = opportunity.inherited
    if inherited and inherited.dates and not inherits_dates(opportunity.type, parents[0].type):
        raise UnreadableError("it has no startDate")
    now = inherit(opportunity, parents)
    if now.status is not opportunity.status:
        remarks.append("status of its parent taken")
    if inherited and inherited.dates:
        remarks.append("dates of its parent taken")
    elif now.end != opportunity.end:
        remarks.append("duration of its parent taken")
    missing = len(inherited.offers) - sum(offer.key in inherited.offers for offer in now.offers) if inherited else 0
    if missing:
        remarks.append(f"Offers left out: {missing} that it names are not known")
    return now


def _limited_by_facility(opportunity: Opportunity, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """Cut the capacity of a Slot of an individual facility to one space."""
    most = max_spaces(opportunity, parent)
    if most == opportunity.capacity:
        return opportunity
    remarks.append(f"{_remaining(opportunity)} {opportunity.capacity} of an individual facility: {most} taken")
    return replace(opportunity, capacity=most)


def _remaining(opportunity: Opportunity) -> str:
    names = opportunity.type.row.capacity
    return names.remaining if names else "capacity"


def _limited_by_series(opportunity: Opportunity, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """Cut the capacity of a session that has no maximum of its own to the maximum of its series."""
    names = opportunity.type.row.capacity
    if names is None or opportunity.capacity is None or not opportunity.type.inherits_offers:
        return opportunity
    if names.maximum not in parent.properties or names.maximum in opportunity.properties:
        return opportunity
    try:
        most = read_count(parent.properties[names.maximum])
    except UnreadableError:
        return opportunity
    if opportunity.capacity <= most:
        return opportunity
    remarks.append(f"{names.remaining} {opportunity.capacity} is more than {names.maximum} of its parent: {most} taken")
    return replace(opportunity, capacity=most)
