"""Tokens of an OpenID provider: how they are asked for, kept and renewed, and which answers are refused."""

import base64
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from openbooking.broker.api.access import ClientCredentials, OpenIdProvider, SellerAccess
from openbooking.broker.api.authorization import OpenIdAccess, code_challenge
from openbooking.broker.api.documents import is_safe_for_secrets
from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.api.openid import (
    OpenIdClient,
    Tokens,
    find_provider,
    read_tokens,
)
from openbooking.broker.api.registration import Registration, register
from openbooking.broker.api.token_store import LONGEST_RENEWAL, TABLES, TokenStore
from openbooking.broker.errors import AuthorizationError, DiscoveryError
from openbooking.broker.flow import Answer, Flow, NoAnswerError, Pause, Request, Work
from openbooking.broker.store.database import Database, open_database
from support.broker.scripts import answer, play, result_of

AUTHORITY = "https://auth.example.com"
SELLER = "https://booking.example.com/sellers/1"
CLIENT = OpenIdClient("the app", "s:3cr&t", "https://app.example.com/cb")
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PROVIDER = {
    "issuer": AUTHORITY,
    "token_endpoint": f"{AUTHORITY}/token",
    "authorization_endpoint": f"{AUTHORITY}/authorize?tenant=1",
    "registration_endpoint": f"{AUTHORITY}/register",
}
FOUND = answer(200, PROVIDER)
LOST = NoAnswerError("ReadTimeout")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def move(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def with_tables(database: Database) -> Database:
    with database.transaction() as transaction:
        for statement in TABLES:
            transaction.execute(statement)
    return database


@pytest.fixture
def tokens() -> Iterator[Database]:
    """A database in memory with the tables of tokens."""
    with closing(open_database(":memory:")) as opened:
        yield with_tables(opened)


@pytest.fixture
def stored(database: Database) -> Database:
    """A database of each kind with the tables of tokens."""
    return with_tables(database)


def issued(number: int, **changes: Any) -> Answer:
    """Return an answer of the token endpoint."""
    made = {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 900, "token_type": "Bearer"}
    return answer(200, {name: value for name, value in {**made, **changes}.items() if value is not None})


def form_of(request: Request) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(request.content.decode()).items()}


def bearer(flow: Flow[Any], *answers: Answer | Exception) -> tuple[str, list[Request]]:
    """Return the token that requests carry, and the requests to obtain it."""
    played = play(flow, answers)
    assert played.error is None, played.error
    return played.result["authorization"].removeprefix("Bearer "), played.requests


def test_client_credentials_are_renewed_before_they_end(clock: Clock) -> None:
    access = ClientCredentials(OpenIdProvider(AUTHORITY), CLIENT, clock=clock)
    token, requests = bearer(access.headers(), FOUND, issued(1))
    assert token == "a1"
    assert requests[0].url == f"{AUTHORITY}/.well-known/openid-configuration"
    assert form_of(requests[1]) == {"grant_type": "client_credentials", "scope": "openactive-ordersfeed"}
    basic = base64.b64decode(requests[1].headers["authorization"].removeprefix("Basic ")).decode()
    assert basic == "the+app:s%3A3cr%26t"
    clock.move(minutes=14)
    assert bearer(access.headers()) == ("a1", [])
    clock.move(seconds=45)
    assert bearer(access.headers(), issued(2))[0] == "a2"
    assert result_of(access.renew(), [issued(3)]) is True
    assert bearer(access.headers()) == ("a3", [])
    assert result_of(access.renew(), [answer(401, {"error": "invalid_client"})]) is False


def test_a_token_request_is_repeated_and_its_secret_sent_as_the_provider_wants(clock: Clock) -> None:
    in_form = {**PROVIDER, "token_endpoint_auth_methods_supported": ["client_secret_post"]}
    access = ClientCredentials(OpenIdProvider(AUTHORITY), CLIENT, clock=clock)
    token, requests = bearer(access.headers(), answer(200, in_form), LOST, answer(503), issued(1))
    assert (token, len(requests)) == ("a1", 4)
    assert form_of(requests[-1])["client_secret"] == CLIENT.client_secret
    assert "authorization" not in requests[-1].headers


