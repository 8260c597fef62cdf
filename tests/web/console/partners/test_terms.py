"""The form on which a manager narrows and extends what a partner may book."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.identity.partners.grants import revoke
from openbooking.identity.records import EVERY_SELLER, Grant
from openbooking.openactive.ids import OfferRef
from support.browsers.form_browser import Page, Visitor
from support.builders import ACTIVITY, FACILITY_TYPE, PLACE, new_uuid, session
from support.console import SignIn
from support.http_system import COURT, YOGA, World
from support.identity_provider import grant
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

TERMS = "/partners/alice/terms"
SERIES, OCCURRENCE = session("beach")
PLACE_AT_SEA = {**PLACE, "@id": "https://b.example/7", "name": "Beach"}
BEACH = [set_matching_keys(replace(SERIES, properties={**SERIES.properties, "location": PLACE_AT_SEA})), OCCURRENCE]


@pytest.fixture(autouse=True)
async def published(world: World) -> None:
    """Besides yoga and a court at the centre, the Seller has a session at the beach."""
    await world.store.execute(Publish(tuple(BEACH), actor=MANAGER))


async def save(visitor: Visitor, path: str = TERMS, **fields: str) -> Page:
    """Fill in the form, and send it."""
    return await visitor.send(await visitor.open(path), path, **fields)


async def terms_of(world: World, partner: str = "alice") -> GrantTerms:
    """Return the terms of the partner with the centre."""
    (found,) = [found for found in await world.identity.find(Grant, partner=partner) if found.seller == "centre"]
    return found.terms


async def errors(world: World, *families: list[Any], partner: str = "alice") -> list[list[str]]:
    """Return the classes of the errors of each item that B gets."""
    items = [world.item(family, position) for position, family in enumerate(families)]
    body = world.order(*items, total=12 * len(items))
    reply = (await world.call("PUT", f"orders/{new_uuid()}", body, partner)).json()
    return [[error["@type"] for error in item.get("error", [])] for item in reply["orderedItem"]]


REFUSED = ["OpportunityOfferPairNotBookableError"]


@pytest.mark.parametrize("entry", ["beach", "https://b.example/7"])
async def test_a_grant_for_one_venue_refuses_items_elsewhere(world: World, sign_in: SignIn, entry: str) -> None:
    ann = await sign_in("ann")
    page = await save(ann, venues=entry)
    assert "Terms saved." in page.text
    assert await errors(world, BEACH, YOGA) == [[], REFUSED]
    assert await errors(world, YOGA, partner="bob") == [[]]
    assert "Beach" in (await ann.open(TERMS)).response.text.partition('name="venues"')[2].partition("</textarea>")[0]
    await save(ann, venues="")
    assert await errors(world, YOGA) == [[]]


async def test_a_grant_for_one_activity_refuses_other_items(world: World, sign_in: SignIn) -> None:
    await save(await sign_in("ann"), activities=f"{FACILITY_TYPE['prefLabel']}\n")
    assert (await terms_of(world)).activities == frozenset({FACILITY_TYPE["@id"]})
    assert await errors(world, COURT, YOGA) == [[], REFUSED]


async def test_a_grant_for_one_offer_refuses_other_offers(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    offer = world.ids.offer(YOGA[0].offers[0].ref)
    assert offer in (await ann.open(TERMS)).text
    await save(ann, offers=offer)
    assert await errors(world, COURT, YOGA) == [REFUSED, []]


async def test_the_form_of_terms_saves_and_shows_each_term(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    sent = {
        "venues": "Beach\nRiverside Centre",
        "activities": "Jet Skiing",
        "offers": world.ids.offer(YOGA[0].offers[0].ref),
        "offer_overrides": "yes",
        "dynamic_accounts": " MOVE \n\nOTHER",
        "open_quotes": "3",
        "open_proposals": "0",
    }
    await save(ann, **sent)
    assert await terms_of(world) == GrantTerms(
        offer_overrides=True,
        dynamic_accounts=frozenset({"MOVE", "OTHER"}),
        venues=frozenset({"https://b.example/7", "Riverside Centre, TE5 7AB"}),
        activities=frozenset({ACTIVITY["@id"]}),
        offers=frozenset({OfferRef(YOGA[0].path, "adult")}),
        open_quotes=3,
        open_proposals=0,
    )
    before = await terms_of(world)
    page = await ann.open(TERMS)
    assert page.fields["open_quotes"]["value"] == "3"
    assert "checked" in page.fields["offer_overrides"]
    for shown in ("Beach\nRiverside Centre</textarea>", "Jet Skiing</textarea>", "MOVE\nOTHER</textarea>"):
        assert shown in page.response.text
    page = await ann.send(page, TERMS)
    assert "Terms saved." in page.text
    assert await terms_of(world) == before
    fields = page.form(TERMS).fields
    await ann.post(TERMS, {name: fields[name] for name in ("form_token", "seen")})
    assert await terms_of(world) == GrantTerms()


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("venues", "Beach\nMoon", "You publish nothing under “Moon”."),
        ("activities", "*", "You publish nothing under “*”."),
        ("offers", "half price", "half price names no Offer"),
        ("dynamic_accounts", "*", "Name each account"),
        ("open_quotes", "-1", "Enter a whole number"),
        ("open_proposals", "many", "Enter a whole number"),
    ],
)
async def test_a_wrong_field_is_named_and_what_was_typed_stays(
    world: World, sign_in: SignIn, field: str, typed: str, told: str
) -> None:
    page = await save(await sign_in("ann"), **{"dynamic_accounts": "MOVE", "open_quotes": "3", field: typed})
    assert page.status == 422
    assert page.summary == [field]
    assert told in page.paragraphs[f"{field}-wrong"]
    assert typed in page.response.text
    assert await terms_of(world) == GrantTerms()


async def test_a_stale_form_shows_the_present_terms_and_does_nothing(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    stale = await ann.open(TERMS)
    await save(ann, venues="Beach")
    page = await ann.send(stale, TERMS, open_quotes="9")
    assert page.status == 422
    assert "The terms have changed since you opened this page." in page.text
    assert "Beach</textarea>" in page.response.text
    assert await terms_of(world) == GrantTerms(venues=frozenset({"https://b.example/7"}))


async def test_a_venue_that_is_published_no_more_may_stay(world: World, sign_in: SignIn) -> None:
    (found,) = [found for found in await world.identity.find(Grant, partner="alice") if found.seller == "centre"]
    await world.identity.save(replace(found, terms=GrantTerms(venues=frozenset({"Old Hall"}))))
    await save(await sign_in("ann"), open_quotes="5")
    assert await terms_of(world) == GrantTerms(venues=frozenset({"Old Hall"}), open_quotes=5)


async def test_terms_of_one_seller_leave_the_grant_of_all_sellers_alone(world: World, sign_in: SignIn) -> None:
    await world.identity.save(grant("charlie", EVERY_SELLER))
    await save(await sign_in("ann"), "/partners/charlie/terms", venues="Beach")
    assert (await terms_of(world, "charlie")).venues
    (every,) = await world.identity.find(Grant, partner="charlie", seller=EVERY_SELLER)
    assert every.terms == GrantTerms()


@pytest.mark.parametrize("partner", ["charlie", "nobody"])
async def test_a_partner_without_a_grant_has_no_terms(sign_in: SignIn, partner: str) -> None:
    assert (await (await sign_in("ann")).open(f"/partners/{partner}/terms")).status == 404


async def test_a_stopped_partner_has_no_terms(world: World, sign_in: SignIn) -> None:
    (found,) = [found for found in await world.identity.find(Grant, partner="alice") if found.seller == "centre"]
    await world.identity.save(revoke(found))
    assert (await (await sign_in("ann")).open(TERMS)).status == 404


async def test_staff_change_no_terms(world: World, sign_in: SignIn) -> None:
    cat = await sign_in("cat")
    token = (await cat.open("/console")).form("/sign-out").fields["form_token"]
    assert (await cat.open(TERMS)).status == 403
    assert (await cat.post(TERMS, {"form_token": token, "venues": "Beach"})).status == 403
    assert await terms_of(world) == GrantTerms()


async def test_a_forged_form_changes_nothing(world: World, sign_in: SignIn) -> None:
    ann = await sign_in("ann")
    page = await ann.open(TERMS)
    fields = {**page.form(TERMS).fields, "form_token": "0" * 64, "venues": "Beach"}
    assert (await ann.post(TERMS, fields)).status == 403
    assert await terms_of(world) == GrantTerms()
