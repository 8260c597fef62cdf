"""The times when Booking Partners and their credentials were last used, written in the background."""

import asyncio
import contextvars
from contextlib import suppress
from datetime import datetime, timedelta
from math import inf

from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import Clock
from openbooking.identity.partners.credentials import (
    CredentialKind,
    current_digest,
    current_last_used,
    former_credential,
    record_use,
)
from openbooking.identity.records import Partner
from openbooking.identity.store import IdentityStore

_RECORD_INTERVAL = timedelta(minutes=15)


class LastUseRecorder:
    """Records the last use of partners and credentials, at most once in 15 minutes.

    Only one of several concurrent requests writes. If another process changes the partner at the same time, its change
    is kept, and a later request records the use.
    """

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._recorded: dict[tuple[str, str], float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def record(self, partner: Partner, credential: str = "") -> None:
        """Record a use in the background.

        Args:
            partner: The partner, as it was read for this request.
            credential: The digest of the credential of the request; empty for an access token.
        """
        now, passed, key = self._clock(), self._clock.monotonic(), (partner.key, credential)
        if all(_is_recent(used, now) for used in _last_uses(partner, credential)):
            return
        if passed - self._recorded.get(key, -inf) < _RECORD_INTERVAL.total_seconds():
            return
        self._recorded[key] = passed
        # An empty context keeps the details of this request out of the logs of the background task.
        task = asyncio.create_task(self._save(partner, credential, now), context=contextvars.Context())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def wait_until_written(self) -> None:
        """Wait until all recorded uses have been written."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _save(self, partner: Partner, credential: str, now: datetime) -> None:
        # A request succeeds even if its use cannot be written, for example on a full disk. A later request writes it.
        with suppress(StoreUnavailableError):
            if not await self._store.save(record_use(partner, credential, now)):
                self._recorded.pop((partner.key, credential), None)


def _last_uses(partner: Partner, credential: str) -> list[datetime | None]:
    """Return when the partner and the credential of this digest were last used."""
    uses = [partner.last_used]
    for kind in CredentialKind:
        former = former_credential(partner, kind)
        if credential and credential == current_digest(partner, kind):
            uses.append(current_last_used(partner, kind))
        if former and credential == former.digest:
            uses.append(former.last_used)
    return uses


def _is_recent(used: datetime | None, now: datetime) -> bool:
    """Return whether a use was recorded recently. A wrong clock may have dated a use in the future."""
    return used is not None and timedelta() <= now - used < _RECORD_INTERVAL
