"""Messages leave out absent properties, and open objects keep properties of their publishers."""

from typing import Any

import msgspec
import pytest

from openbooking.openactive import messages
from openbooking.openactive.terms import Availability

OFFER: dict[str, Any] = {"@type": "Offer", "@id": "https://example.com/offers/1", "price": 5.5, "priceCurrency": "GBP"}


@pytest.mark.spec("OB-MT-09")
def test_absent_properties_are_not_encoded() -> None:
    item = messages.OrderItem(accepted_offer="https://example.com/offers/1")
    assert msgspec.to_builtins(item) == {"@type": "OrderItem", "acceptedOffer": "https://example.com/offers/1"}


@pytest.mark.spec("OB-MT-10")
def test_unknown_properties_are_ignored() -> None:
    sent = b'{"@type":"Lease","leaseExpires":"2027-03-01T12:15:00Z","acme:reason":"none"}'
    assert msgspec.json.decode(sent, type=messages.Lease) == messages.Lease(lease_expires="2027-03-01T12:15:00Z")


def test_open_object_keeps_further_properties() -> None:
    offer = messages.Offer(id=OFFER["@id"], price=5.5, price_currency="GBP")
    assert messages.open_object(offer, {"acme:colour": "red"}) == {**OFFER, "acme:colour": "red"}


@pytest.mark.spec("OB-OVR-11")
def test_further_properties_of_an_open_object_take_precedence() -> None:
    override = messages.OfferOverride(id="https://example.com/offers/1", price=5)
    assert messages.open_object(override, {"@id": "urn:acme:1"})["@id"] == "urn:acme:1"


@pytest.mark.spec("OB-MT-09")
@pytest.mark.parametrize("properties", [{"url": None}, {"url": None, "acme:colour": "red"}])
def test_open_object_has_no_nulls(properties: dict[str, Any]) -> None:
    made = messages.open_object(messages.Offer(id="x", price=0), properties)
    assert None not in made.values()
    assert "url" not in made


def test_known_part_has_typed_properties() -> None:
    sent = {**OFFER, "openBookingPrepayment": "https://openactive.io/Required", "acme:colour": "red"}
    offer = messages.known_part(sent, messages.Offer)
    assert (offer.id, offer.price, offer.open_booking_prepayment) == (OFFER["@id"], 5.5, Availability.REQUIRED)


@pytest.mark.parametrize(
    ("changes", "path"), [({"price": []}, "$.price"), ({"@type": "OfferOverride"}, "$.@type"), ({"name": 5}, "$.name")]
)
def test_known_part_names_the_path_of_a_wrong_property(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(msgspec.ValidationError) as fault:
        messages.known_part({**OFFER, **changes}, messages.Offer)
    assert f"`{path}`" in str(fault.value)
