"""Tax, payments, OfferOverrides and DynamicPayments; OpenActive's validator checks each message."""

from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.policy import TaxCalculation
from openbooking.openactive.terms import Availability
from support.builders import UUID, session
from support.http_system import PILATES, YOGA, World, open_world
from support.parties import ADDRESS, AGREED, CUSTOMER, MANAGER, STUDIO
from support.validators import Validator

pytestmark = pytest.mark.anyio

BUSINESS = {"@type": "Organization", "name": "Acme", "email": "a@acme.example.com", "address": ADDRESS}
POINTS = {"@type": "Payment", "name": "Points", "accountId": "SN1", "paymentProviderId": "STRIPE"}
DYNAMIC = {"@type": "DynamicPayment", "identifier": "d-1", "name": "Membership", "accountId": "MOVE"}
PRICED_AT_MOST = {"@type": "PriceSpecification", "price": 999_999_999_999.99, "priceCurrency": "GBP"}
OVERRIDE = {"@type": "OfferOverride", "name": "Winger", "price": 10, "priceCurrency": "GBP", "description": "For two."}


async def get_quote(world: World, body: dict[str, Any]) -> dict[str, Any]:
    reply = await world.call("PUT", f"order-quotes/{UUID}", {"customer": CUSTOMER, **body})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def book(world: World, body: dict[str, Any]) -> dict[str, Any]:
    reply = await world.call("PUT", f"orders/{UUID}", body)
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def in_feed(world: World, order: dict[str, Any]) -> dict[str, Any]:
    """Change an Order, and return its `data` in the Orders feed."""
    items = [
        {"@type": "OrderItem", "@id": item["@id"], "orderItemStatus": "https://openactive.io/CustomerCancelled"}
        for item in order["orderedItem"][:1]
    ]
    patch = {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": items}
    assert (await world.call("PATCH", f"orders/{UUID}", patch)).status_code == 204
    data: dict[str, Any] = (await world.read_feed("/api/orders-rpde"))[UUID]["data"]
    return data


@pytest.mark.spec("OB-TAX-01", "OB-TAX-04", "OB-TAX-11", "OB-TAX-12", "OB-TAX-13", "OB-TAX-09", "OB-PREP-07")
@pytest.mark.parametrize(("family", "due", "tax"), [(YOGA, 12, 2), (PILATES, 14.4, 2.4)], ids=["gross", "net"])
async def test_tax_in_both_modes(world: World, validator: Validator, family: Any, due: float, tax: float) -> None:
    seller = family[0].seller
    quote = await get_quote(world, world.quote(world.item(family), seller=seller))
    order = await book(world, world.order(world.item(family), seller=seller, total=due))
    assert validator.failures("BResponse", order) == []
    for reply in (quote, order):
        (item,) = reply["orderedItem"]
        assert item["acceptedOffer"]["price"] == 12
        assert item["unitTaxSpecification"][0]["price"] == reply["totalPaymentTax"][0]["price"] == tax
        assert reply["totalPaymentDue"] == {
            "@type": "PriceSpecification",
            "price": due,
            "priceCurrency": "GBP",
            "openBookingPrepayment": "https://openactive.io/Required",
        }
        assert "taxCalculationExcluded" not in reply
        assert reply["seller"]["taxMode"].startswith("https://openactive.io/Tax")


@pytest.mark.spec("OB-TAX-07", "OB-TAX-08", "OB-TAX-14", "OB-OF-12", "OB-OF-13")
async def test_replies_and_feed_with_excluded_tax_show_net_prices(tmp_path: Path, validator: Validator) -> None:
    async with open_world("sqlite", tmp_path, tax=TaxCalculation.CONSUMERS) as world:
        items = [world.item(YOGA, 0), world.item(YOGA, 1)]
        quote = await get_quote(world, world.quote(*items, customer=BUSINESS))
        order = await book(world, world.order(*items, customer=BUSINESS, total=20))
        assert validator.failures("C2Response", quote) == []
        assert validator.failures("BResponse", order) == []
        data = await in_feed(world, order)
        assert validator.failures("OrdersFeed", data) == []
        for shown in (quote, order, data):
            assert shown["taxCalculationExcluded"] is True
            assert "totalPaymentTax" not in shown
            assert [item["acceptedOffer"]["price"] for item in shown["orderedItem"]] == [10, 10]
            assert not any("unitTaxSpecification" in item for item in shown["orderedItem"])
        assert [shown["totalPaymentDue"]["price"] for shown in (quote, order, data)] == [20, 20, 10]


@pytest.mark.spec("OB-B-13", "OB-PAY-09", "OB-PAY-11", "OB-PAY-13", "OB-C1-10", "OB-C2-05")
async def test_payment_details_are_reflected_without_their_identifier_before_b(
    tmp_path: Path, validator: Validator
) -> None:
    settings = {
        "reconciliation_name": "Points",
        "reconciliation_account_id": "SN1",
        "reconciliation_payment_provider_id": "STRIPE",
    }
    async with open_world("sqlite", tmp_path, **settings) as world:
        sent = {**POINTS, "identifier": "payment-1", "paymentMethod": "card"}
        quote = await get_quote(world, world.quote(world.item(YOGA), payment=sent))
        assert quote["payment"] == POINTS
        assert validator.failures("C2Response", quote) == []
        order = await book(world, world.order(world.item(YOGA), payment=sent))
        assert order["payment"] == {**POINTS, "identifier": "payment-1"}
        refused = await world.call("PUT", f"order-quotes/{UUID}x", quote)
        assert refused.status_code == 404
        wrong = world.quote(world.item(YOGA), payment={**POINTS, "accountId": "other"})
        reply = await world.call("PUT", "order-quote-templates/315cb117-232b-42b2-80dc-61bb20154e7d", wrong)
        assert (reply.status_code, reply.json()["@type"]) == (400, "InvalidPaymentDetailsError")


@pytest.mark.spec("OB-OVR-01", "OB-OVR-11", "OB-OVR-09", "OB-VAL-29")
async def test_an_override_is_shown_as_such_and_can_be_cancelled(tmp_path: Path, validator: Validator) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=True) as world:
        item = {**world.item(YOGA), "acceptedOffer": OVERRIDE}
        quote = await get_quote(world, world.quote(item))
        assert validator.failures("C2Response", quote) == []
        shown = quote["orderedItem"][0]["acceptedOffer"]
        assert shown == {**OVERRIDE, "@id": world.ids.opportunity(YOGA[-1].path) + "#/offers/override"}
        order = await book(world, world.order(item, total=10))
        assert validator.failures("BResponse", order) == []
        data = await in_feed(world, order)
        assert validator.failures("OrdersFeed", data) == []
        assert data["orderedItem"][0]["acceptedOffer"] == shown
        assert data["totalPaymentDue"]["price"] == 0


