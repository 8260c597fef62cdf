"""The lifecycle of an authorization: a code, then refresh tokens, each for one use (RFC 6749, 9700); pure functions.

A code or refresh token contains the id of its authorization, so that a second use is recognised. A second use shows
that the secret was stolen. The authorization then ends with all its tokens. `expiry` says until when an authorization
is kept.
"""

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.records import Authorization
from openbooking.identity.scopes import Scope

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Outcome(NamedTuple):
    """The result of the use of a code or refresh token.

    Attributes:
        authorization: The authorization after the use.
        is_valid: Whether the code or token was valid.
    """

    authorization: Authorization
    is_valid: bool


class PresentedCode(NamedTuple):
    """A code that a client presents, with its redirect URI and PKCE verifier."""

    code: str
    redirect_uri: str
    verifier: str


def new_authorization_secret(kind: SecretKind, authorization_id: str) -> str:
    """Return a new code or refresh token of the authorization with this id."""
    return f"{new_secret(kind)}.{authorization_id}"


def authorization_id(kind: SecretKind, secret: str) -> str | None:
    """Return the id of the authorization of a code or refresh token; None if `secret` has another form."""
    word, _, id_ = secret.partition(".")
    return id_ if word.startswith(kind) and id_ else None


def redeem(authorization: Authorization, presented: PresentedCode, refresh_token: str, now: datetime) -> Outcome:
    """Use a code. A second use or a wrong verifier ends the authorization (RFC 9700 4.5).

    Args:
        authorization: The authorization of the code.
        presented: The code, redirect URI and verifier of the client.
        refresh_token: The new refresh token, which becomes valid if the authorization includes offline access.
        now: The time.
    """
    if digest(presented.code) != authorization.code_digest:
        return Outcome(authorization, is_valid=False)
    spent = replace(authorization, redeemed=True)
    is_valid = (
        not authorization.redeemed
        and not authorization.ended
        and now < authorization.expires
        and presented.redirect_uri == authorization.redirect_uri
        and _verifier_matches(presented.verifier, authorization.code_challenge)
    )
    if not is_valid:
        return Outcome(replace(spent, ended=True), is_valid=False)
    offline = Scope.OFFLINE_ACCESS in authorization.scopes
    return Outcome(replace(spent, refresh_digests=(digest(refresh_token),) if offline else ()), is_valid=True)


def refresh(
    authorization: Authorization, presented: str, refresh_token: str, leeway: timedelta, now: datetime
) -> Outcome:
    """Replace the presented refresh token by a new token. A second use of a token ends the authorization.

    Within the leeway the last used token may be used again. The new token is then valid beside the other tokens.

    Args:
        authorization: The authorization.
        presented: The refresh token that the client has sent.
        refresh_token: The new token.
        leeway: How long after its use a token may be used again.
        now: The time.
    """
    if authorization.ended or now >= authorization.expires:
        return Outcome(authorization, is_valid=False)
    used, new = digest(presented), digest(refresh_token)
    if used in authorization.refresh_digests:
        return Outcome(replace(authorization, refresh_digests=(new,), spent_digest=used, spent=now), is_valid=True)
    spent = authorization.spent
    if used == authorization.spent_digest and spent and now - spent < leeway:
        return Outcome(replace(authorization, refresh_digests=(*authorization.refresh_digests, new)), is_valid=True)
    return Outcome(replace(authorization, ended=True), is_valid=False)


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636 4.2)."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _verifier_matches(verifier: str, code_challenge: str) -> bool:
    """Return whether a verifier has the required form and matches the challenge (RFC 7636 4.1, 4.6)."""
    return bool(_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(challenge(verifier), code_challenge)


def expiry(authorization: Authorization, policy: IdentityPolicy, now: datetime) -> datetime:
    """Return the time until which the authorization must be kept, because its tokens may be valid."""
    lifetime = policy.refresh_token_lifetime if authorization.refresh_digests else policy.access_token_lifetime
    return now + lifetime + policy.clock_skew
