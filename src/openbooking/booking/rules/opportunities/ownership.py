"""Ownership: an Opportunity stays with the source and the Seller of its first publication.

Identifiers are public. A feed that uses the identifier of another feed's Opportunity cannot change that Opportunity.
"""

from openbooking.booking.model.errors import IdReusedError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import BelongsToAnotherError
from openbooking.openactive.web_addresses import is_web_address


def publisher_of(source: str) -> str:
    """Return the publisher of a source: the host of a feed, which may have several feeds, or else the source name."""
    name = source_name(source)
    return name.lower().split("/")[2] if is_web_address(name) else name


def check_source(what: str, source: str, known: str) -> None:
    """Raise BelongsToAnotherError unless both sources have the same publisher.

    Args:
        what: The name of the thing in the message of the error.
        source: The source that publishes the thing now.
        known: The source that published the thing first.
    """
    if publisher_of(source) != publisher_of(known):
        raise BelongsToAnotherError(
            f"{what} belongs to another source: {source_name(known) or 'none that was imported'}."
        )


def check_seller(what: str, seller: str, known: str) -> None:
    """Raise BelongsToAnotherError unless the Sellers are the same.

    Args:
        what: The name of the thing in the message of the error.
        seller: The Seller in the publication.
        known: The Seller of the first publication.
    """
    if seller != known:
        raise BelongsToAnotherError(f"{what} belongs to another Seller: {known}.")


def check_ownership(
    situation: Situation, opportunity: Opportunity, parent: Opportunity | None, *, own_only: bool
) -> None:
    """Raise BelongsToAnotherError if the Opportunity belongs to another source or Seller.

    Args:
        situation: The situation of the decision.
        opportunity: The published Opportunity.
        parent: Its parent, if it has one, which must have the same Seller.
        own_only: Whether the parent and the Seller must have the same publisher as the Opportunity. All publishers may
            use a Seller that an administrator added.
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
    """Raise BelongsToAnotherError if a withdrawn Opportunity was booked from another publisher and another Seller.

    The same publisher may publish a booked Opportunity again for another Seller.
    """
    for record in situation.records.values():
        if any(claim.opportunity == opportunity.path for claim in record.claims()):
            booked = (item.opportunity for item, _ in record.items())
            sources = {publisher_of(member.source) for member in booked if member and member.path == opportunity.path}
            if publisher_of(opportunity.source) not in sources:
                check_seller("An Order for it", opportunity.seller, record.partnership.seller)


def shares_name_or_start(first: Opportunity, second: Opportunity) -> bool:
    """Return whether two versions have the same name or start. Otherwise they describe different Opportunities."""
    return first.properties.get("name") == second.properties.get("name") or first.start == second.start


def check_same_as_booked(situation: Situation, opportunity: Opportunity) -> None:
    """Raise IdReusedError if an Order has an Opportunity with this path, but another name and another start."""
    for record in situation.records.values():
        if not isinstance(record, OrderRecord):
            continue
        for item, state in record.items():
            is_current = item.opportunity.path == opportunity.path and not state.status.cancelled
            if is_current and not shares_name_or_start(item.opportunity, opportunity):
                raise IdReusedError


def source_name(source: str) -> str:
    """Return the source without the part after its last `#`, which identifies an item within the source."""
    return source.rpartition("#")[0] or source
