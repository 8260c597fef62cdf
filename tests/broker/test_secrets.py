"""Secrets and personal data: neither texts of errors nor the texts of objects in logs and tracebacks have them."""

import uuid

import pytest

from openbooking.broker.api.access import ApiKey, FixedHeaders
from openbooking.broker.api.authorization import Consent
from openbooking.broker.api.openid import OpenIdClient, Tokens
from openbooking.broker.api.token_store import Started
from openbooking.broker.basket import Contents
from openbooking.broker.errors import AuthorizationError
from openbooking.broker.flow import Request
from openbooking.broker.money.journal import Purchase
from openbooking.broker.money.purchase import State
from openbooking.broker.ownership import OwnedOrder
from openbooking.broker.store.database import DatabaseError, open_database
from support.broker.scripts import play

SECRET = "sesame-17"
ORDER = uuid.UUID(int=7)
BYTES = SECRET.encode()


@pytest.mark.parametrize(
    "kept",
    [
        ApiKey(SECRET),
        FixedHeaders({"authorization": SECRET}),
        OpenIdClient("app", SECRET),
        Tokens(access_token=SECRET, refresh_token=SECRET),
        Consent(f"https://auth.example/?state={SECRET}", SECRET),
        Started(SECRET, SECRET),
        Request("PUT", "https://booking.example/", {"authorization": SECRET}, BYTES),
        Contents(customer={"email": SECRET}, answers={0: {"age": SECRET}}),
        OwnedOrder(ORDER, "https://booking.example/seller", "sam", BYTES),
        Purchase(
            id="1",
            site="https://booking.example/",
            seller="https://booking.example/seller",
            order=ORDER,
            state=State.OPEN,
            since=0,
            owner="",
            body=BYTES,
            reply=BYTES,
        ),
    ],
    ids=lambda kept: type(kept).__name__,
)
def test_text_of_an_object_has_no_secret(kept: object) -> None:
    assert SECRET not in f"{kept} {kept!r}"


@pytest.mark.parametrize("key", [f"{SECRET}\n", f"{SECRET} ", f"ключ-{SECRET}", f"{SECRET}\r\nx: y"])
def test_key_that_no_header_may_have_is_not_sent_and_not_quoted(key: str) -> None:
    played = play(ApiKey(key).headers())
    assert isinstance(played.error, AuthorizationError)
    assert SECRET not in str(played.error)


def test_url_of_a_database_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(DatabaseError) as caught:
        open_database(f"postgresql://app:{SECRET}%zz@localhost/app")
    assert SECRET not in f"{caught.value} {caught.value.__cause__}"
