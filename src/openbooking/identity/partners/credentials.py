"""API keys and client secrets of Booking Partners: replaced with or without an overlap; pure functions (OB-AUTH-08)."""

import hmac
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from openbooking.identity.records import FormerCredential, Partner
from openbooking.user_error import UserError


class CredentialKind(StrEnum):
    """What a Booking Partner shows; the value is how its fields in a Partner begin."""

    API_KEY = "api_key"
    SECRET = "secret"  # noqa: S105 - the name of a field

    @property
    def words(self) -> str:
        """What people call it."""
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
    """What was replaced and may still be good beside its successor."""
    return partner.former_api_key if kind is CredentialKind.API_KEY else partner.former_secret


def current_last_used(partner: Partner, kind: CredentialKind) -> datetime | None:
    """When the credential that is good without an end was last used."""
    return partner.api_key_last_used if kind is CredentialKind.API_KEY else partner.secret_last_used


def current_digest(partner: Partner, kind: CredentialKind) -> str | None:
    """The digest of the credential that is good without an end."""
    return partner.api_key_digest if kind is CredentialKind.API_KEY else partner.secret_digest


def is_valid_credential(partner: Partner, kind: CredentialKind, digest: str, now: datetime) -> bool:
    """Whether the credential of this digest is good now; takes as long whichever it is."""
    before = former_credential(partner, kind)
    is_current = hmac.compare_digest(digest, current_digest(partner, kind) or "")
    is_former = hmac.compare_digest(digest, before.digest if before else "")
    return is_current or (is_former and before is not None and now < before.ends)


def replace_credential(
    partner: Partner, kind: CredentialKind, digest: str, now: datetime, overlap_until: datetime | None
) -> Partner:
    """Put another credential in place of the current one, which is good until `overlap_until`, or ends at once.

    Without an overlap a former one ends as well. With an overlap, a current one that was never used gives way, so that
    a former one that is in use stays good. Raise BothCredentialsInUseError if both are in use.
    """
    kept, before = None, former_credential(partner, kind)
    replaced, used = current_digest(partner, kind), current_last_used(partner, kind)
    if overlap_until and replaced:
        kept = FormerCredential(digest=replaced, ends=overlap_until, last_used=used)
        if before and now < before.ends:
            if used:
                raise BothCredentialsInUseError(partner.key, kind, before)
            kept = replace(before, ends=overlap_until)
    return replace(partner, **{f"{kind}_digest": digest, f"{kind}_last_used": None, f"former_{kind}": kept})


def end_former_credential(partner: Partner, kind: CredentialKind) -> Partner:
    """End the former credential."""
    return replace(partner, **{f"former_{kind}": None})


def with_use_recorded(partner: Partner, digest: str, now: datetime) -> Partner:
    """Note that the partner was here, and that it showed the credential of this digest, or an access token if empty."""
    noted: dict[str, Any] = {"last_used": now}
    for kind in CredentialKind:
        before = former_credential(partner, kind)
        if digest and digest == current_digest(partner, kind):
            noted[f"{kind}_last_used"] = now
        elif before and digest == before.digest:
            noted[f"former_{kind}"] = replace(before, last_used=now)
    return replace(partner, **noted)
