"""How a client shows that it is itself: by its secret, in a header or in the form (RFC 6749 2.3.1)."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote_plus

from openbooking.identity.digests import matches
from openbooking.identity.errors import InvalidClientError, InvalidRequestError
from openbooking.identity.records import Partner
from openbooking.identity.store import IdentityStore

METHODS = ("client_secret_basic", "client_secret_post")


async def authenticate_client(store: IdentityStore, form: Mapping[str, str], authorization: str | None) -> Partner:
    """The partner that asks, or raise InvalidClientError; the same words whatever is wrong."""
    refusal = InvalidClientError("The client is unknown, or its secret is wrong.")
    if authorization is None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    elif "client_secret" in form:
        raise InvalidRequestError("Show the secret in one way only.")
    else:
        client_id, secret = _basic(authorization)
        if form.get("client_id", client_id) != client_id:
            raise InvalidRequestError("The client_id of the form is not that of the header.")
    found = await store.find(Partner, key=client_id)
    kept = found[0].secret_digest if found else None
    if not matches(secret, kept) or not found:
        raise refusal
    return found[0]


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if scheme.lower() != "basic" or not colon or "\0" in client_id:
        raise InvalidClientError("The Authorization header is not that of a client.")
    return client_id, secret
