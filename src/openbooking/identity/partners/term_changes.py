"""Changes of the terms of a grant, as an administrator writes them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.rules.opportunities.matching_keys import normal_key
from openbooking.openactive.ids import Identifiers, OfferRef
from openbooking.user_error import UserError


class InvalidTermsError(UserError):
    """The changes contradict each other, or a value is not valid for its term."""


class ClearableTerm(StrEnum):
    """A term of a grant that can be reset to its default."""

    DYNAMIC_ACCOUNTS = "dynamic-accounts"
    VENUES = "venues"
    ACTIVITIES = "activities"
    OFFERS = "offers"
    OPEN_QUOTES = "open-quotes"
    OPEN_PROPOSALS = "open-proposals"

    @property
    def field(self) -> str:
        """The field of GrantTerms."""
        return self.replace("-", "_")


class TermChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of terms. A field that is None does not change its term.

    Attributes:
        offer_overrides: Whether the partner may set prices of its own (OB-OVR-01).
        dynamic_accounts: The accountIds with which the partner may book without a price (OB-DYN-01).
        venues: The venues where the partner may book, each by `@id`, identifier or "name, postcode".
        activities: The activities that the partner may book, each by `@id` or prefLabel.
        offers: The Offers that the partner may use, each by `@id`, with or without the Base URI.
        open_quotes: How many OrderQuotes of the partner may hold spaces at a time.
        open_proposals: How many OrderProposals of the partner may hold spaces at a time.
        clear: The terms to reset to their defaults.
    """

    offer_overrides: bool | None = None
    dynamic_accounts: list[str] | None = None
    venues: list[str] | None = None
    activities: list[str] | None = None
    offers: list[str] | None = None
    open_quotes: int | None = None
    open_proposals: int | None = None
    clear: list[ClearableTerm] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no term changes."""
        return self == TermChanges()

    def on(self, ids: Identifiers) -> Callable[[GrantTerms], GrantTerms]:
        """Return a function that changes terms. Raise InvalidTermsError.

        Args:
            ids: Read the `@id`s of Offers.
        """
        named: dict[str, Any] = {name: value for name, value in self._named(ids).items() if value is not None}
        cleared = {term.field: getattr(NO_TERMS, term.field) for term in self.clear or ()}
        if twice := sorted(named.keys() & cleared.keys()):
            raise InvalidTermsError(f"Set or clear each of these terms, not both: {', '.join(twice)}.")
        return lambda terms: replace(terms, **named, **cleared)

    def _named(self, ids: Identifiers) -> dict[str, Any]:
        return {
            "offer_overrides": self.offer_overrides,
            "dynamic_accounts": _texts(self.dynamic_accounts, str.strip, "account"),
            "venues": _texts(self.venues, normal_key, "venue"),
            "activities": _texts(self.activities, normal_key, "activity"),
            "offers": None if self.offers is None else frozenset(_offer(ids, text) for text in self.offers),
            "open_quotes": self.open_quotes,
            "open_proposals": self.open_proposals,
        }


def _texts(values: list[str] | None, normalize: Callable[[str], str], term: str) -> frozenset[str] | None:
    if values is None:
        return None
    texts = frozenset(map(normalize, values))
    if not texts.isdisjoint(("", "*")):
        raise InvalidTermsError(f"Name each {term}; an empty text or * is not allowed.")
    return texts


def _offer(ids: Identifiers, text: str) -> OfferRef:
    found = ids.parse_offer(text) or ids.parse_offer(ids.opportunity(text))
    if found is None:
        raise InvalidTermsError(f"{text} names no Offer: give its @id, or for example session-series/KEY#/offers/KEY.")
    return found