def test_a_broker_may_book_with_a_token_of_its_own(clock: Clock) -> None:
    access = ClientCredentials(OpenIdProvider(AUTHORITY), CLIENT, "booking", clock)
    api, order = BookingApi("https://booking.example.com/api", access), uuid.uuid4()
    refused = answer(401, {"@type": "InvalidAuthorizationDetailsError"})
    deleted = play(api.delete_order(order), [FOUND, issued(1), refused, issued(2), answer(204)])
    assert deleted.error is None
    assert form_of(deleted.requests[1])["scope"] == "booking"
    assert [request.headers["authorization"] for request in deleted.requests if request.method == "DELETE"] == [
        "Bearer a1",
        "Bearer a2",
    ]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(400, {"error": "invalid_grant", "error_description": "Too old"}), "invalid_grant"),
        (answer(500, b"<html>"), ""),
        (answer(200, b"no JSON"), ""),
        (answer(200, {}), ""),
        (answer(200, {"access_token": "a\r\nb: c"}), ""),
        (answer(200, {"access_token": ""}), ""),
        (answer(200, [1]), ""),
    ],
)
def test_an_answer_without_a_token_is_refused(reply: Answer, code: str) -> None:
    with pytest.raises(AuthorizationError) as caught:
        read_tokens(reply, NOW)
    assert caught.value.code == code


def test_the_texts_of_an_error_are_cut() -> None:
    with pytest.raises(AuthorizationError) as caught:
        read_tokens(answer(400, {"error": "x" * 1_000_000, "error_description": "y" * 1_000_000}), NOW)
    assert len(f"{caught.value} {caught.value.code}") < 5_000


def test_a_token_without_an_end_is_used_until_it_is_refused() -> None:
    for seconds in (None, -1, "soon", 1e300):
        found = read_tokens(issued(1, expires_in=seconds), NOW)
        assert found.expires is None
        assert found.is_fresh(NOW + timedelta(days=365))


@pytest.mark.parametrize(
    "document",
    [
        {**PROVIDER, "issuer": "https://other.example.com"},
        {**PROVIDER, "token_endpoint": "http://auth.example.com/token"},
        {**PROVIDER, "registration_endpoint": "//auth.example.com/r"},
        {"issuer": AUTHORITY},
        {**PROVIDER, "token_endpoint": 7},
        b"no JSON",
    ],
)
def test_a_wrong_or_unsafe_provider_is_refused(document: Any) -> None:
    assert isinstance(play(find_provider(AUTHORITY), [answer(200, document)]).error, DiscoveryError)


def test_secrets_are_sent_encrypted_or_to_this_machine() -> None:
    safe = ("https://a.example/", "http://localhost:3000/", "http://127.0.0.1/", "http://[::1]:80/")
    unsafe = ("http://a.example/", "http://localhost.example/", "ftp://a.example/", "", "http://[::1")
    assert [url for url in (*safe, *unsafe) if is_safe_for_secrets(url)] == list(safe)


def seller_access(tokens: Database, clock: Clock, **kept: Any) -> tuple[SellerAccess, TokenStore]:
    """Return the access of a Seller whose tokens are kept."""
    store = TokenStore(tokens, "client")
    made = {"access_token": "a0", "refresh_token": "r0", "expires": NOW, "seller": SELLER, "seller_name": "One"}
    store.save(Tokens(**{**made, **kept}))
    return SellerAccess(OpenIdProvider(AUTHORITY), CLIENT, store, SELLER, clock), store


def test_a_replaced_refresh_token_is_kept_before_it_is_used(stored: Database, clock: Clock) -> None:
    access, store = seller_access(stored, clock)
    token, requests = bearer(access.headers(), FOUND, issued(1))
    assert (token, form_of(requests[1])) == ("a1", {"grant_type": "refresh_token", "refresh_token": "r0"})
    kept = store.find(SELLER)
    assert kept == Tokens(
        access_token="a1", refresh_token="r1", expires=NOW + timedelta(minutes=15), seller=SELLER, seller_name="One"
    )
    # Another process goes on with what is kept.
    again = SellerAccess(OpenIdProvider(AUTHORITY), CLIENT, TokenStore(stored, "client"), SELLER, clock)
    assert bearer(again.headers()) == ("a1", [])
    assert TokenStore(stored, "another client").find(SELLER) is None


def test_a_refresh_token_stays_if_the_provider_names_no_other(tokens: Database, clock: Clock) -> None:
    access, store = seller_access(tokens, clock)
    bearer(access.headers(), FOUND, issued(1, refresh_token=None))
    kept = store.find(SELLER)
    assert kept
    assert (kept.access_token, kept.refresh_token) == ("a1", "r0")


