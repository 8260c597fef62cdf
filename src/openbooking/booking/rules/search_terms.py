"""What Orders are searched by: the name, e-mail address and telephone number of the Customer, in a normal form.

Case and accents are ignored in names. Of telephone numbers the digits count, and +44 is the same as a leading 0.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from openbooking.booking.model.order import PersonalData

# Longer texts are compared by their beginning. An entry in an index has a limited size.
_MOST_CHARACTERS = 100
_TELEPHONE = re.compile(r"[\s+\d().\-/]+")
_FEWEST_DIGITS = 5
_BRITISH, _BRITISH_DIGITS = "44", 12


class SearchTerms(NamedTuple):
    """The terms by which an Order is found; None for what the Customer has not stated.

    `family_name` is also the name of an organisation.
    """

    family_name: str | None = None
    given_name: str | None = None
    email: str | None = None
    telephone: str | None = None


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
        """Whether an Order with these terms is found."""
        term: str | None = getattr(terms, self.term)
        if term is None or not (term == self.value if self.is_whole else term.startswith(self.value)):
            return False
        return (terms.given_name or "").startswith(self.given_name)


def search_terms(personal: PersonalData | None) -> SearchTerms:
    """Return the terms of an Order with this personal data."""
    customer = personal.customer if personal else None
    if not customer:
        return SearchTerms()
    given, family = _text(customer, "givenName"), _text(customer, "familyName")
    if not given and not family:
        family = _text(customer, "name")
        if customer.get("@type") == "Person":
            given, _, family = family.rpartition(" ")
    telephone = normal_telephone(_text(customer, "telephone"))
    terms = (normal_name(family), normal_name(given), normal_email(_text(customer, "email")), telephone)
    return SearchTerms(*(term[:_MOST_CHARACTERS] or None for term in terms))


def lookups(text: str) -> tuple[Lookup, ...]:
    """Return the ways in which a text finds Orders, the most likely first; none for an empty text."""
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


def is_contact(text: str) -> bool:
    """Return whether a text is a whole e-mail address or a whole telephone number."""
    return any(lookup.term in ("email", "telephone") for lookup in lookups(text))


def has_contact(personal: PersonalData | None, contact: str) -> bool:
    """Return whether the Customer has stated this e-mail address or telephone number; the whole text counts."""
    customer = personal.customer if personal else None
    if not customer:
        return False
    if "@" in contact:
        return normal_email(_text(customer, "email")) == normal_email(contact)
    return normal_telephone(_text(customer, "telephone")) == normal_telephone(contact)


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
