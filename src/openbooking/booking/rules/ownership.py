"""Ownership: an Opportunity stays with the source and the Seller of its first publication.

Identifiers are public. A feed may use the identifiers of others, but cannot take over the Opportunities behind them.
"""

from openbooking.booking.model.errors import IdReusedError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import BelongsToAnotherError
from openbooking.openactive.web_addresses import is_web_address


def publisher_of(source: str) -> str:
    """Return the publisher of a source: the host of a feed, because a site may have several feeds, or else its name."""
    name = source_name(source)
    return name.lower().split("/")[2] if is_web_address(name) else name


def check_source(what: str, source: str, known: str) -> None:
    """Raise BelongsToAnotherError unless both sources have the same publisher."""
    if publisher_of(source) != publisher_of(known):
        raise BelongsToAnotherError(
            f"{what} belongs to another source: {source_name(known) or 'none that was imported'}."
        )


def check_seller(what: str, seller: str, known: str) -> None:
    """Raise BelongsToAnotherError unless the Sellers are the same."""
    if seller != known:
        raise BelongsToAnotherError(f"{what} belongs to another Seller: {known}.")


def check_ownership(
    situation: Situation, opportunity: Opportunity, parent: Opportunity | None, *, own_only: bool
) -> None:
    """Raise BelongsToAnotherError if the Opportunity belongs to another source or Seller.

    Args:
        situation: The situation of the decision.
        opportunity: The published Opportunity.
        parent: Its parent, if it has one; both must have the same Seller.
        own_only: Whether parent and Seller must have the same publisher as the Opportunity. A Seller without a source
            is available to all publishers.
    """
    known = situation.opportunities.get(opportunity.path)
    if known and not known.withdrawn:
        check_source("It", opportunity.source, known.source)
        check_seller("It", opportunity.seller, known.seller)
    else:
        _check_bookings(situation, opportunity)
    if parent:
        check_seller("Its parent", opportunity.seller, parent.seller)
    if own_only and parent:
        check_source("Its parent", opportunity.source, parent.source)
    seller = situation.sellers[opportunity.seller]
    if own_only and seller.source:
        check_source(f"Seller {seller.name}", opportunity.source, seller.source)


def _check_bookings(situation: Situation, opportunity: Opportunity) -> None:
    """Raise BelongsToAnotherError if a withdrawn Opportunity has bookings of another Seller and another publisher.

    The publisher of a booked Opportunity may publish it again for another Seller.
    """
    for record in situation.records.values():
        if any(claim.opportunity == opportunity.path for claim in record.claims()):
            booked = (item.opportunity for item, _ in record.items())
            sources = {publisher_of(one.source) for one in booked if one and one.path == opportunity.path}
            if publisher_of(opportunity.source) not in sources:
                check_seller("What was booked of it", opportunity.seller, record.partnership.seller)


def shares_name_or_start(first: Opportunity, second: Opportunity) -> bool:
    """Whether two versions may describe one Opportunity: providers seldom change name and start at once."""
    return first.properties.get("name") == second.properties.get("name") or first.start == second.start


def check_same_as_booked(situation: Situation, opportunity: Opportunity) -> None:
    """Raise IdReusedError if an Order at the path has an Opportunity with another name and another start."""
    for record in situation.records.values():
        if not isinstance(record, OrderRecord):
            continue
        for item, state in record.items():
            concerned = item.opportunity.path == opportunity.path and not state.status.cancelled
            if concerned and not shares_name_or_start(item.opportunity, opportunity):
                raise IdReusedError


def source_name(source: str) -> str:
    """Return the source without the part after its last `#`, which identifies an item within the source."""
    return source.rpartition("#")[0] or source
