"""Authentication of clients by their secret, in a header or in the form (RFC 6749 2.3.1)."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote_plus

from openbooking.identity.digests import digest
from openbooking.identity.oauth.errors import InvalidClientError, InvalidRequestError
from openbooking.identity.partners.credentials import CredentialKind, is_valid_credential
from openbooking.identity.records import Partner
from openbooking.identity.store import IdentityStore

METHODS = ("client_secret_basic", "client_secret_post")


class Client(NamedTuple):
    """A partner that has authenticated, and the digest of the secret that it sent."""

    partner: Partner
    secret_digest: str


async def authenticate_client(
    store: IdentityStore, form: Mapping[str, str], authorization: str | None, now: datetime
) -> Client:
    """Return the client of a request, or raise InvalidClientError or InvalidRequestError.

    The message is the same for an unknown client and for a wrong secret.

    Args:
        store: The identity store.
        form: The form of the request.
        authorization: The Authorization header; None if there is none.
        now: The time.
    """
    refusal = InvalidClientError("The client is unknown, or its secret is wrong.")
    if authorization is None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    elif "client_secret" in form:
        raise InvalidRequestError("Send the secret in one way only.")
    else:
        client_id, secret = _basic(authorization)
        if form.get("client_id", client_id) != client_id:
            raise InvalidRequestError("The client_id of the form is not that of the header.")
    found = await store.find(Partner, key=client_id)
    shown = digest(secret)
    if not found or not is_valid_credential(found[0], CredentialKind.SECRET, shown, now):
        raise refusal
    return Client(found[0], shown)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if scheme.lower() != "basic" or not colon or "\0" in client_id:
        raise InvalidClientError("Send the client_id and client_secret as Authorization: Basic.")
    return client_id, secret
