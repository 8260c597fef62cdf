"""API keys and client secrets of Booking Partners, and their replacement (OB-AUTH-08); pure functions."""

import hmac
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from openbooking.identity.records import FormerCredential, Partner
from openbooking.user_error import UserError


class CredentialKind(StrEnum):
    """The kind of a credential; its value is the beginning of the fields of Partner."""

    API_KEY = "api_key"
    SECRET = "secret"  # noqa: S105 - the name of a field

    @property
    def words(self) -> str:
        """The name for people."""
        return "API key" if self is CredentialKind.API_KEY else "client secret"


class BothCredentialsInUseError(UserError):
    """The current credential and the `former` one are both in use, so that one of them would end without warning."""

    def __init__(self, partner: str, kind: CredentialKind, former: FormerCredential) -> None:
        ends = f"{former.ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        super().__init__(f"{partner} uses its {kind.words}, and a former one is good until {ends}.")
        self.partner = partner
        self.kind = kind
        self.former = former


def former_credential(partner: Partner, kind: CredentialKind) -> FormerCredential | None:
    """Return the replaced credential, which may still be valid beside its successor."""
    return partner.former_api_key if kind is CredentialKind.API_KEY else partner.former_secret


def current_last_used(partner: Partner, kind: CredentialKind) -> datetime | None:
    """Return when the current credential was last used."""
    return partner.api_key_last_used if kind is CredentialKind.API_KEY else partner.secret_last_used


def current_digest(partner: Partner, kind: CredentialKind) -> str | None:
    """Return the digest of the current credential, which is valid without an end."""
    return partner.api_key_digest if kind is CredentialKind.API_KEY else partner.secret_digest


def is_valid_credential(partner: Partner, kind: CredentialKind, digest: str, now: datetime) -> bool:
    """Return whether a credential of this digest is valid now, in constant time."""
    former = former_credential(partner, kind)
    is_current = hmac.compare_digest(digest, current_digest(partner, kind) or "")
    is_former = hmac.compare_digest(digest, former.digest if former else "")
    return is_current or (is_former and former is not None and now < former.ends)


def replace_credential(
    partner: Partner, kind: CredentialKind, digest: str, now: datetime, overlap_until: datetime | None
) -> Partner:
    """Replace the current credential, which becomes the former one until `overlap_until`, or ends at once.

    Without an overlap a former credential ends too. With an overlap, a current credential that was never used ends at
    once, and a former one that is in use stays valid.

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


def with_use_recorded(partner: Partner, digest: str, now: datetime) -> Partner:
    """Return the partner with `now` as time of its last use, and of the credential of this digest.

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
