"""Changes of the terms of a grant, as a person names them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.rules.matching_keys import normal_key
from openbooking.openactive.ids import Identifiers, OfferRef
from openbooking.user_error import UserError


class InvalidTermsError(UserError):
    """The changes contradict each other, or name something that cannot be agreed on."""


class ClearableTerm(StrEnum):
    """A term that can be taken out of a grant: its accounts, its restriction, or its own limit."""

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
    """The terms that are to change; a field that is None stays as it is.

    Attributes:
        offer_overrides: Whether the partner may name a price of its own (OB-OVR-01).
        dynamic_accounts: All accountIds with which it may book without a price (OB-DYN-01).
        venues: All venues at which it may book, each by `@id`, identifier or "name, postcode".
        activities: All activities that it may book, each by `@id` or prefLabel.
        offers: All Offers at which it may book, each by `@id`, with the Base URI or without.
        open_quotes: How many OrderQuotes it may have that hold spaces.
        open_proposals: How many OrderProposals it may have that hold spaces.
        clear: The terms that go back to their defaults.
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
        """Whether every term stays as it is."""
        return self == TermChanges()

    def on(self, ids: Identifiers) -> Callable[[GrantTerms], GrantTerms]:
        """Return the function that changes terms; `ids` resolve the `@id`s of Offers. Raise InvalidTermsError."""
        named: dict[str, Any] = {name: value for name, value in self._named(ids).items() if value is not None}
        cleared = {term.field: getattr(NO_TERMS, term.field) for term in self.clear or ()}
        if twice := sorted(named.keys() & cleared.keys()):
            raise InvalidTermsError(f"Either name them or clear them: {', '.join(twice)}.")
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
        raise InvalidTermsError(f"Name each {term}; there is no sign for all of them.")
    return texts


def _offer(ids: Identifiers, text: str) -> OfferRef:
    found = ids.parse_offer(text) or ids.parse_offer(ids.opportunity(text))
    if found is None:
        raise InvalidTermsError(f"{text} names no Offer: give its @id, or for example session-series/KEY#/offers/KEY.")
    return found
