"""The Offer of an OrderItem that no Lease guarantees: published, with a price that the Broker sets, or dynamic."""

from collections.abc import Iterable

from msgspec.structs import replace

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import FormField, Offer, Opportunity, Seller, applicable_offers
from openbooking.booking.model.order_request import ItemRequest, OfferOverride
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.opportunities.bookability import (
    Pair,
    conditions_of,
    why_not_bookable,
    why_wrong_quantity,
)
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.money import ZERO

OVERRIDE_KEY = "override"


def published_offer(situation: Situation, opportunity: Opportunity, request: ItemRequest) -> Offer | ItemError:
    """Return the requested Offer, or an error if the Offer is unknown or does not apply to the Opportunity."""
    if request.offer is None:
        return _error(ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID, f"{request.offer_id} names no Offer.")
    applicable = applicable_offers(opportunity, situation.parents(opportunity))
    found = next((offer for offer in applicable if offer.ref == request.offer), None)
    if found:
        return found
    owner = situation.opportunities.get(request.offer.owner)
    exists = owner is not None and any(offer.ref == request.offer for offer in owner.offers)
    return _error(ItemErrorType.UNACCEPTABLE_OFFER if exists else ItemErrorType.UNKNOWN_OFFER)


def overridden_offer(
    situation: Situation, terms: GrantTerms, opportunity: Opportunity, override: OfferOverride, *, at_desk: bool = False
) -> Offer | ItemError:
    """Return an Offer with the price that the Broker sets, or an error if the price may not be set (OB-OVR-02).

    The Offer has the requirements of all applicable Offers (OB-OVR-10), but no booking window. It requires prepayment
    (OB-OVR-08), and the Customer can cancel with a full refund (OB-OVR-09).

    Args:
        situation: The situation of the decision.
        terms: The terms of the grant.
        opportunity: The Opportunity.
        override: The price.
        at_desk: Whether the front desk of the Seller sets the price. It needs no agreement.
    """
    if not (at_desk or (situation.policy.offer_overrides and terms.offer_overrides)):
        return _error(ItemErrorType.UNACCEPTABLE_OFFER, "The Seller has not agreed to prices that the Broker sets.")
    family = (opportunity, *situation.parents(opportunity))
    if next((member.accessible_for_free for member in family if member.accessible_for_free is not None), False):
        return _error(ItemErrorType.UNACCEPTABLE_OFFER, "The price of a free Opportunity cannot be overridden.")
    offers = applicable_offers(opportunity, situation.parents(opportunity))
    offer = Offer(
        key=OVERRIDE_KEY,
        owner=opportunity.path,
        price=override.price,
        currency=override.currency if override.price else None,
        name=override.name,
        full_refund_on_cancellation=True,
        flow=tuple(dict.fromkeys(requirement for offer in offers for requirement in offer.flow)),
        attendee_details=tuple(dict.fromkeys(uri for offer in offers for uri in offer.attendee_details)),
        intake_form=_all_questions(offers),
        override=True,
        properties=override.properties,
    )
    return replace(offer, vat=offers[0].vat) if offers else offer


def dynamic_offer(  # noqa: PLR0913, PLR0917 - everything that the choice depends on
    situation: Situation,
    terms: GrantTerms,
    seller: Seller,
    opportunity: Opportunity,
    request: ItemRequest,
    items: int,
) -> Offer | ItemError:
    """Return the Offer of an item with a dynamic payment, without its price, or an error (OB-DYN-03, OB-DYN-10).

    This is the first applicable Offer that can be booked (OB-DYN-05). Offers within the terms are tried first. If no
    Offer can be booked, the first applicable Offer is returned, and the dry run adds the error to its item.

    Args:
        situation: The situation of the decision.
        terms: The terms of the grant.
        seller: The Seller.
        opportunity: The Opportunity.
        request: The requested item.
        items: The number of OrderItems of the Opportunity in the request.
    """
    if request.offer_id or request.override:
        return _error(ItemErrorType.UNACCEPTABLE_OFFER, "With a DynamicPayment there is no acceptedOffer.")
    offers = applicable_offers(opportunity, situation.parents(opportunity))
    if not offers:
        return _error(ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE, "The Opportunity has no Offer.")
    parents = situation.parents(opportunity)
    best_first = sorted(offers, key=lambda offer: terms.include(offer, parents), reverse=True)
    pairs = (Pair(opportunity, offer, seller, parents) for offer in best_first)
    of_quantity = (pair for pair in pairs if not why_wrong_quantity(pair.offer, items))
    for pair in of_quantity:
        conditions = conditions_of(pair.offer, is_entitled=terms.names_offer(pair.offer, parents))
        if not why_not_bookable(pair, situation.now, conditions):
            return unpriced_offer(pair.offer)
    return unpriced_offer(offers[0])


def unpriced_offer(offer: Offer) -> Offer:
    """Return the Offer without its price."""
    return replace(offer, price=ZERO, currency=None, prepayment=None)


def _all_questions(offers: Iterable[Offer]) -> tuple[FormField, ...]:
    """Return the questions of these Offers, each once."""
    return tuple({field.key: field for offer in offers for field in offer.intake_form}.values())


def _error(type_: ItemErrorType, description: str | None = None) -> ItemError:
    return ItemError(type=type_, description=description)
