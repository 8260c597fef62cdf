"""Copies of booked Opportunities, with which simulated Sellers replace the items of Orders."""

import uuid

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Offer, Opportunity
from openbooking.booking.model.order import BookedItem
from openbooking.openactive.ids import opportunity_path


def copy_of(item: BookedItem) -> tuple[Opportunity, Offer]:
    """Return a copy of the Opportunity of an item under a new path, with the Offer of the item for it."""
    path = opportunity_path(item.opportunity.type, uuid.uuid4().hex)
    has_own_offer = item.offer.owner == item.opportunity.path
    offer = replace(item.offer, owner=path) if has_own_offer else item.offer
    return replace(item.opportunity, path=path, offers=(offer,) if has_own_offer else ()), offer
