"""Authentication of callers by API key, by access token and by trusted headers."""

import pytest
from msgspec.structs import replace

from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import Caller
from openbooking.identity.authentication import ApiKeyAuthentication, TrustedHeaderAuthentication
from openbooking.identity.digests import digest
from openbooking.identity.partners.grants import change_terms, give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Partner
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import (
    InvalidAPITokenError,
    InvalidAuthorizationDetailsError,
    NoAPITokenError,
    UnauthenticatedError,
)
from support.identity_provider import IDS, SITE, Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

BOOKING = give(frozenset({Scope.OPENBOOKING}))


@pytest.mark.spec("OB-AUTH-12", "OB-AUTH-13")
@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, NoAPITokenError),
        ({"x-api-key": "obk_alice"}, NoAPITokenError),
        ({"authorization": ""}, InvalidAPITokenError),
        ({"authorization": "Bearer"}, InvalidAPITokenError),
        ({"authorization": "Bearer "}, InvalidAPITokenError),
        ({"authorization": "Bearer obk_nobody"}, InvalidAPITokenError),
        ({"authorization": "Bearer obs_alice"}, InvalidAPITokenError),
        ({"authorization": "Basic obk_alice"}, InvalidAPITokenError),
        ({"authorization": "obk_alice"}, InvalidAPITokenError),
    ],
)
async def test_malformed_and_unknown_api_keys_are_refused(
    desk: Desk, headers: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)(headers, Scope.OPENBOOKING)


@pytest.mark.spec("OB-AUTH-02", "OB-AUTH-04", "OB-AUTH-05")
async def test_an_api_key_authenticates_its_partner_for_its_sellers(desk: Desk) -> None:
    by_api_key = ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)
    for grants, sellers, barred in (
        ([], frozenset(), frozenset()),
        ([("centre", BOOKING)], {"centre"}, frozenset()),
        ([("centre", suspend)], frozenset(), frozenset()),
        ([("centre", resume), ("studio", BOOKING)], {"centre", "studio"}, frozenset()),
        ([("studio", revoke)], {"centre"}, frozenset()),
        ([(EVERY_SELLER, BOOKING)], None, {"studio"}),
        ([("studio", BOOKING)], None, frozenset()),
        ([(EVERY_SELLER, revoke)], {"centre", "studio"}, frozenset()),
    ):
        for seller, change in grants:
            await desk.provider.grants.change("alice", seller, change, MANAGER)
        caller = await by_api_key({"authorization": "bearer obk_alice"}, Scope.OPENBOOKING)
        assert caller == Caller("alice", None if sellers is None else frozenset(sellers), frozenset(barred))
    bob = await by_api_key({"authorization": "Bearer obk_bob"}, Scope.OPENBOOKING)
    assert bob == Caller("bob", frozenset())


