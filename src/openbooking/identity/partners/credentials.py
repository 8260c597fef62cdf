"""API keys and client secrets of Booking Partners, and their replacement (OB-AUTH-08); pure functions.

`is_valid_credential` checks an API key or client secret.
"""

import hmac
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from openbooking.identity.records import FormerCredential, Partner
from openbooking.user_error import UserError


class CredentialKind(StrEnum):
    """The kind of a credential. The value is the prefix of its fields in Partner."""

    API_KEY = "api_key"
    SECRET = "secret"  # noqa: S105 - the name of a field

    @property
    def label(self) -> str:
        """The name of the kind in messages."""
        return "API key" if self is CredentialKind.API_KEY else "client secret"


class BothCredentialsInUseError(UserError):
    """The current and the former credential are both in use. A replacement would end one of them without warning."""

    def __init__(self, partner: str, kind: CredentialKind, former: FormerCredential) -> None:
        ends = f"{former.ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        super().__init__(f"{partner} uses its {kind.label}, and a former one is valid until {ends}.")
        self.partner = partner
        self.kind = kind
        self.former = former


def former_credential(partner: Partner, kind: CredentialKind) -> FormerCredential | None:
    """Return the former credential, which may still be valid; None if there is none."""
    return partner.former_api_key if kind is CredentialKind.API_KEY else partner.former_secret


def current_last_used(partner: Partner, kind: CredentialKind) -> datetime | None:
    """Return when the current credential was last used; None if it never was."""
    return partner.api_key_last_used if kind is CredentialKind.API_KEY else partner.secret_last_used


def current_digest(partner: Partner, kind: CredentialKind) -> str | None:
    """Return the digest of the current credential; None if there is none."""
    return partner.api_key_digest if kind is CredentialKind.API_KEY else partner.secret_digest


def is_valid_credential(partner: Partner, kind: CredentialKind, digest: str, now: datetime) -> bool:
    """Return whether the credential with this digest is valid now. The comparison takes constant time."""
    former = former_credential(partner, kind)
    is_current = hmac.compare_digest(digest, current_digest(partner, kind) or "")
    is_former = hmac.compare_digest(digest, former.digest if former else "")
    return is_current or (is_former and former is not None and now < former.ends)


def replace_credential(
    partner: Partner, kind: CredentialKind, digest: str, now: datetime, overlap_until: datetime | None
) -> Partner:
    """Replace the current credential. The current credential becomes the former one until `overlap_until`.

    Without an overlap, the current and the former credential end at once. With an overlap, one former credential
    stays valid: an older credential that is still valid, or else the current credential.

    Args:
        partner: The partner.
        kind: The kind of the credential.
        digest: The digest of the new credential.
        now: The time.
        overlap_until: The end of the overlap; None for no overlap.

    Raises:
        BothCredentialsInUseError: The current credential and a former one are both in use.
    """
    kept, former = None, former_credential(partner, kind)
    replaced, used = current_digest(partner, kind), current_last_used(partner, kind)
    if overlap_until and replaced:
        kept = FormerCredential(digest=replaced, ends=overlap_until, last_used=used)
        if former and now < former.ends:
            if used:
                raise BothCredentialsInUseError(partner.key, kind, former)
            kept = replace(former, ends=overlap_until)
    return replace(partner, **{f"{kind}_digest": digest, f"{kind}_last_used": None, f"former_{kind}": kept})


def end_former_credential(partner: Partner, kind: CredentialKind) -> Partner:
    """Return the partner without the former credential."""
    return replace(partner, **{f"former_{kind}": None})


def record_use(partner: Partner, digest: str, now: datetime) -> Partner:
    """Return the partner with `now` as the time of last use of the partner and of the credential with this digest.

    The digest is empty if the partner sent an access token.
    """
    changes: dict[str, Any] = {"last_used": now}
    for kind in CredentialKind:
        former = former_credential(partner, kind)
        if digest and digest == current_digest(partner, kind):
            changes[f"{kind}_last_used"] = now
        elif former and digest == former.digest:
            changes[f"former_{kind}"] = replace(former, last_used=now)
    return replace(partner, **changes)
