"""The terms between a Seller and a Booking Partner: options of `openbooking partner grant`, lines of `show`."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.rules.matching_keys import normal_key
from openbooking.cli.faults import CommandError
from openbooking.openactive.ids import Identifiers, OfferRef


class Clearable(StrEnum):
    """What can be taken out of the terms: then no account is agreed on, nothing is narrowed, or settings decide."""

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


OfferOverrides = Annotated[
    bool | None, typer.Option(help="Whether it may name a price of its own. OPENBOOKING_OFFER_OVERRIDES must allow it.")
]
DynamicAccount = Annotated[
    list[str] | None,
    typer.Option(
        help="An accountId with which it may book without a price. OPENBOOKING_DYNAMIC_ACCOUNTS must allow it."
    ),
]
Venue = Annotated[
    list[str] | None,
    typer.Option(help="Let it book at this venue only: the @id or identifier of a location, else 'Name, Postcode'."),
]
Activity = Annotated[
    list[str] | None, typer.Option(help="Let it book this activity only: the @id of a concept, else its prefLabel.")
]
OfferName = Annotated[
    list[str] | None,
    typer.Option("--offer", help="Let it book at this Offer only: its @id, or as session-series/KEY#/offers/KEY."),
]
OpenQuotes = Annotated[int | None, typer.Option(min=0, help="How many OrderQuotes it may have that hold spaces.")]
OpenProposals = Annotated[int | None, typer.Option(min=0, help="How many OrderProposals it may have that hold spaces.")]
Clear = Annotated[list[Clearable] | None, typer.Option(help="What to take out of the terms; may be repeated.")]


class TermOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options say; None for what they do not name, which stays as it is."""

    offer_overrides: bool | None = None
    dynamic_accounts: list[str] | None = None
    venues: list[str] | None = None
    activities: list[str] | None = None
    offers: list[str] | None = None
    open_quotes: int | None = None
    open_proposals: int | None = None
    clear: list[Clearable] | None = None

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self != TermOptions()

    def change(self, ids: Identifiers) -> Callable[[GrantTerms], GrantTerms]:
        """How the terms are to change. Raises CommandError for options that make no sense."""
        named: dict[str, Any] = {name: value for name, value in self._named(ids).items() if value is not None}
        cleared = {what.field: getattr(NO_TERMS, what.field) for what in self.clear or ()}
        if twice := sorted(named.keys() & cleared.keys()):
            raise CommandError(f"Either name them or clear them: {', '.join(twice)}.")
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


def describe_terms(seller: str, terms: GrantTerms) -> list[tuple[str, ...]]:
    """One line for each thing that is agreed on, or that the partner is kept to."""
    sets: dict[str, Iterable[str] | None] = {
        "dynamic account": terms.dynamic_accounts,
        "only venue": terms.venues,
        "only activity": terms.activities,
        "only Offer": None if terms.offers is None else map(_written, terms.offers),
    }
    numbers = {"open quotes": terms.open_quotes, "open proposals": terms.open_proposals}
    found = [("offer overrides", "agreed")] if terms.offer_overrides else []
    found += [(name, value) for name, values in sets.items() for value in sorted(values or ())]
    found += [(name, str(number)) for name, number in numbers.items() if number is not None]
    return [("terms", seller, *line) for line in found]


def _texts(values: list[str] | None, normal: Callable[[str], str], what: str) -> frozenset[str] | None:
    if values is None:
        return None
    texts = frozenset(map(normal, values))
    if not texts.isdisjoint(("", "*")):
        raise CommandError(f"Name each {what}; there is no sign for all of them.")
    return texts


def _offer(ids: Identifiers, text: str) -> OfferRef:
    """The Offer of this `@id`, with the Base URI or without."""
    found = ids.parse_offer(text) or ids.parse_offer(ids.opportunity(text))
    if found is None:
        raise CommandError(f"{text} names no Offer: give its @id, or for example session-series/KEY#/offers/KEY.")
    return found


def _written(ref: OfferRef) -> str:
    return f"{ref.owner}#/offers/{ref.key}"