async def test_a_grant_without_the_booking_scope_allows_no_bookings(desk: Desk) -> None:
    await desk.provider.grants.change("alice", "centre", give(frozenset({Scope.OPENID})), MANAGER)
    caller = await ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)(
        {"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING
    )
    assert caller.sellers == frozenset()


@pytest.mark.spec("OB-AUTH-08")
async def test_a_new_key_replaces_the_old_one_for_the_same_partner(desk: Desk) -> None:
    (alice,) = await desk.store.find(Partner, key="alice")
    await desk.store.save(replace(alice, api_key_digest=digest("obk_new")))
    by_api_key = ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)
    with pytest.raises(InvalidAPITokenError):
        await by_api_key({"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING)
    assert (await by_api_key({"authorization": "Bearer obk_new"}, Scope.OPENBOOKING)).partner == "alice"


async def test_a_suspended_partner_may_only_read_its_feeds(desk: Desk) -> None:
    tokens, own = await desk.tokens(), await desk.own_token()
    (alice,) = await desk.store.find(Partner, key="alice")
    await desk.store.save(replace(alice, suspended=True))
    with pytest.raises(InvalidAuthorizationDetailsError):
        await desk.caller(tokens["access_token"])
    assert await desk.sellers("obk_alice") == set()
    assert (await desk.caller(own, Scope.ORDERS_FEED)).partner == "alice"
    (alice,) = await desk.store.find(Partner, key="alice")
    await desk.store.save(replace(alice, suspended=False))
    assert await desk.sellers(tokens["access_token"]) == {"centre"}


@pytest.mark.spec("OB-AUTH-12")
async def test_a_missing_access_token_has_its_own_error(desk: Desk) -> None:
    with pytest.raises(UnauthenticatedError):
        await desk.provider.authenticate_access_token({}, Scope.OPENBOOKING)
    await desk.provider.grants.change("alice", "centre", BOOKING, MANAGER)
    assert await desk.sellers("obk_alice") == {"centre"}
    with pytest.raises(InvalidAPITokenError):
        await desk.caller("obk_nobody")


@pytest.mark.spec("OB-AUTH-12")
async def test_trusted_headers_name_the_caller() -> None:
    by_headers = TrustedHeaderAuthentication("X-Partner", "X-Seller", IDS)
    assert (await by_headers({"X-Partner": "alice"}, Scope.OPENBOOKING)).sellers is None
    seller = {"X-Partner": "alice", "X-Seller": IDS.seller("centre")}
    assert await by_headers(seller, Scope.OPENBOOKING) == Caller("alice", frozenset({"centre"}))
    with pytest.raises(UnauthenticatedError):
        await by_headers({"X-Seller": IDS.seller("centre")}, Scope.OPENBOOKING)
    with pytest.raises(InvalidAuthorizationDetailsError):
        await by_headers({"X-Partner": "alice", "X-Seller": f"{SITE}/centre"}, Scope.OPENBOOKING)
    with pytest.raises(InvalidAuthorizationDetailsError):
        await by_headers({"X-Partner": DESK}, Scope.OPENBOOKING)


OVERRIDES, HALL = GrantTerms(offer_overrides=True), GrantTerms(venues=frozenset({"Hall"}))


def agreed(caller: Caller) -> tuple[GrantTerms, GrantTerms]:
    """Return the terms of the caller with the centre, and with the studio."""
    return caller.terms_with("centre"), caller.terms_with("studio")


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01", "OB-AUTH-05")
async def test_an_api_key_has_the_terms_of_each_seller(desk: Desk) -> None:
    """The grant of a Seller replaces the grant of EVERY_SELLER completely. An inactive grant has no terms."""
    by_api_key = ApiKeyAuthentication(desk.store, desk.provider.last_use_recorder, desk.clock)
    for seller, change, terms in (
        ("centre", BOOKING, (NO_TERMS, NO_TERMS)),
        ("centre", change_terms(lambda _: OVERRIDES), (OVERRIDES, NO_TERMS)),
        (EVERY_SELLER, BOOKING, (OVERRIDES, NO_TERMS)),
        (EVERY_SELLER, change_terms(lambda _: HALL), (OVERRIDES, HALL)),
        ("centre", change_terms(lambda _: NO_TERMS), (NO_TERMS, HALL)),
        ("centre", change_terms(lambda _: HALL), (HALL, HALL)),
        (EVERY_SELLER, suspend, (HALL, NO_TERMS)),
        (EVERY_SELLER, resume, (HALL, HALL)),
        ("studio", suspend, (HALL, HALL)),
        (EVERY_SELLER, change_terms(lambda _: OVERRIDES), (HALL, OVERRIDES)),
        (EVERY_SELLER, revoke, (HALL, NO_TERMS)),
    ):
        await desk.provider.grants.change("alice", seller, change, MANAGER)
        caller = await by_api_key({"authorization": "Bearer obk_alice"}, Scope.OPENBOOKING)
        assert agreed(caller) == terms
    assert agreed(await desk.caller("obk_bob")) == (NO_TERMS, NO_TERMS)


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01", "OB-AUTH-24")
async def test_an_access_token_has_the_present_terms_of_its_seller(desk: Desk) -> None:
    token = (await desk.tokens())["access_token"]
    change = desk.provider.grants.change
    assert agreed(await desk.caller(token)) == (NO_TERMS, NO_TERMS)
    await change("alice", EVERY_SELLER, BOOKING, MANAGER)
    await change("alice", EVERY_SELLER, change_terms(lambda _: HALL), MANAGER)
    assert (await desk.caller(token)).terms_with("centre") == NO_TERMS
    await change("alice", "centre", change_terms(lambda _: OVERRIDES), MANAGER)
    caller = await desk.caller(token)
    assert (caller.terms_with("centre"), caller.sellers) == (OVERRIDES, frozenset({"centre"}))


@pytest.mark.spec("OB-OVR-01", "OB-DYN-01")
async def test_trusted_headers_have_no_terms() -> None:
    caller = await TrustedHeaderAuthentication("p", "s", IDS)({"p": "alice"}, Scope.OPENBOOKING)
    assert agreed(caller) == (NO_TERMS, NO_TERMS)
