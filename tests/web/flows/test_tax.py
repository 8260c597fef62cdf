"""Tax for consumers and businesses, and replies without tax (OB 7.4, 7.5)."""

from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import TaxCalculation
from openbooking.openactive.terms import OPENACTIVE
from support.builders import UUID
from support.http_system import PILATES, YOGA, World, open_world
from support.parties import CUSTOMER
from support.validators import Validator

pytestmark = pytest.mark.anyio

CLUB = {
    "@type": "Organization",
    "name": "Riverside Runners",
    "email": "club@example.com",
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "1 High Street",
        "addressLocality": "Testford",
        "addressRegion": "Testshire",
        "postalCode": "TE5 7AB",
        "addressCountry": "GB",
    },
}
GROSS, NET = YOGA, PILATES
CONSUMER = {"customer": CUSTOMER}
BUSINESS = {"customer": CLUB}
RESELLER = {"customer": CUSTOMER, "brokerRole": f"{OPENACTIVE}ResellerBroker"}


async def flow(world: World, sold: list[Opportunity], due: float, parties: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the replies of C1, C2, B and Order Status for one space."""
    quote = world.quote(world.item(sold), seller=sold[-1].seller, **parties)
    order = world.order(world.item(sold), seller=sold[-1].seller, total=due, **parties)
    replies = {
        "C1": await world.call("PUT", f"order-quote-templates/{UUID}", quote),
        "C2": await world.call("PUT", f"order-quotes/{UUID}", quote),
        "B": await world.call("PUT", f"orders/{UUID}", order),
        "status": await world.call("GET", f"orders/{UUID}"),
    }
    return {name: reply.json() for name, reply in replies.items()}


@pytest.mark.spec("OB-TAX-05", "OB-TAX-09", "OB-TAX-10", "OB-TAX-12")
@pytest.mark.parametrize("setting", [TaxCalculation.ALWAYS, TaxCalculation.CONSUMERS])
@pytest.mark.parametrize(("sold", "due", "tax"), [(GROSS, 12, 2), (NET, 14.4, 2.4)], ids=["gross", "net"])
async def test_tax_of_consumers_is_calculated(
    tmp_path: Path, setting: TaxCalculation, sold: list[Opportunity], due: float, tax: float
) -> None:
    async with open_world("sqlite", tmp_path, tax=setting) as world:
        found = await flow(world, sold, due, CONSUMER)
    for name, message in found.items():
        assert "taxCalculationExcluded" not in message, name
        assert message["totalPaymentDue"]["price"] == due
        assert [charge["price"] for charge in message["totalPaymentTax"]] == [tax]
        assert [charge["price"] for charge in message["orderedItem"][0]["unitTaxSpecification"]] == [tax]


@pytest.mark.spec("OB-TAX-06", "OB-TAX-07", "OB-TAX-08")
@pytest.mark.parametrize("parties", [BUSINESS, RESELLER], ids=["business", "reseller"])
@pytest.mark.parametrize(("sold", "price"), [(GROSS, 10), (NET, 12)], ids=["gross", "net"])
async def test_businesses_see_net_prices_without_tax(
    tmp_path: Path, validator: Validator, parties: dict[str, Any], sold: list[Opportunity], price: float
) -> None:
    async with open_world("sqlite", tmp_path, tax=TaxCalculation.CONSUMERS) as world:
        found = await flow(world, sold, price, parties)
        for name, message in found.items():
            assert message["taxCalculationExcluded"] is True, name
            assert message["totalPaymentDue"]["price"] == price
            assert "totalPaymentTax" not in message
            (item,) = message["orderedItem"]
            assert item["acceptedOffer"]["price"] == price
            assert "unitTaxSpecification" not in item
        assert validator.failures("BResponse", found["B"]) == []


@pytest.mark.spec("OB-OF-13", "OB-OF-12", "OB-TAX-07")
@pytest.mark.parametrize("parties", [CONSUMER, BUSINESS], ids=["consumer", "business"])
async def test_the_orders_feed_says_that_tax_is_excluded_only_where_it_is(
    tmp_path: Path, validator: Validator, parties: dict[str, Any]
) -> None:
    async with open_world("sqlite", tmp_path, tax=TaxCalculation.CONSUMERS) as world:
        excluded = parties is BUSINESS
        due = 10 if excluded else 12
        items = [world.item(YOGA, 0), world.item(YOGA, 1)]
        order = (await world.call("PUT", f"orders/{UUID}", world.order(*items, total=2 * due, **parties))).json()
        cancelled = {
            "@type": "OrderItem",
            "@id": order["orderedItem"][0]["@id"],
            "orderItemStatus": f"{OPENACTIVE}CustomerCancelled",
        }
        patch = {"@context": OPENACTIVE, "@type": "Order", "orderedItem": [cancelled]}
        assert (await world.call("PATCH", f"orders/{UUID}", patch)).status_code == 204
        data = (await world.read_feed("/api/orders-rpde"))[UUID]["data"]
    assert validator.failures("OrdersFeed", data) == []
    assert data["totalPaymentDue"]["price"] == due
    assert ("taxCalculationExcluded" in data) is excluded
    assert ("totalPaymentTax" in data) is not excluded
