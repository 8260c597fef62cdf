"""The Seller's own details and terms."""

import asyncio

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.opportunity import Seller
from openbooking.identity.records import User
from support.browsers.form_browser import Page
from support.console import SignIn
from support.http_system import SITE, World
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio

DETAILS = "/console/details"
CHANGED = {
    "name": "Riverside Sports",
    "legal_name": "Riverside Trust",
    "email": "desk@riverside.example",
    "telephone": "020 7946 0000",
    "url": "https://sports.example/",
    "street": "2 High Street",
    "locality": "Newford",
    "region": "Newshire",
    "postcode": "NE1 1AA",
    "country": "GB",
    "vat_id": "GB 123456789",
    "terms": "https://sports.example/terms",
}
PRIVACY = {
    "@type": "PrivacyPolicy",
    "name": "Privacy",
    "url": "https://sports.example/privacy",
    "requiresExplicitConsent": False,
}


async def centre(world: World) -> Seller:
    return next(seller for seller in await world.store.sellers() if seller.key == CENTRE.key)


async def publish(sign_in: SignIn, **fields: str) -> Page:
    ann = await sign_in("ann")
    return await ann.send(await ann.open(DETAILS), DETAILS, **{**CHANGED, **fields})


async def test_changed_details_are_published(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(DETAILS)
    assert page.fields["name"]["value"] == "Riverside Centre"
    assert page.fields["street"]["value"] == "1 High Street"
    assert page.fields["terms"]["value"] == ""
    page = await publish(sign_in)
    assert page.url == f"{SITE}{DETAILS}?done=details"
    assert "Details published." in page.text
    assert {name: page.fields[name]["value"] for name in CHANGED} == CHANGED
    seller = await centre(world)
    assert (seller.key, seller.tax_mode, seller.open_booking_allowed) == ("centre", CENTRE.tax_mode, True)
    assert seller.properties["address"] == {
        "@type": "PostalAddress",
        "streetAddress": "2 High Street",
        "addressLocality": "Newford",
        "addressRegion": "Newshire",
        "postalCode": "NE1 1AA",
        "addressCountry": "GB",
    }
    organizers = [item["data"]["organizer"] for item in (await world.read_feed("/feeds/session-series")).values()]
    [published] = [organizer for organizer in organizers if organizer["@id"] == world.ids.seller("centre")]
    assert (published["name"], published["legalName"], published["vatID"]) == (
        "Riverside Sports",
        "Riverside Trust",
        "GB 123456789",
    )
    assert published["termsOfService"] == [
        {
            "@type": "Terms",
            "name": "Terms of service",
            "url": "https://sports.example/terms",
            "requiresExplicitConsent": False,
        }
    ]


@pytest.mark.parametrize("kind", ["Terms", "TermsOfUse"])
async def test_other_properties_and_terms_stay(world: World, sign_in: SignIn, kind: str) -> None:
    own = {"@type": kind, "name": "House rules", "url": "https://old.example/", "requiresExplicitConsent": True}
    logo = {"@type": "ImageObject", "url": "https://riverside.example/logo.png"}
    properties = {**CENTRE.properties, "logo": logo, "termsOfService": [PRIVACY, own]}
    await world.store.execute(PublishSeller(replace(CENTRE, properties=properties), actor=MANAGER))
    assert (await (await sign_in("ann")).open(DETAILS)).fields["terms"]["value"] == "https://old.example/"
    await publish(sign_in)
    seller = await centre(world)
    assert seller.properties["logo"] == logo
    assert seller.properties["termsOfService"] == [{**own, "url": CHANGED["terms"]}, PRIVACY]
    await publish(sign_in, terms="", telephone="")
    seller = await centre(world)
    assert seller.properties["termsOfService"] == [PRIVACY]
    assert "telephone" not in seller.properties


async def test_logo_and_colour_are_changed_and_removed(world: World, sign_in: SignIn) -> None:
    logo = "https://riverside.example/logo.png"
    page = await publish(sign_in, logo=logo, colour="#FFCC00")
    assert (page.fields["logo"]["value"], page.fields["colour"]["value"]) == (logo, "#ffcc00")
    assert f'<img src="{logo}"' in page.response.text
    seller = await centre(world)
    assert seller.properties["logo"] == {"@type": "ImageObject", "url": logo}
    assert (seller.colour, "colour" in seller.properties) == ("#ffcc00", False)
    await publish(sign_in, logo="", colour="")
    seller = await centre(world)
    assert ("logo" in seller.properties, seller.colour) == (False, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("legal_name", " "),
        ("email", "desk"),
        ("email", "desk at@riverside.example"),
        ("url", "javascript:alert(1)"),
        ("street", ""),
        ("region", ""),
        ("postcode", "x" * 201),
        ("country", "gb"),
        ("country", "United Kingdom"),
        ("vat_id", "none"),
        ("terms", "our site"),
        ("logo", "logo.png"),
        ("colour", "green"),
        ("locality", "New\u202eford"),
    ],
)
async def test_a_wrong_field_is_named_and_what_was_typed_stays(
    world: World, sign_in: SignIn, field: str, value: str
) -> None:
    page = await publish(sign_in, **{field: value})
    assert (page.status, page.summary) == (422, [field])
    assert page.fields[field]["value"] == value.strip()
    assert page.fields["telephone"]["value"] == CHANGED["telephone"]
    assert await centre(world) == CENTRE


