"""The VAT treatment of imported Offers: given for the import, or otherwise that of the Seller."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.opportunity import Seller
from openbooking.openactive.money import VatTreatment
from support.builders import new_uuid
from support.http_system import World, open_world
from support.importing.made_up_imports import feed, import_
from support.importing.published_items import OFFER, SELLER, event
from support.parties import CENTRE, CUSTOMER, MANAGER, STUDIO

pytestmark = pytest.mark.anyio
GROSS, NET = CENTRE, STUDIO
VAT_ID = {"vatID": "GB999999974"}
TOTALS = {
    (GROSS.key, VatTreatment.STANDARD): (12, 2, "VAT at 20%"),
    (GROSS.key, VatTreatment.REDUCED): (12, 0.57, "VAT at 5%"),
    (GROSS.key, VatTreatment.ZERO_RATED): (12, 0, "VAT at 0%"),
    (GROSS.key, VatTreatment.EXEMPT): (12, 0, "VAT exempt"),
    (GROSS.key, VatTreatment.OUTSIDE_SCOPE): (12, 0, "Outside the scope of VAT"),
    (NET.key, VatTreatment.STANDARD): (14.4, 2.4, "VAT at 20%"),
    (NET.key, VatTreatment.REDUCED): (12.6, 0.6, "VAT at 5%"),
    (NET.key, VatTreatment.ZERO_RATED): (12, 0, "VAT at 0%"),
    (NET.key, VatTreatment.EXEMPT): (12, 0, "VAT exempt"),
    (NET.key, VatTreatment.OUTSIDE_SCOPE): (12, 0, "Outside the scope of VAT"),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System whose replies are all validated."""
    async with open_world("sqlite", tmp_path) as opened:
        yield opened


def made(**changes: Any) -> dict[str, Any]:
    return event(offers=[{**OFFER, "price": 12}], **changes)


async def sold(world: World, seller: str, **options: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Import an event; return a UUID, and the bodies of an Order and of a quote for one space of the event."""
    told = await import_(world.store, options.pop("item", made()), seller=seller, **options)
    path = told.path("events/1")
    item = {
        "@type": "OrderItem",
        "position": 0,
        "orderedItem": world.ids.opportunity(path),
        "acceptedOffer": (await feed(world, "/feeds/events"))[path]["offers"][0]["@id"],
    }
    uuid = new_uuid()
    quote = world.quote(item, seller=seller)
    return uuid, world.order(item, seller=seller), quote


async def tax_of(world: World, seller: Seller, **options: Any) -> str:
    """Return the name of the tax in the reply to C1."""
    uuid, _, quote = await sold(world, seller.key, **options)
    reply = await world.call("PUT", f"order-quote-templates/{uuid}", quote)
    name: str = reply.json()["orderedItem"][0]["unitTaxSpecification"][0]["name"]
    return name


@pytest.mark.spec("OB-TAX-01", "OB-TAX-02", "OB-TAX-05")
@pytest.mark.parametrize("seller", [GROSS, NET], ids=["gross", "net"])
@pytest.mark.parametrize("vat", VatTreatment)
async def test_each_treatment_is_charged_in_both_tax_modes(world: World, seller: Seller, vat: VatTreatment) -> None:
    due, tax, name = TOTALS[seller.key, vat]
    uuid, order, quote = await sold(world, seller.key, vat=vat)
    order["totalPaymentDue"]["price"] = due
    replies = [
        await world.call("PUT", f"order-quote-templates/{uuid}", quote),
        await world.call("PUT", f"order-quotes/{uuid}", quote | {"customer": CUSTOMER}),
        await world.call("PUT", f"orders/{uuid}", order),
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 201]
    for reply in replies:
        told = reply.json()
        assert told["totalPaymentDue"]["price"] == due
        assert [(charge["price"], charge["name"]) for charge in told["totalPaymentTax"]] == [(tax, name)]
        (charge,) = told["orderedItem"][0]["unitTaxSpecification"]
        assert (charge["price"], charge["name"], charge["rate"]) == (tax, name, float(vat.rate))


@pytest.mark.parametrize(
    ("vat", "properties", "name"),
    [
        (None, VAT_ID, "VAT at 20%"),
        (None, {}, "Outside the scope of VAT"),
        (VatTreatment.EXEMPT, VAT_ID, "VAT exempt"),
        (VatTreatment.REDUCED, {}, "VAT at 5%"),
    ],
)
async def test_the_vat_treatment_of_the_seller_applies_without_an_option(
    world: World, vat: VatTreatment | None, properties: dict[str, str], name: str
) -> None:
    seller = replace(CENTRE, vat=vat, properties={**CENTRE.properties, **properties})
    await world.store.execute(PublishSeller(seller, actor=MANAGER))
    assert await tax_of(world, seller) == name
    assert await tax_of(world, seller, vat=VatTreatment.ZERO_RATED) == "VAT at 0%"


async def test_a_second_import_applies_the_new_treatment_and_orders_keep_their_tax(world: World) -> None:
    uuid, order, _ = await sold(world, CENTRE.key)
    booked = (await world.call("PUT", f"orders/{uuid}", order)).json()
    await world.store.execute(PublishSeller(replace(CENTRE, vat=VatTreatment.STANDARD), actor=MANAGER))
    assert await tax_of(world, CENTRE) == "VAT at 20%"
    status = (await world.call("GET", f"orders/{uuid}")).json()
    assert status["totalPaymentTax"] == booked["totalPaymentTax"]
    assert status["totalPaymentTax"][0]["name"] == "Outside the scope of VAT"


@pytest.mark.parametrize(("properties", "vat"), [(VAT_ID, VatTreatment.STANDARD), ({}, VatTreatment.OUTSIDE_SCOPE)])
async def test_a_described_seller_charges_vat_if_it_publishes_a_vat_number(
    world: World, properties: dict[str, str], vat: VatTreatment
) -> None:
    await import_(world.store, made(organizer=SELLER | properties), seller=None)
    (described,) = [known for known in await world.store.sellers() if known.key not in (CENTRE.key, STUDIO.key)]
    assert (described.vat, described.default_vat) == (None, vat)
