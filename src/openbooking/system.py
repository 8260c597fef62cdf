"""The one place where the parts of a Booking System are joined."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import structlog

from openbooking import __version__
from openbooking.booking.commands.erase_personal_data import ErasePersonalData
from openbooking.booking.commands.expire_leases import ExpireLeases
from openbooking.booking.store import FeedWriter, Store, StoreUnavailableError
from openbooking.clock import Clock, SystemClock
from openbooking.identity.access import Authenticate, ByApiKey, ByTrustedHeaders
from openbooking.identity.limits import limited
from openbooking.identity.provider import Provider
from openbooking.identity.store import IdentityStore
from openbooking.jsonld.read_order import OrderReader
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.jsonld.write_order import OrderWriter
from openbooking.openactive.ids import Identifiers
from openbooking.settings import AccessMode, Settings, SettingsError
from openbooking.store.identity import SqliteIdentityStore
from openbooking.store.identity_memory import MemoryIdentityStore
from openbooking.store.location import is_postgres
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite import SqliteStore

TOMBSTONES_KEPT = timedelta(days=8)
_UPKEEP_EVERY_SECONDS, _UPKEEP_AGAIN_SECONDS = 3600, 60
_TIME_NOTED_EVERY_SECONDS = 60
# A busy database may keep the sweeper waiting, and be well.
_SWEEPS_MISSED, _SWEEP_SECONDS = 5, 30
_log = structlog.get_logger()


class Sweeper:
    """Whether what has ended is being cleared away."""

    def __init__(self, every_seconds: float) -> None:
        self._patience = every_seconds * _SWEEPS_MISSED + _SWEEP_SECONDS
        self._last: float | None = None

    def has_swept(self) -> None:
        """Once more, just now."""
        self._last = monotonic()

    def is_well(self) -> bool:
        """Whether that was not long ago."""
        return self._last is not None and monotonic() - self._last < self._patience


class System(NamedTuple):
    """A Booking System, without the faces it shows."""

    settings: Settings
    clock: Clock
    ids: Identifiers
    store: Store
    identity: Provider
    authenticate: Authenticate
    reader: OrderReader
    writer: Writer
    replies: OrderWriter
    sweeper: Sweeper


@asynccontextmanager
async def open_system(
    settings: Settings,
    clock: Clock | None = None,
    store: Store | None = None,
    identity: IdentityStore | None = None,
    *,
    serves: bool = True,
) -> AsyncIterator[System]:
    """A Booking System with these settings, over the stores given, or else those that are set.

    One that `serves` clears away what has ended for as long as it is open. One that does not, as for a command that
    lists something, changes nothing that it is not asked to: it may have been opened with another address.

    Over a store of somebody else's it needs an IdentityStore too, unless a gateway tells it by headers who calls.
    """
    clock = clock or SystemClock()
    ids = Identifiers(settings.base_uri, settings.single_seller or None)
    writer = Writer(ids)
    if store is None:
        from openbooking.store.migrate import prepare  # noqa: PLC0415 - long to load, and a worker does without

        await asyncio.to_thread(prepare, settings.database)
        store, identity = open_store(settings, clock), open_identity_store(settings)
    if identity is None and settings.access is not AccessMode.HEADERS:
        raise SettingsError("access must be headers where there is no IdentityStore")
    provider = Provider(
        store=identity or MemoryIdentityStore(),
        bookings=store,
        policy=settings.identity_policy,
        ids=ids,
        booking_service=booking_service(settings),
        clock=clock,
    )
    authenticate = _authentication(settings, provider, ids, clock)
    system = System(
        settings=settings,
        clock=clock,
        ids=ids,
        store=store,
        identity=provider,
        authenticate=limited(authenticate, settings.requests_per_minute, clock.monotonic),
        reader=OrderReader(ids, settings.max_order_items),
        writer=writer,
        replies=OrderWriter(writer, booking_service(settings)),
        sweeper=Sweeper(settings.sweep_seconds),
    )
    try:
        if settings.access is AccessMode.OPENID:
            await provider.keys.keep_up()
        async with _kept_up(system) if serves else nullcontext():
            yield system
    finally:
        await store.close()
        await provider.close()


def make_feed_writer(settings: Settings) -> FeedWriter:
    """Return what writes the items of feeds, with the identifiers of the address that is set."""
    return JsonLdFeedWriter(Writer(Identifiers(settings.base_uri, settings.single_seller or None)))


def open_store(settings: Settings, clock: Clock | None = None) -> SqlStore:
    """The store that is set, whose schema must be up to date."""
    clock = clock or SystemClock()
    writer = make_feed_writer(settings)
    if is_postgres(settings.database):
        from openbooking.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is long to load

        return PostgresStore(
            settings.database,
            replica=settings.replica,
            policy=settings.policy,
            writer=writer,
            clock=clock,
            command_seconds=settings.command_seconds,
        )
    return SqliteStore(
        Path(settings.database),
        policy=settings.policy,
        writer=writer,
        clock=clock,
        command_seconds=settings.command_seconds,
    )


def open_identity_store(settings: Settings) -> IdentityStore:
    """The identity store that is set, whose schema must be up to date."""
    if is_postgres(settings.database):
        from openbooking.store.identity_postgres import PostgresIdentityStore  # noqa: PLC0415 - for the same reason

        return PostgresIdentityStore(settings.database, settings.command_seconds)
    return SqliteIdentityStore(Path(settings.database), settings.command_seconds)


def booking_service(settings: Settings) -> dict[str, Any] | None:
    """How this Booking System names itself, and its terms (OB 10.1.17, 10.1.18), if it does."""
    if not settings.booking_service:
        return None
    described: dict[str, Any] = {
        "@type": "BookingService",
        "name": settings.name,
        "url": settings.site,
        "softwareVersion": __version__,
    }
    if settings.terms_of_service:
        terms = {
            "@type": "Terms",
            "name": "Terms of Service",
            "url": settings.terms_of_service,
            "requiresExplicitConsent": settings.terms_require_consent,
        }
        modified = {"dateModified": settings.terms_modified} if settings.terms_modified else {}
        described["termsOfService"] = [terms | modified]
    return described


def _authentication(settings: Settings, provider: Provider, ids: Identifiers, clock: Clock) -> Authenticate:
    match settings.access:
        case AccessMode.HEADERS:
            _log.warning("access.headers_are_trusted", header=settings.trusted_partner_header)
            return ByTrustedHeaders(settings.trusted_partner_header, settings.trusted_seller_header, ids)
        case AccessMode.OPENID:
            return provider.by_access_token
        case AccessMode.API_KEY:
            return ByApiKey(provider.store, provider.uses, clock)


class _Chore:
    """Something that is done again and again, `every` so many seconds, or `again` after so many where it has failed.

    What cannot be undone (`for_good`) waits until the clock is trusted.
    """

    def __init__(
        self, do: Callable[[], Awaitable[None]], *, every: float = 0, again: float = 0, for_good: bool = False
    ) -> None:
        self._do = do
        self._every = every
        self._again = again
        self._for_good = for_good
        self._next = -inf

    async def do_if_due(self, clock: Clock) -> None:
        """Do it, if it is time to; whatever goes wrong, other chores go on."""
        now = clock.monotonic()
        if now < self._next or (self._for_good and not clock.is_trusted()):
            return
        self._next = now + self._again
        try:
            await self._do()
        except StoreUnavailableError as fault:
            _log.warning("upkeep.postponed", reason=str(fault))
        except Exception:  # noqa: BLE001 - whatever went wrong, Leases must go on ending
            _log.exception("upkeep.failed")
        else:
            self._next = now + self._every


@asynccontextmanager
async def _kept_up(system: System) -> AsyncIterator[None]:
    upkeep = asyncio.create_task(_keep_up(system))
    try:
        yield
    finally:
        upkeep.cancel()
        with suppress(asyncio.CancelledError):
            await upkeep


async def _keep_up(system: System) -> None:
    """Clear away what has ended, every few seconds or every hour, for as long as the system is open."""
    chores = [
        _Chore(partial(compare_clock, system.clock, system.store), every=inf),
        _Chore(partial(_sweep, system)),
        _Chore(partial(_clear_up, system), every=_UPKEEP_EVERY_SECONDS, again=_UPKEEP_AGAIN_SECONDS, for_good=True),
        _Chore(
            partial(_note_time, system), every=_TIME_NOTED_EVERY_SECONDS, again=_TIME_NOTED_EVERY_SECONDS, for_good=True
        ),
    ]
    while True:
        for chore in chores:
            await chore.do_if_due(system.clock)
        await asyncio.sleep(system.settings.sweep_seconds)


async def compare_clock(clock: Clock, store: Store) -> None:
    """Let the database bear the clock out, if it can; once, before this process notes a time itself."""
    noted = await store.noted_time()
    if noted is not None:
        clock.compare(noted)


async def _sweep(system: System) -> None:
    """Let Leases end, and the Orders feeds follow the grants."""
    if system.clock.is_trusted():
        while await system.store.execute(ExpireLeases()):
            pass
    system.sweeper.has_swept()
    await system.identity.grants.settle()


async def _clear_up(system: System) -> None:
    """Clear away what nobody needs any more."""
    await system.identity.store.remove_expired(system.clock())
    if system.settings.access is AccessMode.OPENID:
        await system.identity.keys.keep_up()
    await _erase(system)
    # Last, for whoever reads from the log for long keeps it from being emptied.
    await system.store.forget_deleted(system.clock() - TOMBSTONES_KEPT)


async def _erase(system: System) -> None:
    """Erase the personal data of Orders that were over so long ago as is set, some in each transaction."""
    days = system.settings.retention_days
    if days:
        command = ErasePersonalData(over_before=system.clock() - timedelta(days=days))
        while await system.store.execute(command):
            pass


async def _note_time(system: System) -> None:
    """Tell processes that start later by when the database was in use."""
    await system.store.note_time(system.clock())
