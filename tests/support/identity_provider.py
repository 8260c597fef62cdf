"""An OpenID provider in memory, without HTTP: two Sellers with users who sign in, and partners that request tokens."""

import base64
import secrets
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from argon2 import PasswordHasher

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.grant_terms import NO_TERMS, GrantTerms
from openbooking.booking.model.order import Caller
from openbooking.booking.model.policy import Policy
from openbooking.identity.digests import digest
from openbooking.identity.oauth.authorization_endpoint import Redirect
from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.oauth.signing_keys import new_signing_key
from openbooking.identity.oauth.token_endpoint import Tokens
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.provider import Provider
from openbooking.identity.records import Grant, Partner, Role, SigningKey, User
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in.accounts import SignedIn
from openbooking.identity.sign_in.attempt_limiter import Browser
from openbooking.identity.sign_in.passwords import Passwords
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.memory import MemoryStore
from openbooking.testing.samples import Clock
from support.builders import NOW
from support.parties import CENTRE, MANAGER, STUDIO

SITE = "https://booking.example.com"
IDS = Identifiers(f"{SITE}/api")
POLICY = IdentityPolicy(issuer=SITE, audience=f"{SITE}/api")
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
SCOPE = "openid offline_access openactive-openbooking"
BROWSER = Browser("192.0.2.1")


@cache
def signing_key() -> SigningKey:
    """Return a signing key, which is made once because this takes long."""
    return new_signing_key(NOW)


@cache
def password_hash() -> str:
    """Return a hash of PASSWORD that is computed quickly."""
    return HASHER.hash(PASSWORD)


def partner(key: str, **changes: Any) -> Partner:
    """Return a partner with a secret and a redirect URI."""
    made = {
        "name": key.title(),
        "registered": NOW,
        "registered_by": "desk",
        "api_key_digest": digest(f"obk_{key}"),
        "secret_digest": digest(f"obs_{key}"),
        "redirect_uris": (f"https://{key}.example.com/cb",),
    }
    return Partner(key=key, **{**made, **changes})


def grant(partner_key: str, seller: str, terms: GrantTerms = NO_TERMS) -> Grant:
    """Return a grant by an administrator, with these terms."""
    scopes = frozenset({Scope.OPENBOOKING})
    return Grant(partner=partner_key, seller=seller, scopes=scopes, changed=NOW, changed_by="desk", terms=terms)


def users() -> list[User]:
    """Return a manager of each Seller and a member of staff; all have the same password."""
    people = [("ann", CENTRE.key, Role.MANAGER), ("ben", STUDIO.key, Role.MANAGER), ("cat", CENTRE.key, Role.STAFF)]
    return [User(name=name, seller=key, role=role, password_hash=password_hash()) for name, key, role in people]


def basic(client_id: str, secret: str) -> str:
    """Return the header with which a client authenticates."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


class Desk:
    """The provider, with the actions of its clients and users."""

    def __init__(self, policy: IdentityPolicy = POLICY) -> None:
        self.clock = Clock()
        writer = JsonLdFeedWriter(Writer(IDS))
        self.bookings = MemoryStore(policy=Policy(), writer=writer, clock=self.clock)
        self.store = MemoryIdentityStore(self.bookings.activity)
        self.provider = Provider(
            store=self.store,
            bookings=self.bookings,
            policy=policy,
            ids=IDS,
            booking_service={"name": "Openbooking", "url": SITE},
            clock=self.clock,
            passwords=Passwords(HASHER),
        )

    async def open(self) -> "Desk":
        """Add alice and bob as partners, a manager of each Seller, and a member of staff."""
        for seller in (CENTRE, STUDIO):
            await self.bookings.execute(PublishSeller(seller, actor=MANAGER))
        assert await self.store.save(partner("alice"), partner("bob"), signing_key(), *users())
        return self

    async def signed_in(self, name: str) -> SignedIn:
        """Sign in a user."""
        session = (await self.provider.accounts.sign_in(name, PASSWORD, BROWSER)).secret
        signed_in = await self.provider.accounts.find_session(session)
        assert signed_in
        return signed_in

    def asked(self, client: str = "alice", /, **changes: str | None) -> tuple[dict[str, str], str]:
        """Return the parameters of an authorization request, and its PKCE verifier."""
        verifier = secrets.token_urlsafe(32)
        parameters = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": f"https://{client}.example.com/cb",
            "scope": SCOPE,
            "state": "xyz",
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}, verifier

    async def code(self, name: str = "ann", client: str = "alice", **changes: str | None) -> tuple[str, str]:
        """Return a code after the consent of a user, and its verifier."""
        parameters, verifier = self.asked(client, **changes)
        answer = await self.provider.authorization.decide(parameters, await self.signed_in(name), agreed=True)
        assert isinstance(answer, Redirect)
        return returned(answer)["code"], verifier

    async def exchange(self, code: str, verifier: str, client: str = "alice", **changes: str) -> Tokens:
        """Exchange a code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"https://{client}.example.com/cb",
            "code_verifier": verifier,
            **changes,
        }
        return await self.provider.tokens.issue(form, basic(client, f"obs_{client}"))

    async def tokens(self, name: str = "ann", client: str = "alice", **changes: str | None) -> Tokens:
        """Return tokens after the consent of a user."""
        return await self.exchange(*await self.code(name, client, **changes), client)

    async def refresh(self, refresh_token: str, client: str = "alice", **changes: str) -> Tokens:
        """Exchange a refresh token for new tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **changes}
        return await self.provider.tokens.issue(form, basic(client, f"obs_{client}"))

    async def own_token(self, client: str = "alice", scope: str = Scope.ORDERS_FEED) -> str:
        """Return an access token that a client requests for itself (client credentials)."""
        form = {"grant_type": "client_credentials", "scope": scope}
        tokens = await self.provider.tokens.issue(form, basic(client, f"obs_{client}"))
        return str(tokens["access_token"])

    async def caller(self, bearer: str, scope: Scope = Scope.OPENBOOKING) -> Caller:
        """Return the caller of the API with this token."""
        return await self.provider.authenticate_access_token({"authorization": f"Bearer {bearer}"}, scope)

    async def sellers(self, bearer: str) -> set[str] | None:
        """Return the Sellers for which this token is valid."""
        sellers = (await self.caller(bearer)).sellers
        return None if sellers is None else set(sellers)


def returned(answer: Redirect) -> dict[str, str]:
    """Return the parameters with which a browser is redirected to the client."""
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.url).query).items()}