def test_one_task_at_a_time_exchanges_the_refresh_token(stored: Database, clock: Clock) -> None:
    _, store = seller_access(stored, clock)
    kept = store.find(SELLER)
    assert kept
    assert store.claim(kept, clock())
    assert not store.claim(kept, clock())
    waiting = SellerAccess(OpenIdProvider(AUTHORITY), CLIENT, store, SELLER, clock).headers()
    assert isinstance(step_after_work(waiting), Pause)
    store.save(msgspec.structs.replace(kept, access_token="a1", refresh_token="r1", expires=NOW + timedelta(hours=1)))
    played = play(resumed(waiting))
    assert (played.result, played.requests) == ({"authorization": "Bearer a1"}, [])
    # A renewal whose process has stopped is taken over.
    stopped, store = seller_access(stored, clock)
    kept = store.find(SELLER)
    assert kept
    assert store.claim(kept, clock())
    clock.move(seconds=LONGEST_RENEWAL.total_seconds())
    assert bearer(stopped.headers(), FOUND, issued(2))[0] == "a2"


def step_after_work(flow: Flow[Any]) -> Any:
    """Carry out the work of a flow, and return its first other step."""
    step = next(flow)
    while isinstance(step, Work):
        step = flow.send(step.function())
    return step


def resumed(flow: Flow[Any]) -> Flow[Any]:
    """Go on with a flow that waits in a pause."""
    return (yield from flow)


def test_a_failed_renewal_lets_the_next_one_try(tokens: Database, clock: Clock) -> None:
    access, _ = seller_access(tokens, clock)
    for failure in ([FOUND, answer(400, {"error": "invalid_grant"})], [answer(500)]):
        assert isinstance(play(access.headers(), failure).error, AuthorizationError)
    assert isinstance(play(access.headers(), [LOST] * 3).error, NoAnswerError)
    assert bearer(access.headers(), issued(1))[0] == "a1"
    without, _ = seller_access(tokens, clock, refresh_token="")
    assert isinstance(play(without.headers(), []).error, AuthorizationError)


def test_a_401_renews_the_token_that_was_sent(tokens: Database, clock: Clock) -> None:
    access, store = seller_access(tokens, clock, expires=None)
    assert bearer(access.headers()) == ("a0", [])
    assert result_of(access.renew(), [FOUND, issued(1)]) is True
    assert bearer(access.headers()) == ("a1", [])
    # Another task has renewed the token meanwhile.
    kept = store.find(SELLER)
    assert kept
    store.save(msgspec.structs.replace(kept, access_token="a2"))
    assert result_of(access.renew(), []) is True
    assert bearer(access.headers())[0] == "a2"
    assert result_of(access.renew(), [answer(400, {"error": "invalid_grant"})]) is False


def open_id(tokens: Database, clock: Clock, client: OpenIdClient = CLIENT) -> OpenIdAccess:
    return OpenIdAccess(AUTHORITY, client, tokens, clock)


def id_token(nonce: str, /, **changes: Any) -> str:
    """Return an ID token with these claims."""
    claims = {
        "iss": AUTHORITY,
        "aud": CLIENT.client_id,
        "exp": NOW.timestamp() + 60,
        "nonce": nonce,
        "https://openactive.io/sellerId": SELLER,
        "https://openactive.io/sellerName": "One",
        **changes,
    }
    return f"e30.{base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip('=')}.c2ln"


@pytest.mark.spec("OB-AUTH-28", "OB-AUTH-32")
def test_a_seller_authorises_the_broker_once(stored: Database, clock: Clock) -> None:
    access = open_id(stored, clock)
    consent = result_of(access.start(), [FOUND])
    sent = {name: value for name, (value,) in parse_qs(urlsplit(consent.url).query).items()}
    assert sent["tenant"] == "1"
    assert sent["state"] == consent.state
    assert sent["code_challenge_method"] == "S256"
    returned = f"https://app.example.com/cb?code=c1&state={consent.state}&iss=https%3A%2F%2Fauth.example.com"
    reply = issued(1, id_token=id_token(sent["nonce"]))
    played = play(access.finish(returned, consent.state), [reply])
    assert played.result.seller == SELLER
    form = form_of(played.requests[0])
    assert code_challenge(form["code_verifier"]) == sent["code_challenge"]
    assert (form["code"], form["redirect_uri"]) == ("c1", CLIENT.redirect_uri)
    assert [kept.seller for kept in result_of(access.sellers())] == [SELLER]
    assert bearer(access.for_seller(SELLER).headers()) == ("a1", [])
    assert isinstance(play(access.finish(returned, consent.state), [reply]).error, AuthorizationError)
    result_of(access.forget(SELLER))
    assert isinstance(play(access.for_seller(SELLER).headers()).error, AuthorizationError)


