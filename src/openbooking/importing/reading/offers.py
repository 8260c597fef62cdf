"""Offers as providers publish them (table P-08, AMB-04).

An Offer is left out, with a remark, if its price cannot be read or if this system cannot enforce one of its conditions
(`conditions`). The VAT treatment of an Offer is chosen later, in `link_items.link`.
"""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from openbooking.booking.model.opportunity import Offer
from openbooking.booking.rules.orders.prepayment import can_be_prepaid
from openbooking.importing.reading.conditions import harmless_properties, read_conditions
from openbooking.openactive.ids import type_of_path
from openbooking.openactive.money import round_money
from openbooking.openactive.published.values import (
    JsonObject,
    UnreadableError,
    derive_key,
    display_text,
    is_reference,
    members,
    read_duration,
    read_flag,
    read_price,
    read_term,
    read_text,
    select_publishable,
    type_names,
)
from openbooking.openactive.terms import Availability, FlowRequirement

MAX_OFFERS = 200

# Offers with these requirements are left out, because a feed does not state the questions that Customers must answer.
_ASKED_ELSEWHERE = frozenset({FlowRequirement.ATTENDEE_DETAILS, FlowRequirement.INTAKE_FORM})


def split_offers(value: Any) -> tuple[list[str], list[Any]]:
    """Split published Offers into the `@id`s of Offers that are only referred to, and Offers that are described."""
    named: list[str] = []
    described: list[Any] = []
    for offer in members(value):
        if isinstance(offer, str):
            named.append(offer.strip())
        elif isinstance(offer, dict) and is_reference(offer) and (id_ := read_text(offer.get("@id"))):
            named.append(id_)
        else:
            described.append(offer)
    return named, described


def key_of_offer(id_: str) -> str:
    """Return the key of the Offer with this `@id`."""
    return derive_key("offer", "@id", id_)


def read_offers(value: Any, owner: str) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """Return the described Offers of an Opportunity, and remarks on Offers that are left out or changed.

    Args:
        value: The `offers` as published.
        owner: The path of the Opportunity.
    """
    published = members(value)
    read: list[Offer] = []
    remarks = []
    last_of_key: dict[str, str] = {}
    for position, offer in enumerate(published[:MAX_OFFERS], 1):
        label = _offer_label(offer, position)
        first_key = key = _key(offer, position)
        if first_key in last_of_key:
            key = derive_key(last_of_key[first_key], "again")
        try:
            made, noted = _read_offer(offer, owner, key)
        except UnreadableError as fault:
            remarks.append(f"{label} left out: {fault}")
        else:
            last_of_key[first_key] = key
            read.append(made)
            remarks.extend(f"{label}: {remark}" for remark in noted)
    if len(published) > MAX_OFFERS:
        remarks.insert(0, f"Offers left out: it has {len(published):,}, of which the first {MAX_OFFERS} are read")
    return tuple(read), tuple(remarks)


def _key(offer: Any, position: int) -> str:
    """Return the key of an Offer, derived from its id or name. Without these it is derived from the position."""
    if isinstance(offer, dict):
        for name in ("@id", "identifier", "name"):
            text = read_text(offer.get(name))
            if text:
                return derive_key("offer", name, text)
    return derive_key("offer", "position", str(position))


def _offer_label(offer: Any, position: int) -> str:
    """Return the name of an Offer in remarks."""
    name = read_text(offer.get("name")) if isinstance(offer, dict) else None
    return f"Offer {display_text(name)!r}" if name else f"Offer {position}"