@pytest.mark.spec("OB-OVR-07", "OB-OVR-11", "OB-VAL-13", "OB-VAL-17")
@pytest.mark.parametrize(
    ("override", "setting", "error"),
    [
        (OVERRIDE, False, "UnacceptableOfferError"),
        ({"@type": "OfferOverride"}, True, "IncompleteOrderItemError"),
        ({"@type": "OfferOverride", "price": -1}, True, "IncompleteOrderItemError"),
        ({"@type": "OfferOverride", "price": "1e400"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "price": "1e999999999999999999"}, True, "IncompleteOrderItemError"),
        ({"@type": "OfferOverride", "price": 10}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "priceCurrency": ""}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "priceCurrency": "gbp"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "priceCurrency": "GBP\n"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "priceCurrency": ["GBP"]}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "price": 0, "priceCurrency": "£"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "@id": "javascript:alert(1)"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "@id": "java\nscript:alert(1)"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "@id": " javascript:alert(1)"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "@id": "data:text/html,x"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "@id": '"><script>'}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "@id": {"a": 1}}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "price": "1_0"}, True, "IncompleteOrderItemError"),
        ({**OVERRIDE, "price": "\u0661\u0660"}, True, "IncompleteOrderItemError"),
        ({"@type": "OfferOverride", "price": 0.001}, True, "IncompleteOrderItemError"),
        ({"@type": "OfferOverride", "price": "NaN"}, True, "IncompleteOrderItemError"),
        ({"@type": "OfferOverride", "price": True}, True, "IncompleteOrderItemError"),
    ],
)
async def test_an_unwanted_or_invalid_override_is_refused(
    tmp_path: Path, override: dict[str, Any], setting: bool, error: str
) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=setting) as world:
        item = {**world.item(YOGA), "acceptedOffer": override}
        reply = await world.call("PUT", f"order-quote-templates/{UUID}", world.quote(item))
        assert reply.status_code == 409
        assert [found["@type"] for found in reply.json()["orderedItem"][0]["error"]] == [error]


@pytest.mark.spec("OB-OVR-11", "OB-VAL-13")
async def test_an_invalid_override_is_not_taken_for_the_published_offer(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=True) as world:
        item = world.item(YOGA)
        item["acceptedOffer"] = {"@type": "OfferOverride", "@id": item["acceptedOffer"], "price": -1}
        reply = await world.call("PUT", f"order-quotes/{UUID}", world.quote(item, customer=CUSTOMER))
        assert [error["@type"] for error in reply.json()["orderedItem"][0]["error"]] == ["IncompleteOrderItemError"]


