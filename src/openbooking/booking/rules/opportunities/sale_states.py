"""The allowed changes of the sale state of an Opportunity, and the functions that make these changes.

Two facts keep an Opportunity off sale: its Seller has taken it off sale, or an import does not understand its latest
version. Each fact stays until its own cause ends. An Opportunity is on sale only if neither fact holds. If both hold,
the sale state is that of the Seller, and `Opportunity.not_understood` is the second fact.
"""

from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, SaleState


class SaleEvent(StrEnum):
    """An event that may change the sale state of an Opportunity.

    The events are a decision of its Seller, a new version of the Opportunity, and its end.
    """

    CHOOSE = "choose"
    PUBLISH = "publish"
    NOT_UNDERSTOOD = "not understood"
    END = "end"


_ANY_SALE_STATE = frozenset(SaleState)
# Only its Seller puts an unpublished Opportunity on sale, and only a new version one that is not understood. A change
# that is not in the table leaves the state as it is.
SALE_TRANSITIONS: dict[SaleEvent, dict[SaleState, frozenset[SaleState]]] = {
    SaleEvent.CHOOSE: {
        **dict.fromkeys(SaleState, _ANY_SALE_STATE),
        SaleState.NOT_UNDERSTOOD: _ANY_SALE_STATE - {SaleState.ON_SALE},
    },
    SaleEvent.PUBLISH: {**dict.fromkeys(SaleState, _ANY_SALE_STATE), SaleState.UNPUBLISHED: frozenset()},
    SaleEvent.NOT_UNDERSTOOD: {
        SaleState.ON_SALE: frozenset({SaleState.NOT_UNDERSTOOD}),
        SaleState.UNPUBLISHED: frozenset(),
        SaleState.NOT_UNDERSTOOD: frozenset(),
        SaleState.OVER: frozenset(),
    },
    SaleEvent.END: {
        SaleState.ON_SALE: frozenset({SaleState.OVER}),
        SaleState.UNPUBLISHED: frozenset(),
        SaleState.NOT_UNDERSTOOD: frozenset({SaleState.OVER}),
        SaleState.OVER: frozenset(),
    },
}


def is_not_understood(opportunity: Opportunity) -> bool:
    """Return whether an import does not understand the latest version, in whichever field that is stored."""
    return opportunity.not_understood or opportunity.sale is SaleState.NOT_UNDERSTOOD


def publish_sale_state(known: Opportunity | None, published: Opportunity) -> Opportunity:
    """Return the published Opportunity with the sale state that it has after its publication.

    Args:
        known: The stored version, if there is one.
        published: The published version. Its sale state is NOT_UNDERSTOOD if the import does not understand it.
    """
    sale = _sale_after(SaleEvent.PUBLISH, known.sale, published.sale) if known else published.sale
    return _with_both_facts(published, sale, not_understood=is_not_understood(published))


def keep_over(known: Opportunity | None, published: Opportunity, now: datetime) -> Opportunity:
    """Return the published Opportunity; it stays over if it was over before and has the same end.

    So an import that repeats what is over does not bring it back into the open feeds.
    """
    is_repeated = known is not None and known.sale is SaleState.OVER and known.over_at == published.over_at
    return replace(published, sale=SaleState.OVER) if is_repeated and published.is_over(now) else published


def opportunity_when_over(opportunity: Opportunity) -> Opportunity:
    """Return the Opportunity as it is stored after it has left the open feeds because it is over."""
    after = _sale_after(SaleEvent.END, opportunity.sale, SaleState.OVER)
    return _with_both_facts(opportunity, after, not_understood=is_not_understood(opportunity))


def choose_sale_state(opportunity: Opportunity, sale: SaleState) -> Opportunity:
    """Return the Opportunity with the sale state that its Seller chooses.

    If an import does not understand its latest version, an Opportunity that the Seller puts on sale is NOT_UNDERSTOOD.
    It goes on sale when an import understands it again.
    """
    not_understood = is_not_understood(opportunity)
    wanted = SaleState.NOT_UNDERSTOOD if sale is SaleState.ON_SALE and not_understood else sale
    after = _sale_after(SaleEvent.CHOOSE, opportunity.sale, wanted)
    return _with_both_facts(opportunity, after, not_understood=not_understood)


def mark_not_understood(opportunity: Opportunity) -> Opportunity:
    """Return the Opportunity after an import that does not understand its latest version.

    An Opportunity on sale goes off sale. Its Seller cannot put an Opportunity on sale from now on that is off sale for
    another reason. A withdrawn Opportunity does not change unless it is unpublished: its next publication says anew
    whether it is understood.
    """
    if opportunity.withdrawn and opportunity.sale is not SaleState.UNPUBLISHED:
        return opportunity
    after = _sale_after(SaleEvent.NOT_UNDERSTOOD, opportunity.sale, SaleState.NOT_UNDERSTOOD)
    return _with_both_facts(opportunity, after, not_understood=True)


def withdrawn_opportunity(opportunity: Opportunity, *, is_needed: bool = False) -> Opportunity | None:
    """Return the version of a withdrawn Opportunity that stays stored, or None if the Opportunity is removed.

    An Opportunity that is unpublished, or that its Seller cancelled here, stays stored without its parent. If the
    Opportunity is published again later, it is still unpublished or cancelled.

    Args:
        opportunity: The Opportunity.
        is_needed: Whether the Opportunity stays stored for another reason.
    """
    if opportunity.sale is SaleState.UNPUBLISHED or opportunity.cancelled_here or is_needed:
        return replace(opportunity, parent=None, withdrawn=True)
    return None


def _with_both_facts(opportunity: Opportunity, sale: SaleState, *, not_understood: bool) -> Opportunity:
    """Return the Opportunity with the sale state, which says by itself that the latest version is not understood."""
    marked = not_understood and sale is not SaleState.NOT_UNDERSTOOD
    if sale is opportunity.sale and marked is opportunity.not_understood:
        return opportunity
    return replace(opportunity, sale=sale, not_understood=marked)


def _sale_after(event: SaleEvent, before: SaleState, wanted: SaleState) -> SaleState:
    """Return the wanted sale state if SALE_TRANSITIONS allows the change, or else the present sale state."""
    return wanted if wanted in SALE_TRANSITIONS[event][before] else before
