"""The life of an authorization: a code, then refresh tokens, each presented once; pure functions (RFC 6749, 9700).

A secret names the authorization it belongs to, so that one that has been spent is recognised as such: then somebody
else has it too, and everything that came of the authorization ends.
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
    """The authorization as it is from now on, and whether what was presented was good."""

    authorization: Authorization
    good: bool


class PresentedCode(NamedTuple):
    """A code, with what shows that whoever presents it is the one that asked for it."""

    code: str
    redirect_uri: str
    verifier: str


def new_authorization_secret(kind: SecretKind, authorization_id: str) -> str:
    """A fresh code or refresh token of the authorization with this id."""
    return f"{new_secret(kind)}.{authorization_id}"


def authorization_id(kind: SecretKind, secret: str) -> str | None:
    """The id of the authorization that a code or refresh token belongs to, if it has the form of one."""
    word, _, id_ = secret.partition(".")
    return id_ if word.startswith(kind) and id_ else None


def redeem(authorization: Authorization, presented: PresentedCode, refresh_token: str, now: datetime) -> Outcome:
    """Spend the code; a second time, or without the verifier it was asked for with, everything ends (RFC 9700 4.5).

    The `refresh_token` becomes good if the authorization is for offline access.
    """
    if digest(presented.code) != authorization.code_digest:
        return Outcome(authorization, good=False)
    spent = replace(authorization, redeemed=True)
    good = (
        not authorization.redeemed
        and not authorization.ended
        and now < authorization.expires
        and presented.redirect_uri == authorization.redirect_uri
        and _proves(presented.verifier, authorization.code_challenge)
    )
    if not good:
        return Outcome(replace(spent, ended=True), good=False)
    offline = Scope.OFFLINE_ACCESS in authorization.scopes
    return Outcome(replace(spent, refresh_digests=(digest(refresh_token),) if offline else ()), good=True)


def refresh(
    authorization: Authorization, presented: str, refresh_token: str, leeway: timedelta, now: datetime
) -> Outcome:
    """Put a fresh refresh token in place of the one presented; if that was spent already, everything ends.

    Within the leeway the last one spent may be presented again, and the fresh one stands beside those it brought.
    """
    if authorization.ended or now >= authorization.expires:
        return Outcome(authorization, good=False)
    shown, fresh = digest(presented), digest(refresh_token)
    if shown in authorization.refresh_digests:
        return Outcome(replace(authorization, refresh_digests=(fresh,), spent_digest=shown, spent=now), good=True)
    spent = authorization.spent
    if shown == authorization.spent_digest and spent and now - spent < leeway:
        return Outcome(replace(authorization, refresh_digests=(*authorization.refresh_digests, fresh)), good=True)
    return Outcome(replace(authorization, ended=True), good=False)


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636 4.2)."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _proves(verifier: str, code_challenge: str) -> bool:
    """Whether it has the form of a verifier, which nobody guesses, and is that of the challenge (RFC 7636 4.1, 4.6)."""
    return bool(_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(challenge(verifier), code_challenge)


def expiry(authorization: Authorization, policy: IdentityPolicy, now: datetime) -> datetime:
    """Until when the authorization has to be kept: its tokens may be in use so long."""
    lifetime = policy.refresh_token_lifetime if authorization.refresh_digests else policy.access_token_lifetime
    return now + lifetime + policy.clock_skew
