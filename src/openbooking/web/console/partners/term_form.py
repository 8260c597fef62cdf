"""The form of the terms of a grant: what its fields show, and the terms that its fields stand for."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.matching_keys import names_by_key, normal_key
from openbooking.identity.partners.term_changes import InvalidTermsError, TermChanges
from openbooking.openactive.ids import Identifiers
from openbooking.web.pages import Form, Problem

_LARGEST_NUMBER = 1_000_000


class TermError(Exception):
    """A field has no valid value."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.problem = Problem(text, (field,))


class OfferChoice(NamedTuple):
    """An Offer that the Seller publishes: its `@id`, and what people call it."""

    id: str
    name: str


class Choices(NamedTuple):
    """What the Seller publishes and a grant can be narrowed to.

    Attributes:
        venues: The names of the venues, by their keys.
        activities: The names of the activities, by their keys.
        offers: The Offers.
    """

    venues: dict[str, str]
    activities: dict[str, str]
    offers: tuple[OfferChoice, ...]


def choices_of(opportunities: Iterable[Opportunity], ids: Identifiers) -> Choices:
    """Return what these Opportunities can be narrowed to."""
    venues: dict[str, str] = {}
    activities: dict[str, str] = {}
    offers: list[OfferChoice] = []
    for opportunity in opportunities:
        names = names_by_key(opportunity)
        if opportunity.venue:
            venues[opportunity.venue] = names.get(opportunity.venue, opportunity.venue)
        activities |= {key: names.get(key, key) for key in opportunity.activities}
        about = str(opportunity.properties.get("name") or opportunity.path)
        offers += [
            OfferChoice(ids.offer(offer.ref), f"{about}: {offer.name or offer.key}") for offer in opportunity.offers
        ]
    return Choices(venues, activities, tuple(offers))


def fields_of(terms: GrantTerms, choices: Choices, ids: Identifiers) -> Form:
    """Return the values of the fields for these terms."""
    return {
        "offer_overrides": "yes" if terms.offer_overrides else "",
        "dynamic_accounts": "\n".join(sorted(terms.dynamic_accounts)),
        "venues": _lines(terms.venues, choices.venues),
        "activities": _lines(terms.activities, choices.activities),
        "offers": "\n".join(sorted(ids.offer(ref) for ref in terms.offers or ())),
        "open_quotes": "" if terms.open_quotes is None else str(terms.open_quotes),
        "open_proposals": "" if terms.open_proposals is None else str(terms.open_proposals),
    }


def read_terms(fields: Form, before: GrantTerms, choices: Choices, ids: Identifiers) -> GrantTerms:
    """Return the terms that the fields stand for; an empty field is the default of its term.

    Args:
        fields: The fields of the form.
        before: The present terms, whose venues and activities are accepted even if they are published no more.
        choices: The venues and activities that are accepted.
        ids: Reads the `@id`s of Offers.

    Raises:
        TermError: A field has no valid value.
    """
    venues = _known(fields, "venues", choices.venues, before.venues)
    activities = _known(fields, "activities", choices.activities, before.activities)
    changes = {
        "offer_overrides": TermChanges(offer_overrides=fields.get("offer_overrides") == "yes"),
        "dynamic_accounts": TermChanges(dynamic_accounts=_entries(fields, "dynamic_accounts")),
        "venues": TermChanges(venues=venues),
        "activities": TermChanges(activities=activities),
        "offers": TermChanges(offers=_entries(fields, "offers") or None),
        "open_quotes": TermChanges(open_quotes=_number(fields, "open_quotes")),
        "open_proposals": TermChanges(open_proposals=_number(fields, "open_proposals")),
    }
    terms = GrantTerms()
    for field, change in changes.items():
        try:
            terms = change.on(ids)(terms)
        except InvalidTermsError as fault:
            raise TermError(str(fault), field) from fault
    return terms


def _lines(keys: frozenset[str] | None, names: Mapping[str, str]) -> str:
    """Return a line for each key: its name, if no other key has the same one."""
    every = list(names.values())
    shown = (names[key] if key in names and every.count(names[key]) == 1 else key for key in keys or ())
    return "\n".join(sorted(shown))


def _known(fields: Form, field: str, names: Mapping[str, str], before: frozenset[str] | None) -> list[str] | None:
    """Return the keys that a field lists by key or by name; None for an empty field.

    A name that several keys have stands for all of them.
    """
    keys: list[str] = []
    for entry in _entries(fields, field):
        key = normal_key(entry)
        found = [key] if key in names or key in (before or ()) else _named(key, names)
        if not found:
            message = f"You publish nothing under “{entry}”. Enter a name from the list, one on each line."
            raise TermError(message, field)
        keys += found
    return keys or None


def _named(name: str, names: Mapping[str, str]) -> list[str]:
    return [key for key, other in names.items() if other.casefold() == name.casefold()]


def _entries(fields: Form, field: str) -> list[str]:
    return [line.strip() for line in fields.get(field, "").splitlines() if line.strip()]


def _number(fields: Form, field: str) -> int | None:
    text = fields.get(field, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) <= _LARGEST_NUMBER):
        raise TermError(f"Enter a whole number up to {_LARGEST_NUMBER:,}, or nothing.", field)
    return int(text)
