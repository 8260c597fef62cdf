"""The properties that a child inherits because its provider publishes them for the parent only (OB-BKBL-32, -33).

The child is stored with its inherited properties. `Opportunity.inherited` marks them: when the parent is published
again, the child inherits the new values.
"""

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Inherited, Offer, Opportunity
from openbooking.openactive.durations import parse_duration

_NOTHING = Inherited()


def inherit(child: Opportunity, parents: tuple[Opportunity, ...]) -> Opportunity:
    """Return the child with the properties that it inherits from its parents.

    A child without a start inherits no end from a duration. A child that its Seller cancelled here stays cancelled,
    even if its parent is not cancelled.

    Args:
        child: The child.
        parents: Its parents, nearest first.
    """
    marked = child.inherited or _NOTHING
    if marked == _NOTHING or not parents:
        return child
    parent = parents[0]
    if marked.status and not child.cancelled_here:
        child = replace(child, status=parent.status)
    if marked.dates:
        child = replace(child, start=parent.start, end=parent.end)
    if marked.duration:
        child = _with_duration(child, parent)
    if marked.offers:
        own = tuple(offer for offer in child.offers if offer.key not in marked.offers)
        offers = own + tuple(_named_offers(child, parents, marked.offers))
        child = replace(child, offers=offers, offers_unknown=not offers)
    return child


def keep_cancellation(known: Opportunity | None, published: Opportunity, *, keep_cancelled_here: bool) -> Opportunity:
    """Return the published Opportunity, which stays cancelled or postponed unless a new `eventStatus` is published.

    A provider that sends a new price without an `eventStatus` does not undo a cancellation.

    Args:
        known: The stored version, if there is one.
        published: The published version.
        keep_cancelled_here: Whether a cancellation by the Seller here stays even if another status is published.
    """
    if known is None or known.takes_place:
        return published
    has_status = published.inherited is None or not published.inherited.status
    was_inherited = known.inherited is not None and known.inherited.status
    if not (known.cancelled_here and keep_cancelled_here) and (was_inherited or has_status):
        return published
    marks = replace(published.inherited, status=False) if published.inherited else _NOTHING
    return replace(
        published,
        status=known.status,
        cancelled_here=known.cancelled_here,
        inherited=None if marks == _NOTHING else marks,
    )


def _with_duration(child: Opportunity, parent: Opportunity) -> Opportunity:
    lasts = parse_duration(parent.properties.get("duration"))
    return replace(child, end=child.start + lasts if child.start and lasts else None)


def _named_offers(child: Opportunity, parents: tuple[Opportunity, ...], keys: tuple[str, ...]) -> list[Offer]:
    """Return the Offers with these keys, each from the nearest parent that has it, as Offers of the child."""
    found: dict[str, Offer] = {}
    for parent in reversed(parents):
        found |= {offer.key: offer for offer in parent.offers}
    return [replace(found[key], owner=child.path) for key in keys if key in found]