@pytest.mark.spec("OB-OVR-11", "OB-OVR-05", "OB-TAX-13")
@pytest.mark.parametrize("id_", ["https://broker.example.com/offers/1", "urn:uuid:1", "/offers/1?a=b:c", "#/o:1", "x"])
async def test_an_override_for_nothing_needs_no_currency_and_keeps_its_id(tmp_path: Path, id_: str) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=True) as world:
        item = {**world.item(YOGA), "acceptedOffer": {"@type": "OfferOverride", "@id": id_, "price": 0}}
        quote = await get_quote(world, world.quote(item))
        assert quote["orderedItem"][0]["acceptedOffer"]["@id"] == id_
        order = await book(world, world.order(item, totalPaymentDue={"price": 0}, payment=None))
        assert order["totalPaymentDue"]["price"] == 0


def requests_from_c1_to_b(world: World, *items: dict[str, Any], **changes: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the paths and bodies of C1, C2 and B."""
    return [
        (f"order-quote-templates/{UUID}", world.quote(*items, **changes)),
        (f"order-quotes/{UUID}", world.quote(*items, customer=CUSTOMER, **changes)),
        (f"orders/{UUID}", world.order(*items, **changes)),
    ]


HEADERS = {"access": "headers", "trusted_partner_header": "x-partner"}


@pytest.mark.spec("OB-OVR-01")
@pytest.mark.parametrize(
    ("terms", "partner", "access"),
    [(NO_TERMS, "alice", {}), (AGREED, "bob", {}), (AGREED, "alice", HEADERS)],
    ids=["nothing agreed", "agreed with another", "no grants"],
)
async def test_without_agreement_no_partner_sets_prices(
    tmp_path: Path, terms: GrantTerms, partner: str, access: dict[str, str]
) -> None:
    async with open_world("sqlite", tmp_path, terms=terms, offer_overrides=True, **access) as world:
        item = {**world.item(YOGA), "acceptedOffer": {**OVERRIDE, "price": 0}}
        for path, body in requests_from_c1_to_b(world, item, payment=None):
            reply = await world.call("PUT", path, body, partner, **{"x-partner": partner})
            assert reply.status_code == 409, path
            assert [error["@type"] for error in reply.json()["orderedItem"][0]["error"]] == ["UnacceptableOfferError"]


@pytest.mark.spec("OB-DYN-01", "OB-DYN-08")
@pytest.mark.parametrize(
    ("terms", "partner", "access"),
    [(NO_TERMS, "alice", {}), (AGREED, "bob", {}), (AGREED, "alice", HEADERS)],
    ids=["nothing agreed", "agreed with another", "no grants"],
)
@pytest.mark.parametrize("accounts", ["MOVE", "*"])
async def test_without_agreement_no_partner_books_without_a_price(
    tmp_path: Path, accounts: str, terms: GrantTerms, partner: str, access: dict[str, str]
) -> None:
    async with open_world("sqlite", tmp_path, terms=terms, dynamic_accounts=accounts, **access) as world:
        item = world.item(YOGA)
        del item["acceptedOffer"]
        for path, body in requests_from_c1_to_b(world, item, payment=DYNAMIC, totalPaymentDue=None):
            reply = await world.call("PUT", path, body, partner, **{"x-partner": partner})
            assert (reply.status_code, reply.json()["@type"]) == (400, "InvalidPaymentDetailsError"), path


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01")
async def test_an_agreement_with_one_seller_does_not_hold_for_another(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=True, dynamic_accounts="*") as world:
        item = {**world.item(PILATES), "acceptedOffer": OVERRIDE}
        reply = await world.call("PUT", f"order-quote-templates/{UUID}", world.quote(item, seller=STUDIO.key))
        assert [error["@type"] for error in reply.json()["orderedItem"][0]["error"]] == ["UnacceptableOfferError"]
        del item["acceptedOffer"]
        body = world.quote(item, seller=STUDIO.key, payment=DYNAMIC)
        reply = await world.call("PUT", f"order-quote-templates/{UUID}", body)
        assert (reply.status_code, reply.json()["@type"]) == (400, "InvalidPaymentDetailsError")


@pytest.mark.spec("OB-VAL-18")
async def test_terms_for_one_venue_exclude_all_others(tmp_path: Path) -> None:
    """The agreement is valid for Alice only, and for that Seller only."""
    async with open_world("sqlite", tmp_path, terms=GrantTerms(venues=frozenset({"Elsewhere"}))) as world:
        for path, body in requests_from_c1_to_b(world, world.item(YOGA)):
            reply = await world.call("PUT", path, body)
            assert reply.status_code == 409, path
            (error,) = reply.json()["orderedItem"][0]["error"]
            assert error["@type"] == "OpportunityOfferPairNotBookableError"
        assert (await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)), "bob")).status_code == 201
        there = world.order(world.item(PILATES), seller=STUDIO.key, total=14.4)
        assert (await world.call("PUT", f"orders/{UUID}", there)).status_code == 201


@pytest.mark.spec("OB-VAL-40")
async def test_an_override_in_another_currency_than_the_rest_is_in_conflict(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=True) as world:
        dollars = {**world.item(YOGA, 1), "acceptedOffer": {**OVERRIDE, "priceCurrency": "USD"}}
        reply = await world.call(
            "PUT", f"order-quotes/{UUID}", world.quote(world.item(YOGA), dollars, customer=CUSTOMER)
        )
        assert reply.status_code == 409
        errors = [[error["@type"] for error in item.get("error", [])] for item in reply.json()["orderedItem"]]
        assert errors == [[], ["OpportunityIsInConflictError"]]


@pytest.mark.spec("OB-DYN-02", "OB-DYN-03", "OB-DYN-07", "OB-OF-19")
async def test_an_order_with_a_dynamic_payment_has_no_prices(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, terms=AGREED, dynamic_accounts="MOVE, OTHER") as world:
        items = [world.item(YOGA, position) for position in (0, 1)]
        for item in items:
            del item["acceptedOffer"]
        quote = await get_quote(world, world.quote(*items, payment=DYNAMIC))
        order = await book(world, world.order(*items, payment=DYNAMIC, totalPaymentDue=None))
        assert quote["payment"] == order["payment"] == DYNAMIC
        data = await in_feed(world, order)
        assert "payment" not in data
        for shown in (quote, order, data):
            assert not {"totalPaymentDue", "totalPaymentTax"} & shown.keys()
            assert not any({"acceptedOffer", "unitTaxSpecification"} & item.keys() for item in shown["orderedItem"])
            assert "price" not in str(shown)


@pytest.mark.spec("OB-VAL-40")
async def test_a_total_with_a_price_as_text_is_understood(world: World) -> None:
    body = world.order(world.item(PILATES), seller=STUDIO.key)
    body["totalPaymentDue"]["price"] = "14.40"
    order = await book(world, body)
    assert {order["totalPaymentDue"]["priceCurrency"], order["totalPaymentTax"][0]["priceCurrency"]} == {"GBP"}


@pytest.mark.spec("OB-B-06", "OB-VAL-44", "OB-VAL-45")
async def test_the_largest_total_is_paid_and_a_larger_one_is_refused_at_every_call(tmp_path: Path) -> None:
    """A total above the limit of prices is refused by C1 already."""
    async with open_world("sqlite", tmp_path, terms=AGREED, offer_overrides=True) as world:
        large = {**world.item(YOGA, 0), "acceptedOffer": {**OVERRIDE, "price": 999_999_999_999.98}}
        for penny, errors in ((0.02, ["OpportunityIsInConflictError"]), (0.01, [])):
            small = {**world.item(YOGA, 1), "acceptedOffer": {**OVERRIDE, "price": penny}}
            for path, body in requests_from_c1_to_b(world, large, small, totalPaymentDue=PRICED_AT_MOST):
                reply = await world.call("PUT", path, body)
                assert (reply.status_code == 409) is bool(errors), path
                first, second = reply.json()["orderedItem"]
                assert "error" not in first
                assert [error["@type"] for error in second.get("error", [])] == errors
        assert (reply.status_code, reply.json()["totalPaymentDue"]["price"]) == (201, 999_999_999_999.99)


@pytest.mark.spec("OB-BKBL-06")
async def test_a_price_for_members_is_published_and_sold_by_the_partner_whose_terms_name_it(
    tmp_path: Path, validator: Validator
) -> None:
    family = session("members", offered={"in_advance": Availability.UNAVAILABLE, "restricted": True})
    terms = GrantTerms(offers=frozenset({family[0].offers[0].ref}))
    async with open_world("sqlite", tmp_path, terms=terms) as world:
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
        (published,) = (await world.read_feed("/feeds/session-series"))["series-members"]["data"]["offers"]
        assert published["openBookingInAdvance"] == "https://openactive.io/Unavailable"
        refused = await world.call("PUT", f"orders/{UUID}", world.order(world.item(family)), "bob")
        (error,) = refused.json()["orderedItem"][0]["error"]
        assert (refused.status_code, error["@type"]) == (409, "OpportunityOfferPairNotBookableError")
        order = await book(world, world.order(world.item(family)))
        assert validator.failures("BResponse", order) == []
        assert order["orderedItem"][0]["acceptedOffer"]["price"] == 12