def _read_offer(published: Any, owner: str, key: str) -> tuple[Offer, list[str]]:
    """Return an Offer and remarks. Raise UnreadableError if the Offer must be left out."""
    if not isinstance(published, dict) or type_names(published) not in ([], ["Offer"]):
        kind = ", ".join(type_names(published)) if isinstance(published, dict) else ""
        raise UnreadableError(f"{kind or display_text(published)} is no Offer that can be booked")
    remarks: list[str] = []
    price = _price(published, remarks)
    conditions = read_conditions(published, of_facility=_is_of_facility(owner))
    properties, on_properties = _properties(published)
    in_advance = _availability(published, "openBookingInAdvance", "advanceBooking")
    made = Offer(
        key=key,
        owner=owner,
        price=price,
        currency=_currency(published, price),
        name=read_text(published.get("name")),
        in_advance=in_advance,
        prepayment=_prepayment(published, price, in_advance, remarks),
        valid_from_before_start=_lead_time(published, "validFromBeforeStartDate"),
        valid_through_before_start=_lead_time(published, "validThroughBeforeStartDate"),
        valid_from=conditions.valid_from,
        valid_through=conditions.valid_through,
        min_quantity=conditions.min_quantity,
        max_quantity=conditions.max_quantity,
        latest_cancellation_before_start=_lead_time(published, "latestCancellationBeforeStartDate"),
        full_refund_on_cancellation=_optional_flag(published, "allowCustomerCancellationFullRefund"),
        flow=_flow_requirements(published),
        properties=properties,
    )
    return made, [*remarks, *conditions.remarks, *on_properties]


def _is_of_facility(owner: str) -> bool:
    return type_of_path(owner).is_facility


def _price(published: JsonObject, remarks: list[str]) -> Decimal:
    """Return the price, rounded to pence. Raise UnreadableError if there is none."""
    if "price" not in published:
        raise UnreadableError("it has no price")
    price = read_price(published["price"])
    rounded = round_money(price)
    if rounded != price:
        remarks.append(f"price {price} rounded to {rounded}")
    return rounded


def _currency(published: JsonObject, price: Decimal) -> str | None:
    """Return the currency; None for a free Offer without a currency."""
    currency = (read_text(published.get("priceCurrency")) or "").upper()
    if re.fullmatch("[A-Z]{3}", currency):
        return currency
    if price:
        raise UnreadableError(f"its priceCurrency is {'no currency' if currency else 'missing'}")
    return None


def _availability(published: JsonObject, *names: str) -> Availability | None:
    """Return the term of a property; None if absent. `names` are its current and former names, which must agree."""
    stated = [member for name in names for member in members(published.get(name))]
    return read_term(stated, Availability) if stated else None


def _prepayment(
    published: JsonObject, price: Decimal, in_advance: Availability | None, remarks: list[str]
) -> Availability | None:
    """Return the prepayment term; None if absent or if there is nothing to prepay (OB-BKBL-21, OB-BKBL-23)."""
    prepayment = _availability(published, "openBookingPrepayment", "prepayment")
    if prepayment in (None, Availability.UNAVAILABLE) or can_be_prepaid(price, in_advance):
        return prepayment
    remarks.append("openBookingPrepayment left out: there is nothing to prepay")
    return None


def _lead_time(published: JsonObject, name: str) -> timedelta | None:
    return read_duration(published[name]) if name in published else None


def _optional_flag(published: JsonObject, name: str) -> bool | None:
    if name not in published:
        return None
    try:
        return read_flag(published[name])
    except UnreadableError as fault:
        raise UnreadableError(f"{name}: {fault}") from fault


def _flow_requirements(published: JsonObject) -> tuple[FlowRequirement, ...]:
    """Return the requirements of the booking flow. Raise UnreadableError for those that cannot be fulfilled."""
    asked = tuple(read_term(value, FlowRequirement) for value in members(published.get("openBookingFlowRequirement")))
    missing = _ASKED_ELSEWHERE.intersection(asked)
    if missing:
        raise UnreadableError(f"it needs {', '.join(sorted(missing))}, and the feed does not state the questions")
    return asked


def _properties(published: JsonObject) -> tuple[dict[str, Any], list[str]]:
    """Return the harmless properties to publish, and remarks on properties that are left out.

    `ageRange` is published as `ageRestriction`, which is its name on bookable Offers.
    """
    kept = harmless_properties(published)
    if "ageRange" in published:
        kept.setdefault("ageRestriction", published["ageRange"])
    return select_publishable(kept)