def test_a_code_is_exchanged_in_one_request(tokens: Database, clock: Clock) -> None:
    access = open_id(tokens, clock)
    consent = result_of(access.start(), [FOUND])
    played = play(access.finish(f"https://app.example.com/cb?code=c&state={consent.state}", consent.state), [LOST])
    assert isinstance(played.error, NoAnswerError)
    assert len(played.requests) == 1


@pytest.mark.parametrize(
    "query",
    [
        "code=c&state=other",
        "code=c",
        "state={state}",
        "error=access_denied&state={state}",
        "code=c&state={state}&iss=x",
    ],
)
def test_a_return_without_consent_is_refused(tokens: Database, clock: Clock, query: str) -> None:
    access = open_id(tokens, clock)
    consent = result_of(access.start(), [FOUND])
    url = f"https://app.example.com/cb?{query.format(state=consent.state)}"
    played = play(access.finish(url, consent.state))
    assert isinstance(played.error, AuthorizationError)
    assert played.requests == []


def test_an_authorization_ends_after_an_hour(tokens: Database, clock: Clock) -> None:
    access = open_id(tokens, clock)
    consent = result_of(access.start(), [FOUND])
    clock.move(minutes=61)
    url = f"https://app.example.com/cb?code=c&state={consent.state}"
    assert isinstance(play(access.finish(url, consent.state)).error, AuthorizationError)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.com"},
        {"aud": "another"},
        {"exp": NOW.timestamp()},
        {"nonce": "another"},
        {"https://openactive.io/sellerId": None},
    ],
)
def test_a_wrong_id_token_is_refused(tokens: Database, clock: Clock, claims: dict[str, Any]) -> None:
    access = open_id(tokens, clock)
    consent = result_of(access.start(), [FOUND])
    (nonce,) = parse_qs(urlsplit(consent.url).query)["nonce"]
    reply = issued(1, id_token=id_token(nonce, **claims))
    url = f"https://app.example.com/cb?code=c&state={consent.state}"
    assert isinstance(play(access.finish(url, consent.state), [reply]).error, AuthorizationError)
    assert result_of(access.sellers()) == ()


@pytest.mark.parametrize("token", ["a.b", "a.!.c", "a.WzFd.c", None])
def test_an_unreadable_id_token_is_refused(tokens: Database, clock: Clock, token: str | None) -> None:
    access = open_id(tokens, clock)
    consent = result_of(access.start(), [FOUND])
    url = f"https://app.example.com/cb?code=c&state={consent.state}"
    assert isinstance(play(access.finish(url, consent.state), [issued(1, id_token=token)]).error, AuthorizationError)


def test_consent_needs_a_redirect_uri(tokens: Database, clock: Clock) -> None:
    access = open_id(tokens, clock, CLIENT._replace(redirect_uri=""))
    assert isinstance(play(access.start(), [FOUND]).error, AuthorizationError)


@pytest.mark.spec("OB-AUTH-33")
def test_a_registration_is_sent_once() -> None:
    wanted = Registration("App", (CLIENT.redirect_uri,), contacts=("a@example.com",))
    played = play(register(AUTHORITY, "t0", wanted), [FOUND, answer(201, {"client_id": "i", "client_secret": "s"})])
    assert played.result == OpenIdClient("i", "s", CLIENT.redirect_uri)
    assert played.requests[1].headers["authorization"] == "Bearer t0"
    assert played.bodies[1] == {
        "client_name": "App",
        "contacts": ["a@example.com"],
        "redirect_uris": [CLIENT.redirect_uri],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    lost = play(register(AUTHORITY, "t0", wanted), [FOUND, LOST])
    assert isinstance(lost.error, NoAnswerError)
    without = answer(200, {**PROVIDER, "registration_endpoint": ""})
    assert isinstance(play(register(AUTHORITY, "t0", wanted), [without]).error, AuthorizationError)
    no_secret = play(register(AUTHORITY, "t0", wanted), [FOUND, answer(201, {"client_id": "i"})])
    assert isinstance(no_secret.error, AuthorizationError)
