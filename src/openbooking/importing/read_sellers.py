"""Sellers as providers publish them: the `organizer` of an event, the `provider` of a facility (table P-05)."""

from typing import Any

import msgspec

from openbooking.booking.opportunity import Seller
from openbooking.importing.read_values import (
    JsonObject,
    UnreadableError,
    derive_key,
    publishable,
    read_flag,
    read_term,
    read_text,
    type_names,
)
from openbooking.spec.terms import TaxMode

_NOT_KEPT = frozenset(
    {"@context", "@type", "@id", "name", "legalName", "taxMode", "isOpenBookingAllowed", "givenName", "familyName"}
)


class NamedSeller(msgspec.Struct, frozen=True, kw_only=True):
    """A Seller that an item names; `seller` is None where it only refers to one that is described elsewhere."""

    key: str
    label: str
    seller: Seller | None = None
    remarks: tuple[str, ...] = ()


def read_seller(value: Any, source: str) -> NamedSeller | None:
    """The Seller that is published, or None. `source` tells apart Sellers of the same name that have no `@id`."""
    published = value[0] if isinstance(value, list) and value else value
    if isinstance(published, str):
        published = {"@id": published.strip()}
    if not isinstance(published, dict):
        return None
    name = _name(published)
    key = _key(published, name, source)
    if key is None:
        return None
    label = f"Seller {name or read_text(published.get('@id')) or read_text(published.get('url'))}"
    if name is None:
        return NamedSeller(key=key, label=label)
    return _described(published, key, label, name, source)


def _name(published: JsonObject) -> str | None:
    names = [read_text(published.get(name)) for name in ("name", "legalName")]
    person = [read_text(published.get(name)) for name in ("givenName", "familyName")]
    return next((name for name in names if name), None) or " ".join(part for part in person if part) or None


def _key(published: JsonObject, name: str | None, source: str) -> str | None:
    for property_ in ("@id", "url"):
        text = read_text(published.get(property_))
        if text:
            return derive_key("seller", text)
    return derive_key("seller", source, name) if name else None


def _described(published: JsonObject, key: str, label: str, name: str, source: str) -> NamedSeller:
    remarks = []
    legal_name = read_text(published.get("legalName"))
    if legal_name is None:
        remarks.append("no legalName: its name taken")
    allowed, tax_mode = True, TaxMode.GROSS
    if "taxMode" not in published:
        remarks.append("no taxMode: prices taken to include VAT")
    # What is not understood is not guessed: such a Seller sells nothing until somebody has completed it.
    try:
        tax_mode = read_term(published.get("taxMode", tax_mode), TaxMode)
        allowed = read_flag(published.get("isOpenBookingAllowed", True))
    except UnreadableError as fault:
        allowed = False
        remarks.append(f"taxMode or isOpenBookingAllowed: {fault}: open booking is not allowed")
    if "address" not in published:
        remarks.append("no address, which Orders must show")
    properties, on_properties = publishable({name: value for name, value in published.items() if name not in _NOT_KEPT})
    seller = Seller(
        key=key,
        type="Person" if "Person" in type_names(published) else "Organization",
        name=name,
        legal_name=legal_name or name,
        tax_mode=tax_mode,
        open_booking_allowed=allowed,
        source=f"{source}#{key}",
        properties=properties,
    )
    return NamedSeller(key=key, label=label, seller=seller, remarks=(*remarks, *on_properties))
