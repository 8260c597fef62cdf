"""The parts that feeds and replies share."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import FormField, Offer
from openbooking.booking.model.order import Access, TaxCharge, Totals
from openbooking.jsonld.write import Writer, access_channel, access_codes, access_passes
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OPENACTIVE, Availability, FlowRequirement, FormFieldType
from support.builders import offer, session
from support.parties import CENTRE

WRITER = Writer(Identifiers("https://booking.example.com/api"))
IDS = "https://booking.example.com/api/identifiers"
OWNER = "session-series/yoga"
ADULT = offer(OWNER)
QUESTION = FormField(key="age", type=FormFieldType.SHORT_ANSWER, name="Age", description="How old are you?")


def as_json(value: Any) -> Any:
    """Return a value encoded as JSON and decoded again."""
    return msgspec.json.decode(msgspec.json.encode(value))


@pytest.mark.spec("OB-MT-09")
def test_offer_has_no_absent_properties() -> None:
    assert as_json(WRITER.offer(ADULT, in_feed=True)) == {
        "@type": "Offer",
        "@id": f"{IDS}/{OWNER}#/offers/adult",
        "name": "Adult",
        "price": 12,
        "priceCurrency": "GBP",
        "allowCustomerCancellationFullRefund": True,
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"in_advance": Availability.OPTIONAL}, {"openBookingInAdvance": f"{OPENACTIVE}Optional"}),
        ({"valid_from": datetime(2027, 3, 1, tzinfo=UTC)}, {"validFrom": "2027-03-01T00:00:00Z"}),
        ({"valid_from_before_start": timedelta(days=7)}, {"validFromBeforeStartDate": "P7D"}),
        ({"max_quantity": 3}, {"eligibleQuantity": {"@type": "QuantitativeValue", "minValue": 1, "maxValue": 3}}),
        ({"min_quantity": 2}, {"eligibleQuantity": {"@type": "QuantitativeValue", "minValue": 2}}),
        ({"properties": {"acme:colour": "red", "url": None}}, {"acme:colour": "red"}),
        ({"price": Decimal("5.50")}, {"price": 5.5}),
    ],
)
def test_offer_shows_its_conditions_and_published_properties(changes: dict[str, Any], expected: Any) -> None:
    plain, shown = (as_json(WRITER.offer(each, in_feed=True)) for each in (ADULT, replace(ADULT, **changes)))
    assert shown == {**plain, **expected}


@pytest.mark.spec("OB-BKBL-27")
def test_free_offer_has_no_currency() -> None:
    shown = as_json(WRITER.offer(replace(ADULT, price=Decimal(0)), in_feed=True))
    assert shown["price"] == 0
    assert "priceCurrency" not in shown


@pytest.mark.spec("OB-VAL-39")
def test_flow_requirements_of_an_offer_are_in_feeds_alone() -> None:
    asking = replace(ADULT, flow=(FlowRequirement.APPROVAL,))
    in_feed = as_json(WRITER.offer(asking, in_feed=True))
    assert in_feed.pop("openBookingFlowRequirement") == [f"{OPENACTIVE}OpenBookingApproval"]
    assert as_json(WRITER.offer(asking, in_feed=False)) == in_feed


@pytest.mark.spec("OB-OVR-11")
def test_override_shows_the_identifier_of_the_broker() -> None:
    named = Offer(key="x", owner=OWNER, price=Decimal(5), currency="GBP", override=True, properties={"@id": "urn:a:1"})
    assert as_json(WRITER.offer(named, in_feed=False)) == {
        "@type": "OfferOverride",
        "@id": "urn:a:1",
        "price": 5,
        "priceCurrency": "GBP",
    }


@pytest.mark.spec("OB-FORM-03")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"valueRequired": False}),
        ({"type": FormFieldType.BOOLEAN}, {"@type": "BooleanFormFieldSpecification"}),
        (
            {"type": FormFieldType.DROPDOWN, "required": True, "options": ("a", "b")},
            {"@type": "DropdownFormFieldSpecification", "valueRequired": True, "valueOption": ["a", "b"]},
        ),
    ],
)
def test_intake_form_has_the_questions_of_the_offer(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    asking = replace(ADULT, intake_form=(replace(QUESTION, **changes),))
    common = {
        "@type": "ShortAnswerFormFieldSpecification",
        "@id": f"{IDS}/{OWNER}#/offers/adult/fields/age",
        "name": "Age",
        "description": "How old are you?",
    }
    assert as_json(WRITER.intake_form(asking)) == [{**common, **expected}]


@pytest.mark.parametrize("type_", ["Organization", "Person"])
def test_seller_is_shown_with_its_published_properties(type_: str) -> None:
    seller = replace(CENTRE, type=type_, properties={"acme:colour": "red"})
    expected = {
        "@type": type_,
        "@id": f"{IDS}/sellers/centre",
        "name": "Riverside Centre",
        "legalName": "Riverside Leisure Trust",
        "taxMode": f"{OPENACTIVE}TaxGross",
        "acme:colour": "red",
    }
    assert as_json(WRITER.seller(seller, in_feed=False)) == expected
    assert as_json(WRITER.seller(seller, in_feed=True)) == {**expected, "isOpenBookingAllowed": True}


@pytest.mark.spec("OB-TAX-11")
@pytest.mark.parametrize(
    ("price", "currency"), [(Decimal("2.00"), {"priceCurrency": "GBP"}), (Decimal(0), {})], ids=["taxed", "zero"]
)
def test_amounts_have_a_currency_unless_they_are_zero(price: Decimal, currency: dict[str, str]) -> None:
    charge = TaxCharge(name="VAT at 20%", rate=Decimal("0.2"), price=price, currency="GBP")
    due = Totals(price=price, currency="GBP", prepayment=Availability.REQUIRED)
    assert as_json(WRITER.tax([charge])) == [
        {"@type": "TaxChargeSpecification", "name": "VAT at 20%", "price": int(price), "rate": 0.2, **currency}
    ]
    assert as_json(WRITER.total_due(due)) == {
        "@type": "PriceSpecification",
        "price": int(price),
        "openBookingPrepayment": f"{OPENACTIVE}Required",
        **currency,
    }


@pytest.mark.spec("OB-ACC-05", "OB-ACC-12")
def test_access_has_codes_passes_and_a_channel() -> None:
    access = Access(code="123", passes=({"@type": "Barcode"},), own_passes=({"acme:x": 1},), channel={"url": "x"})
    assert as_json(access_codes(access)) == [{"@type": "PropertyValue", "name": "Access code", "description": "123"}]
    assert access_passes(access) == ({"@type": "Barcode"}, {"acme:x": 1})
    assert access_channel(access) == {"url": "x"}


@pytest.mark.parametrize("access", [None, Access()])
def test_absent_access_has_no_properties(access: Access | None) -> None:
    assert (access_codes(access), access_passes(access), access_channel(access)) == ((), (), None)


@pytest.mark.spec("OB-VAL-37")
def test_opportunity_in_a_reply_holds_its_parents_without_siblings_and_offers() -> None:
    series, made = session("yoga")
    series = replace(series, properties={**series.properties, "subEvent": [{"@type": "Event"}]})
    shown = WRITER.opportunity_with_parents(made, [series], 3)
    assert (shown["remainingAttendeeCapacity"], shown["superEvent"]["name"]) == (3, "Yoga")
    assert not {"offers", "subEvent", "organizer"} & (shown.keys() | shown["superEvent"].keys())
