"""Adding and replacing a Seller, from the details that a person enters."""

from typing import Any

import pytest

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.add_seller import (
    InvalidSellerDetailError,
    InvalidWebAddressError,
    SellerDetails,
    SellerExistsError,
    add_seller,
)
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.republish import republish
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.keys import InvalidKeyError
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import TaxMode
from support.builders import session
from support.identity_provider import Desk
from support.parties import CENTRE, MANAGER

OTHER = Actor(ActorKind.ADMINISTRATOR, "feed republish")

DETAILS: dict[str, Any] = {
    "key": "willow",
    "name": "Willow Studio",
    "legal_name": "Willow Movement Ltd",
    "tax_mode": TaxMode.NET,
    "email": "hello@willow.example.com",
    "url": "https://willow.example.com/",
    "street": "22a Canal Street",
    "locality": "Oxford",
    "region": "Oxfordshire",
    "postcode": "OX2 6ZZ",
    "country": "GB",
}


def test_a_seller_publishes_the_details_that_were_given() -> None:
    full: dict[str, Any] = {
        "telephone": "01632 960202",
        "vat_id": "GB999999973",
        "vat": VatTreatment.STANDARD,
        "logo": "https://a.example/l",
        "terms": "https://a.example/t",
    }
    seller = SellerDetails(**DETAILS, **full).seller
    assert (seller.key, seller.name, seller.legal_name) == ("willow", "Willow Studio", "Willow Movement Ltd")
    assert (seller.tax_mode, seller.vat) == (TaxMode.NET, VatTreatment.STANDARD)
    assert seller.properties == {
        "url": "https://willow.example.com/",
        "email": "hello@willow.example.com",
        "address": {
            "@type": "PostalAddress",
            "streetAddress": "22a Canal Street",
            "addressLocality": "Oxford",
            "addressRegion": "Oxfordshire",
            "postalCode": "OX2 6ZZ",
            "addressCountry": "GB",
        },
        "telephone": "01632 960202",
        "vatID": "GB999999973",
        "logo": {"@type": "ImageObject", "url": "https://a.example/l"},
        "termsOfService": [
            {
                "@type": "Terms",
                "name": "Terms of service",
                "requiresExplicitConsent": False,
                "url": "https://a.example/t",
            }
        ],
    }
    assert set(SellerDetails(**DETAILS).seller.properties) == {"url", "email", "address"}


def test_a_key_and_web_addresses_are_checked() -> None:
    with pytest.raises(InvalidKeyError, match="'a/b' cannot be a key"):
        SellerDetails(**DETAILS | {"key": "a/b"})
    for name in ("url", "logo", "terms"):
        with pytest.raises(InvalidWebAddressError, match="is no web address"):
            SellerDetails(**DETAILS | {name: "javascript:alert(1)"})


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("legal_name", " ", "The legal name of a Seller cannot be empty"),
        ("email", "nonsense", "no e-mail address"),
        ("country", "Britain", "no country in ISO 3166"),
        ("vat_id", "GB-?", "no VAT number"),
    ],
)
def test_the_details_of_a_seller_are_checked_as_on_its_page(name: str, value: str, fault: str) -> None:
    with pytest.raises(InvalidSellerDetailError, match=fault):
        SellerDetails(**DETAILS | {name: value})


@pytest.mark.anyio
async def test_a_seller_is_replaced_only_on_request() -> None:
    store = Desk().bookings
    assert await add_seller(store, SellerDetails(**DETAILS), MANAGER, replaces=True) is None
    renamed = SellerDetails(**DETAILS | {"name": "Weeping Willow"})
    with pytest.raises(SellerExistsError, match="a Seller willow already"):
        await add_seller(store, renamed, MANAGER, replaces=False)
    assert [seller.name for seller in await store.sellers()] == ["Willow Studio"]
    assert await add_seller(store, renamed, MANAGER, replaces=True) == 0
    assert [seller.name for seller in await store.sellers()] == ["Weeping Willow"]


@pytest.mark.anyio
async def test_every_change_of_a_seller_has_its_actor() -> None:
    store, actors = (await Desk().open()).bookings, []
    await store.execute(Publish(tuple(session("yoga")), actor=OTHER))

    class Watched:
        async def execute(self, command: Command[Any]) -> Any:
            actors.append(command.actor)
            return await store.execute(command)

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    watched: Any = Watched()
    details = SellerDetails(**DETAILS | {"key": CENTRE.key})
    assert await add_seller(watched, details, MANAGER, replaces=True) == 1
    assert actors == [MANAGER, MANAGER]
    assert await republish(watched, CENTRE.key, OTHER, list(OpportunityType)) == 2
    assert actors[2:] == [OTHER]
