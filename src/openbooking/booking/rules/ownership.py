"""Whose a thing is: it stays with the source and the Seller it was first published from and for.

Identifiers are public, and a feed may name those of others; it must not get hold of what they name.
"""

from openbooking.booking.model.errors import IdReusedError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import BelongsToAnotherError
from openbooking.openactive.web_addresses import is_web_address


def publisher_of(source: str) -> str:
    """Who answers for what comes from a source: the site of a feed, of which it may have several, or else its name."""
    name = source_name(source)
    return name.lower().split("/")[2] if is_web_address(name) else name


def check_source(what: str, source: str, known: str) -> None:
    """Raise BelongsToAnotherError unless who answers for the source answers for the known one too."""
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
    """Raise BelongsToAnotherError for what is not to be published here, or not below this parent.

    With `own_only` its parent and its Seller, too, must have come from who answers for it; a Seller of no source is
    for all.
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
    """What was withdrawn may come back, but Orders for it are at the mercy of its Seller alone, and of its source.

    Who answers for what was booked may hand it over to another Seller.
    """
    for record in situation.records.values():
        if any(claim.opportunity == opportunity.path for claim in record.claims()):
            booked = (item.opportunity for item, _ in record.items())
            sources = {publisher_of(one.source) for one in booked if one and one.path == opportunity.path}
            if publisher_of(opportunity.source) not in sources:
                check_seller("What was booked of it", opportunity.seller, record.partnership.seller)


def shares_name_or_start(one: Opportunity, other: Opportunity) -> bool:
    """Whether two versions may be of one thing: a thing that is renamed and rescheduled is so at different times."""
    return one.properties.get("name") == other.properties.get("name") or one.start == other.start


def check_same_as_booked(situation: Situation, opportunity: Opportunity) -> None:
    """Raise IdReusedError if there are Orders at the path for what shares neither name nor start with this."""
    for record in situation.records.values():
        if not isinstance(record, OrderRecord):
            continue
        for item, state in record.items():
            concerned = item.opportunity.path == opportunity.path and not state.status.cancelled
            if concerned and not shares_name_or_start(item.opportunity, opportunity):
                raise IdReusedError


def source_name(source: str) -> str:
    """The name of all that was published together; behind its last `#` is what of that a thing comes of."""
    return source.rpartition("#")[0] or source
