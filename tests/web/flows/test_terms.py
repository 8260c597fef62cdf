"""Terms of the Booking System and of Sellers, and restrictions that replies show to Customers (OB 8.1.1, 8.6)."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from support.builders import UUID, session
from support.http_system import World, open_world
from support.parties import BROKER, CENTRE, CUSTOMER, MANAGER
from support.validators import Validator

pytestmark = pytest.mark.anyio

SELLER_TERMS = [
    {
        "@type": "TermsOfUse",
        "name": "Rules of the pool",
        "url": "https://riverside.example.com/rules",
        "requiresExplicitConsent": True,
        "dateModified": "2027-01-01T00:00:00Z",
    },
    {
        "@type": "PrivacyPolicy",
        "name": "Privacy policy",
        "url": "https://riverside.example.com/privacy",
        "requiresExplicitConsent": False,
    },
]
BROKER_TERMS = [
    {"@type": "Terms", "name": "Ours", "url": "https://broker.example.com/", "requiresExplicitConsent": False}
]
RESTRICTED = {
    "ageRange": {"@type": "QuantitativeValue", "minValue": 16},
    "genderRestriction": "https://openactive.io/FemaleOnly",
    "additionalAdmissionRestriction": ["Only those who can swim 25 metres."],
}


@pytest.mark.spec("OB-TERM-01", "OB-TERM-02", "OB-TERM-03", "OB-TERM-04", "OB-TERM-05", "OB-TERM-06", "OB-TERM-07")
@pytest.mark.spec("OB-BKBL-42")
@pytest.mark.parametrize("consent", [True, False])
async def test_terms_are_only_on_seller_and_booking_service(
    tmp_path: Path, validator: Validator, consent: bool
) -> None:
    settings = {
        "terms_of_service": "https://booking.example.com/terms",
        "terms_require_consent": consent,
        "terms_modified": "2027-02-01T00:00:00Z" if consent else "",
    }
    async with open_world("sqlite", tmp_path, **settings) as world:
        seller = replace(CENTRE, properties={**CENTRE.properties, "termsOfService": SELLER_TERMS})
        await world.store.execute(PublishSeller(seller, actor=MANAGER))
        family = session("swim")
        await world.store.execute(Publish(tuple(family), actor=MANAGER))
        broker = {**BROKER, "termsOfService": BROKER_TERMS}
        item = world.item(family)
        replies = [
            await world.call("PUT", f"order-quote-templates/{UUID}", world.quote(item, broker=broker)),
            await world.call("PUT", f"order-quotes/{UUID}", world.quote(item, broker=broker, customer=CUSTOMER)),
            await world.call("PUT", f"orders/{UUID}", world.order(item, broker=broker)),
        ]
        for reply, mode in zip(replies, ("C1Response", "C2Response", "BResponse"), strict=True):
            body: dict[str, Any] = reply.json()
            assert validator.failures(mode, body) == []
            assert body["seller"]["termsOfService"] == SELLER_TERMS
            assert body["broker"]["termsOfService"] == BROKER_TERMS
            (terms,) = body["bookingService"]["termsOfService"]
            assert terms["requiresExplicitConsent"] is consent
            assert ("dateModified" in terms) is consent
            assert terms["url"].startswith("https://")
            assert "termsOfService" not in str(body["orderedItem"])
        series = (await world.read_feed("/feeds/session-series"))["series-swim"]["data"]
        assert series["organizer"]["termsOfService"] == SELLER_TERMS


@pytest.mark.spec("OB-BKBL-24", "OB-BKBL-25", "OB-BKBL-37", "OB-PRIV-03", "OB-VAL-36")
async def test_restrictions_are_published_and_quoted_and_not_enforced(
    sqlite_world: World, validator: Validator
) -> None:
    family = session("lanes")
    family[0] = replace(family[0], properties={**family[0].properties, **RESTRICTED})
    await sqlite_world.store.execute(Publish(tuple(family), actor=MANAGER))
    series = (await sqlite_world.read_feed("/feeds/session-series"))["series-lanes"]["data"]
    assert validator.failures("BookableRPDEFeed", series) == []
    assert {name: series[name] for name in RESTRICTED} == RESTRICTED
    reply = await sqlite_world.call("PUT", f"orders/{UUID}", sqlite_world.order(sqlite_world.item(family)))
    assert reply.status_code == 201
    told = reply.json()["orderedItem"][0]["orderedItem"]["superEvent"]
    assert {name: told[name] for name in RESTRICTED} == RESTRICTED
