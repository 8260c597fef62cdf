"""Sellers as providers publish them: the `organizer` of an event or the `provider` of a facility (table P-05)."""

from typing import Any

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Seller
from openbooking.importing.reading.source import Source
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    derive_key,
    read_flag,
    read_term,
    read_text,
    select_publishable,
    type_names,
)
from openbooking.openactive.terms import TaxMode

_NOT_KEPT = frozenset(
    {"@context", "@type", "@id", "name", "legalName", "taxMode", "isOpenBookingAllowed", "givenName", "familyName"}
)


class NamedSeller(msgspec.Struct, frozen=True, kw_only=True):
    """A Seller that an item names.

    Attributes:
        key: The key of the Seller.
        former_key: The key that earlier versions of this system gave to the Seller.
        label: The name of the Seller in reports.
        seller: The Seller; None if the item only refers to the Seller and another item describes it.
        remarks: Remarks on values that were assumed or left out.
    """

    key: str
    former_key: str
    label: str
    seller: Seller | None = None
    remarks: tuple[str, ...] = ()


def read_seller(value: Any, source: Source) -> NamedSeller | None:
    """Return the Seller that an item names; None if it names none.

    Args:
        value: The `organizer` or `provider` as published.
        source: The source of the item. It distinguishes Sellers that share a name and have no `@id` or URL.
    """
    published = value[0] if isinstance(value, list) and value else value
    if isinstance(published, str):
        published = {"@id": published.strip()}
    if not isinstance(published, dict):
        return None
    name = _name(published)
    key, former_key = (_key(published, name, known_as) for known_as in source)
    if key is None or former_key is None:
        return None
    label = f"Seller {name or read_text(published.get('@id')) or read_text(published.get('url'))}"
    if name is None:
        return NamedSeller(key=key, former_key=former_key, label=label)
    return replace(_read_described(published, key, label, name, source.name), former_key=former_key)


def _name(published: JsonObject) -> str | None:
    names = [read_text(published.get(name)) for name in ("name", "legalName")]
    person = [read_text(published.get(name)) for name in ("givenName", "familyName")]
    return next((name for name in names if name), None) or " ".join(part for part in person if part) or None


def _key(published: JsonObject, name: str | None, source: str) -> str | None:
    """Return the key of a Seller, derived from its `@id`, URL or name; None without these."""
    for property_ in ("@id", "url"):
        text = read_text(published.get(property_))
        if text:
            return derive_key("seller", text)
    return derive_key("seller", source, name) if name else None


def _read_described(published: JsonObject, key: str, label: str, name: str, source: str) -> NamedSeller:
    """Return a Seller that an item describes, with remarks on values that were assumed."""
    remarks = []
    legal_name = read_text(published.get("legalName"))
    if legal_name is None:
        remarks.append("no legalName: its name taken")
    allowed, tax_mode = True, TaxMode.GROSS
    if "taxMode" not in published:
        remarks.append("no taxMode: prices taken to include VAT")
    # If these properties are not understood, open booking is not allowed until the operator corrects the Seller.
    try:
        tax_mode = read_term(published.get("taxMode", tax_mode), TaxMode)
        allowed = read_flag(published.get("isOpenBookingAllowed", True))
    except UnreadableError as fault:
        allowed = False
        remarks.append(f"taxMode or isOpenBookingAllowed: {fault}: open booking is not allowed")
    if "address" not in published:
        remarks.append("no address, which Orders must show")
    properties, on_properties = select_publishable(
        {name: value for name, value in published.items() if name not in _NOT_KEPT}
    )
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
    return NamedSeller(key=key, former_key=key, label=label, seller=seller, remarks=(*remarks, *on_properties))
