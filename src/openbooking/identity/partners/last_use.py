"""When Booking Partners, and their credentials, were last used: noted now and then, and never while a request waits."""

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
    with_use_recorded,
)
from openbooking.identity.records import Partner
from openbooking.identity.store import IdentityStore

_NOTED_EVERY = timedelta(minutes=15)


class LastUseRecorder:
    """What was used at one provider, to the quarter of an hour.

    Of requests that come at the same time one writes. A change that somebody makes just then is more important, and so
    is what another process notes: the next request notes it.
    """

    def __init__(self, store: IdentityStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[tuple[str, str], float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def record(self, partner: Partner, credential: str = "") -> None:
        """Note, in the background, that the partner is here, and showed the credential of this digest, if it did.

        `partner` is as it was read before.
        """
        now, passed, key = self._clock(), self._clock.monotonic(), (partner.key, credential)
        if all(_is_recent(used, now) for used in _last_uses(partner, credential)):
            return
        if passed - self._noted.get(key, -inf) < _NOTED_EVERY.total_seconds():
            return
        self._noted[key] = passed
        # Nothing that is logged of it belongs to the request that happens to be under way.
        task = asyncio.create_task(self._save(partner, credential, now), context=contextvars.Context())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def wait_until_written(self) -> None:
        """Wait until all that was noted has been written."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _save(self, partner: Partner, credential: str, now: datetime) -> None:
        # Nobody is refused because it cannot be noted, as on a full disk; then it is not tried with each request.
        with suppress(StoreUnavailableError):
            if not await self._store.save(with_use_recorded(partner, credential, now)):
                self._noted.pop((partner.key, credential), None)


def _last_uses(partner: Partner, credential: str) -> list[datetime | None]:
    """When the partner was last here, and when the credential was last used."""
    uses = [partner.last_used]
    for kind in CredentialKind:
        before = former_credential(partner, kind)
        if credential and credential == current_digest(partner, kind):
            uses.append(current_last_used(partner, kind))
        if before and credential == before.digest:
            uses.append(before.last_used)
    return uses


def _is_recent(used: datetime | None, now: datetime) -> bool:
    """Whether it was noted a short while ago; a use in the future was noted by a clock that was wrong."""
    return used is not None and timedelta() <= now - used < _NOTED_EVERY
