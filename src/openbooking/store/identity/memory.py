"""The IdentityStore in memory, which keeps the records in dicts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from openbooking.booking.model.activity import Activity
from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.import_records import FollowedFeed, WaitingItems
from openbooking.identity.records import (
    EVERY_SELLER,
    Attempts,
    Authorization,
    Device,
    FeedPosition,
    Grant,
    IdentityRecord,
    Partner,
    PendingSignIn,
    ProposalMail,
    RegistrationToken,
    Session,
    SigningKey,
    User,
)
from openbooking.identity.store import AccessRights

R = TypeVar("R", bound=IdentityRecord)

_KEYS: dict[type[IdentityRecord], tuple[str, ...]] = {
    Partner: ("key",),
    Grant: ("partner", "seller"),
    Authorization: ("id",),
    User: ("name",),
    Session: ("digest",),
    PendingSignIn: ("digest",),
    Device: ("digest", "username"),
    Attempts: ("subject",),
    FeedPosition: ("partner", "feed"),
    ProposalMail: ("seller", "username"),
    FollowedFeed: ("source",),
    WaitingItems: ("feed", "batch"),
    RegistrationToken: ("digest",),
    AccessRequest: ("id",),
    SigningKey: ("kid",),
}


class MemoryIdentityStore:
    """An IdentityStore that keeps the records in memory until the process ends.

    Args:
        activity: The activity log of the MemoryStore that it belongs to; None for a log of its own.
    """

    def __init__(self, activity: list[Activity] | None = None) -> None:
        self._activity = [] if activity is None else activity
        self._records: dict[type[IdentityRecord], dict[tuple[Any, ...], Any]] = {kind: {} for kind in _KEYS}

    async def find(self, kind: type[R], **lookups: str | bool) -> Sequence[R]:
        """Return the records whose fields have these values, ordered by key."""
        kept = sorted(self._records[kind].items())
        return [record for _, record in kept if _fits(record, lookups)]

    async def save(
        self, *records: IdentityRecord, removed: Sequence[IdentityRecord] = (), log: Sequence[Activity] = ()
    ) -> bool:
        """Save and remove all records, or none if the stored revision of any has changed; return whether it is done."""
        if any(self._revision(record) != record.revision for record in (*records, *removed)):
            return False
        if not all(record.revision for record in removed):
            return False
        for record in records:
            self._records[type(record)][_key(record)] = replace(record, revision=record.revision + 1)
        for record in removed:
            del self._records[type(record)][_key(record)]
        self._activity += log
        return True

    async def remove(self, kind: type[R], **lookups: str | bool) -> None:
        """Remove the records whose fields have these values."""
        kept = self._records[kind]
        self._records[kind] = {key: record for key, record in kept.items() if not _fits(record, lookups)}

    async def remove_expired(self, now: datetime) -> None:
        """Remove expired records."""
        for kind in (Authorization, Session, PendingSignIn, Device, Attempts, AccessRequest):
            kept = self._records[kind]
            self._records[kind] = {key: record for key, record in kept.items() if record.expires > now}

    async def access_rights(self, partner: str, authorization: str, seller: str) -> AccessRights | None:
        """Return the access rights of a partner to a Seller; None if the partner is unknown."""
        partners = await self.find(Partner, key=partner)
        grants = [grant for grant in await self.find(Grant, partner=partner) if grant.seller in (seller, EVERY_SELLER)]
        authorizations = await self.find(Authorization, id=authorization)
        if not partners:
            return None
        return AccessRights(partners[0], tuple(grants), authorizations[0] if authorizations else None)

    async def access_rights_by_api_key(self, digest: str) -> AccessRights | None:
        """Return the access rights of the partner with this digest of an API key; None if there is no such partner."""
        partners = [
            partner
            for partner in await self.find(Partner)
            if digest in (partner.api_key_digest, partner.former_api_key_digest)
        ]
        return AccessRights(partners[0], tuple(await self.find(Grant, partner=partners[0].key))) if partners else None

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def _revision(self, record: IdentityRecord) -> int:
        """Return the stored revision; 0 if the record is not stored."""
        kept = self._records[type(record)].get(_key(record))
        return kept.revision if kept else 0


def _key(record: IdentityRecord) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in _KEYS[type(record)])


def _fits(record: IdentityRecord, lookups: dict[str, str | bool]) -> bool:
    return all(getattr(record, name) == value for name, value in lookups.items())