async def test_the_page_says_that_details_were_imported(world: World, sign_in: SignIn) -> None:
    page = await (await sign_in("ann")).open(DETAILS)
    assert "imported" not in page.text
    imported = replace(CENTRE, key="pool", source="https://feed.example/")
    await world.store.execute(PublishSeller(imported, actor=MANAGER))
    (ann,) = await world.identity.find(User, name="ann")
    await world.identity.save(replace(ann, seller="pool"))
    page = await (await sign_in("ann")).open(DETAILS)
    assert "Later imports leave what you change here as it is." in page.text


async def test_of_two_managers_who_save_at_once_the_second_sees_the_first_change(world: World, sign_in: SignIn) -> None:
    ann, other = await sign_in("ann"), await sign_in("ann")
    old = await other.open(DETAILS)
    await ann.send(await ann.open(DETAILS), DETAILS, **{**CHANGED, "telephone": "020 7946 0001"})
    page = await other.send(old, DETAILS, **{**CHANGED, "name": "Another name"})
    assert (page.status, "Nothing has been published." in page.text) == (422, True)
    assert page.fields["telephone"]["value"] == "020 7946 0001"
    assert page.fields["name"]["value"] == CHANGED["name"]
    assert (await centre(world)).name == CHANGED["name"]
    page = await other.send(page, DETAILS, name="Another name")
    assert page.url == f"{SITE}{DETAILS}?done=details"
    assert ((await centre(world)).name, (await centre(world)).properties["telephone"]) == (
        "Another name",
        "020 7946 0001",
    )


async def test_of_two_forms_sent_at_the_same_moment_one_is_published(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(DETAILS)
    pages = await asyncio.gather(*(ann.send(page, DETAILS, **{**CHANGED, "name": f"Name {n}"}) for n in range(4)))
    assert sorted(page.status for page in pages) == [200, 422, 422, 422]
    assert (await centre(world)).name == f"Name {[page.status for page in pages].index(200)}"


async def test_a_change_of_the_details_is_in_the_activity_log(world: World, sign_in: SignIn) -> None:
    await publish(sign_in)
    ann = await sign_in("ann")
    assert "Your details changed Riverside Sports ann" in (await ann.open("/console/log")).text
    await ann.send(await ann.open(DETAILS), DETAILS)
    assert (await ann.open("/console/log")).text.count("Your details changed Riverside Sports") == 1
