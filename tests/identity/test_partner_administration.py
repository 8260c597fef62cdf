"""Administration of Booking Partners, which the commands and the console share."""

from datetime import timedelta

import pytest

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.keys import InvalidKeyError
from openbooking.identity.digests import digest
from openbooking.identity.oauth.errors import InvalidRedirectUriError
from openbooking.identity.partner_administration import (
    LONGEST_OVERLAP,
    NewPartner,
    NoFormerCredentialError,
    NoGrantError,
    OverlapError,
    PartnerAdministration,
    PartnerExistsError,
    UnknownPartnerError,
)
from openbooking.identity.partners.credentials import CredentialKind
from openbooking.identity.partners.grants import give, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState, Partner
from openbooking.identity.scopes import Scope
from openbooking.identity.sellers import UnknownSellerError
from support.identity_provider import Desk
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

OLGA, PETE = Actor(ActorKind.STAFF, "olga"), Actor(ActorKind.STAFF, "pete")

BOOK = give(frozenset({Scope.OPENBOOKING}))


@pytest.fixture
def administration(desk: Desk) -> PartnerAdministration:
    return desk.provider.partner_administration


@pytest.mark.spec("OB-AUTH-04")
async def test_a_new_partner_has_the_returned_key_and_a_grant_of_each_seller(
    desk: Desk, administration: PartnerAdministration
) -> None:
    api_key = await administration.add(NewPartner(key="acme", name="Acme", sellers=("centre", "studio")), OLGA)
    partner = await administration.partner("acme")
    assert (partner.api_key_digest, partner.secret_digest) == (digest(api_key), None)
    assert (partner.registered_by, partner.registered) == ("olga", desk.clock())
    grants = await desk.store.find(Grant, partner="acme")
    assert [(grant.seller, grant.allows_booking, grant.changed_by) for grant in grants] == [
        ("centre", True, "olga"),
        ("studio", True, "olga"),
    ]


async def test_a_partner_with_a_redirect_uri_has_a_client_secret(administration: PartnerAdministration) -> None:
    new = NewPartner(key="acme", name="Acme", redirect_uris=("https://acme.example/cb",), contacts=("a@acme.example",))
    secret = await administration.add(new, OLGA)
    partner = await administration.partner("acme")
    assert (partner.api_key_digest, partner.secret_digest) == (None, digest(secret))
    assert (partner.redirect_uris, partner.contacts) == (new.redirect_uris, new.contacts)


async def test_a_refused_partner_is_not_stored(desk: Desk, administration: PartnerAdministration) -> None:
    with pytest.raises(UnknownSellerError, match="no Seller nobody"):
        await administration.add(NewPartner(key="acme", name="Acme", sellers=("centre", "nobody")), OLGA)
    with pytest.raises(PartnerExistsError):
        await administration.add(NewPartner(key="alice", name="Other"), OLGA)
    assert [partner.name for partner in await desk.store.find(Partner)] == ["Alice", "Bob"]


def test_a_new_partner_needs_a_key_for_identifiers_and_secure_redirect_uris() -> None:
    with pytest.raises(InvalidKeyError):
        NewPartner(key="a b", name="A")
    with pytest.raises(InvalidRedirectUriError):
        NewPartner(key="a", name="A", redirect_uris=("http://a.example/cb",))


async def test_changes_of_an_unknown_partner_are_refused(administration: PartnerAdministration) -> None:
    for change in (
        administration.set_suspended("nobody", suspended=True, by=MANAGER),
        administration.set_redirect_uris("nobody", ["https://a.example/cb"]),
        administration.replace_credential("nobody", CredentialKind.API_KEY, None),
        administration.end_former_credential("nobody", CredentialKind.API_KEY),
        administration.change_grant("nobody", "centre", BOOK, OLGA),
    ):
        with pytest.raises(UnknownPartnerError, match="no Booking Partner nobody"):
            await change


async def test_wrong_redirect_uris_leave_the_former_ones(administration: PartnerAdministration) -> None:
    with pytest.raises(InvalidRedirectUriError):
        await administration.set_redirect_uris("alice", ["https://a.example/cb", "ftp://a.example/cb"])
    assert (await administration.partner("alice")).redirect_uris == ("https://alice.example.com/cb",)
    await administration.set_redirect_uris("alice", ["https://a.example/cb"])
    assert (await administration.partner("alice")).redirect_uris == ("https://a.example/cb",)


async def test_a_suspension_is_lifted(administration: PartnerAdministration) -> None:
    assert (await administration.set_suspended("alice", suspended=True, by=MANAGER)).suspended
    assert not (await administration.set_suspended("alice", suspended=False, by=MANAGER)).suspended


@pytest.mark.spec("OB-AUTH-08")
async def test_an_overlap_is_a_time_or_an_end_within_a_year(desk: Desk, administration: PartnerAdministration) -> None:
    now, kind = desk.clock(), CredentialKind.API_KEY
    for overlap in (timedelta(), LONGEST_OVERLAP + timedelta(seconds=1), now, now - timedelta(days=1)):
        with pytest.raises(OverlapError):
            await administration.replace_credential("alice", kind, overlap)
    for overlap in (timedelta(days=7), now + timedelta(days=7)):
        secret, partner = await administration.replace_credential("bob", kind, overlap)
        assert partner.api_key_digest == digest(secret)
        assert partner.former_api_key
        assert partner.former_api_key.ends == now + timedelta(days=7)
    ended = await administration.end_former_credential("bob", kind)
    assert ended.former_api_key is None
    with pytest.raises(NoFormerCredentialError, match="bob has no former API key"):
        await administration.end_former_credential("bob", kind)


async def test_a_change_is_repeated_after_a_concurrent_change(
    desk: Desk, administration: PartnerAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is made again, on the record that the other process has saved."""
    find = desk.store.find

    async def find_and_lose(kind: type[Partner], **lookups: str | bool) -> object:
        found = await find(kind, **lookups)
        monkeypatch.setattr(desk.store, "find", find)
        await administration.set_redirect_uris("alice", ["https://a.example/cb"])
        return found

    monkeypatch.setattr(desk.store, "find", find_and_lose)
    await administration.set_suspended("alice", suspended=True, by=MANAGER)
    partner = await administration.partner("alice")
    assert (partner.suspended, partner.redirect_uris) == (True, ("https://a.example/cb",))


@pytest.mark.spec("OB-AUTH-07")
async def test_a_grant_is_given_and_revoked_by_name(desk: Desk, administration: PartnerAdministration) -> None:
    grants = await administration.change_grant("alice", "centre", BOOK, OLGA)
    assert [(grant.seller, grant.state, grant.changed_by) for grant in grants] == [
        ("centre", GrantState.ACTIVE, "olga")
    ]
    grants = await administration.change_grant("alice", "centre", revoke, PETE)
    assert [(grant.state, grant.changed_by) for grant in grants] == [(GrantState.REVOKED, "pete")]


@pytest.mark.parametrize(("seller", "words"), [("centre", "centre"), (EVERY_SELLER, "--all-sellers")])
async def test_a_grant_that_does_not_exist_cannot_be_suspended(
    administration: PartnerAdministration, seller: str, words: str
) -> None:
    with pytest.raises(NoGrantError, match=f"alice has no grant for {words}"):
        await administration.change_grant("alice", seller, suspend, OLGA)
    with pytest.raises(UnknownSellerError):
        await administration.change_grant("alice", "nobody", suspend, OLGA)
