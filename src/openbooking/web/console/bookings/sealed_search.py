"""Searches for personal data in the addresses of pages, encrypted.

Browsers keep addresses in their history, and proxies write them to logs. So a search for a name, an e-mail address or a
telephone number is in the address as a token, which only the session that made it can read (JWE, RFC 7516).
"""

import hashlib
import hmac

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from openbooking.web.pages import Visit

_HEADER = {"alg": "dir", "enc": "A256GCM"}


class SealedSearch(msgspec.Struct, frozen=True):
    """A search for a text, and the cursor of the page to show; cursors of such a search contain names."""

    text: str = ""
    after: str = ""


_decode = msgspec.json.Decoder(SealedSearch).decode


def seal(visit: Visit, search: SealedSearch) -> str:
    """Return the search as a token for this browser."""
    return jwe.encrypt_compact(_HEADER, msgspec.json.encode(search), _key(visit))


def unseal(visit: Visit, token: str) -> SealedSearch | None:
    """Return the search of a token; None if this session of the browser has not made the token."""
    try:
        return _decode(jwe.decrypt_compact(token, _key(visit)).plaintext or b"")
    except (JoseError, ValueError):
        return None


def _key(visit: Visit) -> OctKey:
    """Return a key for the session of the browser; the cookie that holds the secret is in no address."""
    return OctKey.import_key(hmac.new(visit.secret.encode(), b"search", hashlib.sha256).digest())
