"""The IdentityStore protocol: what has to be kept for `openbooking.identity`, and read fast."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from openbooking.identity.records import Authorization, Grant, IdentityRecord, Partner

R = TypeVar("R", bound=IdentityRecord)


class Standing(NamedTuple):
    """All that tells what a caller may do now; of its grants those that were asked for."""

    partner: Partner
    grants: tuple[Grant, ...]
    authorization: Authorization | None = None


class IdentityStore(Protocol):
    """Where the records are kept. What was saved is on disk, and is seen by every process at once.

    It raises StoreUnavailableError where the database does not answer.
    """

    async def find(self, kind: type[R], **lookups: str | bool) -> Sequence[R]:
        """The records of a kind of which the fields named have these values, by their key.

        Fields that can be named: `Partner` key, api_key_digest; `Grant` partner, seller, settled; `Authorization` id;
        `User` name, seller, link_digest; `Session` digest, username; `RegistrationToken` digest; `SigningKey` kid;
        `Attempts` subject.
        """
        ...

    async def save(self, *records: IdentityRecord) -> bool:
        """Keep them all, each in place of the revision it was read at; False, and none is kept, if one has changed."""
        ...

    async def remove(self, kind: type[R], **lookups: str | bool) -> None:
        """Keep those records no longer."""
        ...

    async def remove_expired(self, now: datetime) -> None:
        """Keep no Authorization, Session or Attempts that has expired."""
        ...

    async def standing(self, partner: str, authorization: str, seller: str) -> Standing | None:
        """How the partner stands, with the grants of that Seller and of EVERY_SELLER."""
        ...

    async def standing_by_api_key(self, digest: str) -> Standing | None:
        """How the partner with this API key stands, with all its grants."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...
