"""A draft is joined with its parents and its Seller, and becomes an Opportunity (MOD "Parent-child relationships").

An imported Opportunity inherits from its parents here: status, dates, duration and named Offers. The rule is
`booking.rules.inheritance.inherit`. The VAT treatment of imported Offers is chosen here too, in `link`.
"""

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.rules.opportunities.capacity import max_spaces
from openbooking.booking.rules.opportunities.inheritance import inherit
from openbooking.importing.completeness import missing_properties
from openbooking.importing.reading.items import Draft
from openbooking.openactive.inheritance import inherits_dates
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.published.values import UnreadableError, read_count

MAX_REMARKS = 40


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """An Opportunity to be published.

    Attributes:
        opportunity: The Opportunity, with its path, parent, Seller and VAT treatment.
        remarks: Remarks for the report on values that were assumed, changed or are missing.
    """

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
    """Return the Opportunity that a draft describes, joined with its parents and its Seller.

    The VAT treatment of its Offers is `vat`, which the operator gave for the whole import, or otherwise the treatment
    of the Seller (`Seller.default_vat`).

    Args:
        draft: The draft.
        path: The path under which the Opportunity is stored, or will be stored.
        parents: The parents of the Opportunity, nearest first.
        seller: The Seller of the Opportunity.
        remarks: Remarks to add to those of the draft.
        vat: The VAT treatment of the Offers; None for the treatment of the Seller.

    Raises:
        UnreadableError: Neither the draft nor its parent has a start.
    """
    all_remarks = [*draft.remarks, *remarks]
    parent = parents[0] if parents else None
    treatment = vat or seller.default_vat
    offers = tuple(replace(offer, owner=path, vat=treatment) for offer in draft.opportunity.offers)
    opportunity = replace(
        draft.opportunity, path=path, seller=seller.key, parent=parent.path if parent else None, offers=offers
    )
    if parent:
        opportunity = _inherit(opportunity, parents, all_remarks)
        opportunity = _limit_by_facility(opportunity, parent, all_remarks)
        opportunity = _limit_by_series(opportunity, parent, all_remarks)
    if draft.opportunity.inherited and draft.opportunity.inherited.dates and opportunity.start is None:
        raise UnreadableError("it has no startDate")
    all_remarks += missing_properties(opportunity, parents)
    if len(all_remarks) > MAX_REMARKS:
        all_remarks = [*all_remarks[:MAX_REMARKS], "and more"]
    return Imported(opportunity=opportunity, remarks=tuple(all_remarks))


def _inherit(opportunity: Opportunity, parents: tuple[Opportunity, ...], remarks: list[str]) -> Opportunity:
    """Return the Opportunity with inherited status, dates, duration and Offers, and add remarks (OB-BKBL-32)."""
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


def _limit_by_facility(opportunity: Opportunity, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """Limit the capacity of a Slot of an individual facility to one space (OB-BKBL-33)."""
    most = max_spaces(opportunity, parent)
    if most == opportunity.capacity:
        return opportunity
    remarks.append(f"{_remaining_property(opportunity)} {opportunity.capacity} of an individual facility: {most} taken")
    return replace(opportunity, capacity=most)


def _remaining_property(opportunity: Opportunity) -> str:
    names = opportunity.type.row.capacity
    return names.remaining if names else "capacity"


def _limit_by_series(opportunity: Opportunity, parent: Opportunity, remarks: list[str]) -> Opportunity:
    """Limit the capacity of a session to the maximum of its series, if the session states no maximum."""
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
