"""Conditions of Offers: harmless properties, enforced conditions, and conditions that leave the Offer out."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.model.opportunity import Offer
from openbooking.importing.reading.offers import read_offers
from openbooking.openactive.published.values import MAX_COUNT, clean
from support.importing.published_items import OFFER

SESSION, SLOT = "scheduled-sessions/one", "slots/one"
QUANTITY = {"@type": "QuantitativeValue"}


def read(changes: dict[str, Any], owner: str = SESSION) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    return read_offers(clean({**OFFER, **changes}), owner)


def read_one(changes: dict[str, Any], owner: str = SESSION) -> Offer:
    offers, remarks = read(changes, owner)
    assert len(offers) == 1, remarks
    return offers[0]


@pytest.mark.parametrize(
    "harmless",
    [
        {"description": "For adults."},
        {"schema:identifier": 7},
        {"oa:ageRestriction": {"@type": "QuantitativeValue", "minValue": 16}},
        {"https://schema.org/url": "https://example.com/"},
        {"acceptedPaymentMethod": ["http://purl.org/goodrelations/v1#Cash"]},
        {"image": [{"@type": "ImageObject", "url": "https://example.com/a.png"}]},
        {"category": ["Adult"]},
        {"beta:formattedDescription": "<p>For adults.</p>"},
    ],
)
def test_harmless_properties_are_kept(harmless: dict[str, Any]) -> None:
    offers, remarks = read(harmless)
    assert remarks == ()
    assert offers[0].properties == clean(harmless)


@pytest.mark.parametrize(
    "unknown",
    [
        {"eligibleCustomerType": "Business"},
        {"schema:eligibleCustomerType": "Business"},
        {"eligibleEntitlementType": [{"@type": "Concept", "prefLabel": "Adult Resident"}]},
        {"https://openactive.io/eligibleEntitlementType": [{"@type": "Concept"}]},
        {"eligibleRegion": "GB-KEN"},
        {"ineligibleRegion": "GB-KEN"},
        {"eligibleDuration": {"value": 3}},
        {"eligibleTransactionVolume": {"price": 50}},
        {"addOn": {"@type": "Offer"}},
        {"itemCondition": "NewCondition"},
        {"advanceBookingRequirement": {"value": 7}},
        {"seller": {"@type": "Organization", "name": "Somebody else"}},
        {"hasMembership": True},
        {"beta:partySize": {"@type": "QuantitativeValue", "minValue": 4}},
        {"https://openactive.io/ns-beta#partySize": {"@type": "QuantitativeValue", "minValue": 4}},
        {"acme:membersOnly": False},
        {"https://acme.example/membersOnly": "yes"},
    ],
)
def test_an_offer_with_an_unknown_property_is_left_out(unknown: dict[str, Any]) -> None:
    offers, (remark,) = read(unknown)
    (name,) = clean(unknown)
    assert offers == ()
    assert remark == f"Offer 'Adult' left out: its {name} may be a condition, and is not understood"


@pytest.mark.spec("OB-BKBL-27")
def test_empty_properties_are_no_conditions() -> None:
    assert read_one({"eligibleCustomerType": [], "beta:partySize": None, "availability": ""}).properties == {}


JULY, AUGUST = datetime(2026, 6, 30, 23, tzinfo=UTC), datetime(2026, 7, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "valid_from", "valid_through"),
    [
        ({"validFrom": "2026-07-01", "validThrough": "2026-07-31"}, JULY, AUGUST),
        ({"schema:validFrom": "2026-06-30T23:00:00Z"}, JULY, None),
        ({"validThrough": "2026-08-01T00:00:00"}, None, AUGUST),
        ({"validThrough": "2026-07-31T24:00:00"}, None, AUGUST),
        ({"availabilityStarts": "2026-07-01", "validFrom": "2026-01-01"}, JULY, None),
        (
            {"availabilityEnds": "2026-09-30", "validThrough": "2026-12-31", "priceValidUntil": "2026-07-31"},
            None,
            AUGUST,
        ),
        ({"validFrom": "0001-01-01T00:00:00", "validThrough": "9999-12-31T23:59:59Z"}, None, None),
        ({"validFrom": ["2026-07-01"]}, JULY, None),
    ],
)
def test_the_period_of_an_offer_is_read(
    told: dict[str, Any], valid_from: datetime | None, valid_through: datetime | None
) -> None:
    offer = read_one(told)
    assert (offer.valid_from, offer.valid_through, offer.properties) == (valid_from, valid_through, {})


def test_an_assumed_time_is_remarked() -> None:
    assert read({"validFrom": "2026-07-01"})[1] == (
        "Offer 'Adult': validFrom: 2026-07-01 has no time: a whole day in Europe/London assumed",
    )


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ({**QUANTITY, "minValue": 4}, 4, None),
        ({**QUANTITY, "maxValue": 4}, 1, 4),
        ({**QUANTITY, "minValue": "2", "maxValue": 4.0}, 2, 4),
        ({**QUANTITY, "value": 3}, 3, 3),
        ({**QUANTITY, "minValue": 4, "unitCode": "C62"}, 4, None),
        ({**QUANTITY, "minValue": 4, "unitText": "Tickets"}, 4, None),
        ({**QUANTITY, "minValue": 0}, 1, None),
        ({**QUANTITY, "minValue": 2, "maxValue": 2**40}, 2, None),
        ([{"schema:minValue": 4}], 4, None),
        (4, 4, 4),
        ("4", 4, 4),
    ],
)
def test_the_quantity_of_an_offer_is_read(told: Any, least: int, most: int | None) -> None:
    for owner in (SESSION, SLOT):
        offer = read_one({"eligibleQuantity": told}, owner)
        assert (offer.min_quantity, offer.max_quantity, offer.properties) == (least, most, {})


def test_a_person_counts_as_one_space_unless_a_facility_is_hired() -> None:
    people = {"eligibleQuantity": {**QUANTITY, "minValue": 4, "unitText": "people"}}
    assert read_one(people).min_quantity == 4
    assert read(people, SLOT)[0] == ()


@pytest.mark.parametrize(
    "told",
    [
        "many",
        {"minValue": "some"},
        {"minValue": 4, "unitCode": "HUR"},
        {"minValue": 4, "unitText": "families"},
        {"minValue": 4, "maxValue": 2},
        {"maxValue": 0},
        {"value": 4, "minValue": 2},
        {"minValue": 4, "valueReference": "sessions"},
        {**QUANTITY},
        [{"minValue": 4}, {"minValue": 6}],
        True,
    ],
)
def test_an_offer_with_an_unreadable_quantity_is_left_out(told: Any) -> None:
    offers, (remark,) = read({"eligibleQuantity": told})
    assert offers == ()
    assert "eligibleQuantity" in remark


@pytest.mark.parametrize(
    "told",
    [
        {"availability": "https://schema.org/InStock"},
        {"availability": "schema:LimitedAvailability"},
        {"availability": [{"@id": "http://schema.org/OnlineOnly"}]},
        {"availableChannel": "OpenBookingPrepayment"},
        {"availableChannel": "oa:OpenBookingPrepayment"},
        {"availableChannel": [{"@id": "https://openactive.io/OnlinePrepayment"}]},
        {
            "availableChannel": [
                "https://openactive.io/TelephonePrepayment",
                "https://openactive.io/OpenBookingPrepayment",
            ]
        },
        {"businessFunction": "http://purl.org/goodrelations/v1#Sell"},
        {"priceSpecification": {"@type": "PriceSpecification", "price": "5.50", "priceCurrency": "GBP"}},
    ],
)
def test_conditions_that_every_booking_fulfils_are_not_published(told: dict[str, Any]) -> None:
    offers, remarks = read(told)
    assert (len(offers), remarks) == (1, ())
    assert offers[0].properties == {}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        *(
            ({"availability": f"{form}{term}"}, "its availability is")
            for form in ("", "schema:", "http://schema.org/", "https://schema.org/")
            for term in (
                "SoldOut",
                "OutOfStock",
                "Discontinued",
                "InStoreOnly",
                "PreOrder",
                "PreSale",
                "BackOrder",
                "New",
            )
        ),
        ({"availability": ["InStock", "SoldOut"]}, "its availability is"),
        ({"availability": {"@id": "schema:SoldOut"}}, "its availability is"),
        ({"schema:availability": "SoldOut"}, "its availability is"),
        ({"availability": "InStock", "schema:availability": "SoldOut"}, "its availability is"),
        ({"inventoryLevel": 0}, "it is sold out"),
        ({"inventoryLevel": {"@type": "QuantitativeValue", "value": "0"}}, "it is sold out"),
        ({"inventoryLevel": 3}, "cannot be enforced"),
        ({"inventoryLevel": "few"}, "cannot be enforced"),
        ({"availableChannel": "https://openactive.io/TelephoneAdvanceBooking"}, "is not online"),
        ({"availableChannel": ["oa:TelephonePrepayment", {"@id": "oa:OnPremisesPrepayment"}]}, "is not online"),
        ({"availableChannel": {"name": "Phone"}}, "is not online"),
        ({"businessFunction": "http://purl.org/goodrelations/v1#LeaseOut"}, "is no sale"),
        ({"priceSpecification": {"price": 50, "priceCurrency": "GBP"}}, "is another price"),
        ({"priceSpecification": {"price": 5.5, "priceCurrency": "EUR"}}, "is another price"),
        ({"priceSpecification": {"price": 5.5, "eligibleQuantity": 4}}, "is another price"),
        ({"priceSpecification": [{"price": 5.5}, {"price": 50}]}, "is another price"),
        ({"priceSpecification": "£5.50"}, "is another price"),
        ({"validFrom": "soon"}, "is no date and time"),
        ({"validThrough": "summer"}, "is no date and time"),
        ({"priceValidUntil": 2027}, "is no date and time"),
        ({"availabilityStarts": "09:00:00"}, "is no date and time"),
        ({"validFrom": ["2026-07-01", "2026-08-01"]}, "is no date and time"),
    ],
)
def test_an_offer_with_an_unenforceable_condition_is_left_out(told: dict[str, Any], why: str) -> None:
    offers, (remark,) = read(told)
    assert offers == ()
    assert remark.startswith("Offer 'Adult' left out: ")
    assert why in remark


def test_the_script_prints_the_share_of_offers_left_out(tmp_path: Path) -> None:
    items, usage = tmp_path / "items", tmp_path / "usage.json"
    items.mkdir()
    resident = {**OFFER, "eligibleEntitlementType": [{"@type": "Concept"}]}
    (items / "series.json").write_text(json.dumps([{"@type": "SessionSeries", "offers": [OFFER, resident, OFFER]}]))
    shares = {"price": 100.0, "beta:partySize": 4.2, "validFrom": 0.5, "eligibleCustomerType": 1.0}
    usage.write_text(json.dumps({"types": {"Offer": shares}}))
    script = Path(__file__).parents[3] / "scripts" / "offer_conditions.py"
    done = subprocess.run([sys.executable, script, items, usage], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "1 of 3 Offers in the items are left out because of a condition.",
        "  1: its eligibleEntitlementType may be a condition, and is not understood",
        "At most 5.2 % of all Offers are left out because of an unknown property.",
        "  4.2 %: beta:partySize",
        "  1.0 %: eligibleCustomerType",
        "At most 0.5 % of all Offers have a condition that is enforced if it is understood.",
        "  0.5 %: validFrom",
    ]


def test_the_largest_count_is_no_limit() -> None:
    assert read_one({"eligibleQuantity": {"minValue": 1, "maxValue": MAX_COUNT}}).max_quantity is None
