"""What Orders and OrderProposals are searched by: names, e-mail addresses and telephone numbers in a normal form.

They are those of the Customer and of the attendees.

Case and accents are ignored in names. Of telephone numbers the digits count, and +44 is the same as a leading 0.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from openbooking.booking.model.order import PersonalData, Reflected

# The number that stands for the Customer beside the numbers of OrderItems, which begin with 1.
CUSTOMER = 0

# Longer texts are compared by their beginning. An entry in an index has a limited size.
_MOST_CHARACTERS = 100
_TELEPHONE = re.compile(r"[\s+\d().\-/]+")
_FEWEST_DIGITS = 5
_BRITISH, _BRITISH_DIGITS = "44", 12


class SearchTerms(NamedTuple):
    """The terms by which a Customer or an attendee is found; None for what is not stated.

    `family_name` is also the name of an organisation.
    """

    family_name: str | None = None
    given_name: str | None = None
    email: str | None = None
    telephone: str | None = None

    def add_to(self, other: "SearchTerms") -> bool:
        """Whether a term differs from the term of another person."""
        return any(term not in (None, same) for term, same in zip(self, other, strict=True))


class Match(NamedTuple):
    """The place of an Order in a search: the index of the way in which it is found, and the term found."""

    way: int
    term: str


class Lookup(NamedTuple):
    """One way in which an Order can be found.

    Attributes:
        term: The name of the term in SearchTerms.
        value: The beginning of the term, or all of it.
        is_whole: Whether `value` is all of the term.
        given_name: The beginning that the given name must have, too.
    """

    term: str
    value: str
    is_whole: bool = False
    given_name: str = ""

    def finds(self, terms: SearchTerms) -> bool:
        """Whether a person with these terms is found."""
        term: str | None = getattr(terms, self.term)
        if term is None or not (term == self.value if self.is_whole else term.startswith(self.value)):
            return False
        return (terms.given_name or "").startswith(self.given_name)


def search_terms(personal: PersonalData | None) -> dict[int, SearchTerms]:
    """Return the terms of the people in personal data, by the numbers of their OrderItems; the Customer is number 0.

    An attendee who has no terms but those of a person before is left out.
    """
    found = {CUSTOMER: terms_of(personal.customer if personal else None)}
    for number, attendee in sorted(personal.attendees.items()) if personal else ():
        terms = terms_of(attendee)
        if all(terms.add_to(before) for before in found.values()):
            found[number] = terms
    return found


def terms_of(person: Reflected | None) -> SearchTerms:
    """Return the terms of one Customer or attendee."""
    if not person:
        return SearchTerms()
    given, family = _text(person, "givenName"), _text(person, "familyName")
    if not given and not family:
        family = _text(person, "name")
        if person.get("@type") == "Person":
            given, _, family = family.rpartition(" ")
    telephone = normal_telephone(_text(person, "telephone"))
    terms = (normal_name(family), normal_name(given), normal_email(_text(person, "email")), telephone)
    return SearchTerms(*(term[:_MOST_CHARACTERS] or None for term in terms))


def lookups(text: str) -> tuple[Lookup, ...]:
    """Return the ways in which a text finds people, the most likely first; none for an empty text."""
    text = text.strip()
    if not text:
        return ()
    if "@" in text:
        return (Lookup("email", normal_email(text)[:_MOST_CHARACTERS], is_whole=True),)
    if _TELEPHONE.fullmatch(text) and sum(map(str.isdigit, text)) >= _FEWEST_DIGITS:
        return (Lookup("telephone", normal_telephone(text)[:_MOST_CHARACTERS], is_whole=True),)
    name = normal_name(text)[:_MOST_CHARACTERS]
    if not name:
        return ()
    first, _, last = name.rpartition(" ")
    full_name = (Lookup("family_name", last, given_name=first),) if first else ()
    return (*full_name, Lookup("family_name", name), Lookup("given_name", name))


def first_match(ways: Sequence[Lookup], people: Iterable[SearchTerms]) -> Match | None:
    """Return the first way, and the first term in that way, by which one of these people is found."""
    terms = tuple(people)
    matches = (
        Match(rank, getattr(found, way.term)) for rank, way in enumerate(ways) for found in terms if way.finds(found)
    )
    return min(matches, default=None)


def found_attendees(personal: PersonalData | None, text: str) -> list[Reflected]:
    """Return the attendees whom a text finds; none if it finds the Customer, or if it is empty."""
    ways, people = lookups(text), search_terms(personal)
    if personal is None or first_match(ways, [people[CUSTOMER]]):
        return []
    return [personal.attendees[number] for number in people if number and first_match(ways, [people[number]])]


def is_contact(text: str) -> bool:
    """Return whether a text is a whole e-mail address or a whole telephone number."""
    return any(lookup.term in ("email", "telephone") for lookup in lookups(text))


def has_contact(person: Reflected | None, contact: str) -> bool:
    """Return whether a Customer or attendee has this e-mail address or telephone number; the whole text counts."""
    if not person:
        return False
    if "@" in contact:
        return normal_email(_text(person, "email")) == normal_email(contact)
    return normal_telephone(_text(person, "telephone")) == normal_telephone(contact)


def numbers_of(personal: PersonalData | None, contact: str) -> frozenset[int]:
    """Return the numbers of the OrderItems that a person attends; the Customer is number 0.

    Args:
        personal: The personal data of an Order or OrderProposal.
        contact: The whole e-mail address or telephone number of the person.
    """
    if personal is None:
        return frozenset()
    people = {CUSTOMER: personal.customer, **personal.attendees}
    return frozenset(number for number, person in people.items() if has_contact(person, contact))


def normal_name(text: str) -> str:
    """Return a name, or a part of one, without accents, in lower case and with single spaces."""
    bare = text.casefold()
    if not bare.isascii():
        decomposed = unicodedata.normalize("NFKD", bare)
        bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("\0", "").split())


def normal_telephone(text: str) -> str:
    """Return the digits of a telephone number, of a British one with a leading 0."""
    digits = "".join(re.findall(r"[0-9]", text))
    has_prefix = digits.startswith(_BRITISH) and len(digits) == _BRITISH_DIGITS
    if has_prefix or text.lstrip().startswith("+"):
        digits = f"00{digits}"
    abroad = f"00{_BRITISH}"
    return "0" + digits.removeprefix(abroad).removeprefix("0") if digits.startswith(abroad) else digits


def normal_email(text: str) -> str:
    """Return an e-mail address in lower case, without spaces around it."""
    return text.strip().replace("\0", "").casefold()


def _text(thing: Mapping[str, Any], name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""
