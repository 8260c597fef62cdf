"""The only place where the parts of a Booking System are joined (`open_system`), and the periodic background work.

The background work ends Leases (the sweeper), takes what is over out of the open feeds, erases personal data after
`retention_days`, removes expired records and old deletions, and rotates signing keys (`_upkeep_jobs`). It also
publishes timetables (`_timetable_jobs`), and sends e-mail about what waits for a decision (`_mail_jobs`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from inspect import isawaitable
from math import inf
from time import monotonic
from typing import Any, NamedTuple, Protocol

import structlog

from openbooking import __version__
from openbooking.booking.commands.opportunities.remove_over import RemoveOver
from openbooking.booking.commands.opportunities.show_other_sales import show_other_sales
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.event_queue import StoreWithEvents
from openbooking.booking.model.order_event import AnyOrderEvent
from openbooking.booking.store import FeedWriter, Store, StoreWithOtherSales
from openbooking.booking.views import StoreWithViews
from openbooking.clock import Clock, SystemClock
from openbooking.event_delivery import deliver_events
from openbooking.identity.authentication import ApiKeyAuthentication, Authenticate, TrustedHeaderAuthentication
from openbooking.identity.provider import Provider
from openbooking.identity.rate_limit import with_rate_limit
from openbooking.identity.store import IdentityStore
from openbooking.jsonld.read_order import OrderReader
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.jsonld.write_order import OrderWriter
from openbooking.mailing.access_request_mail import AccessRequestMail
from openbooking.mailing.proposal_digests import ProposalDigests
from openbooking.openactive.ids import Identifiers
from openbooking.periodic_jobs import PeriodicJob, SweepMonitor
from openbooking.settings import AccessMode, Settings, SettingsError
from openbooking.store.backends import backend_of
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.sql import SqlStore
from openbooking.timetable.publication import publish_due

TOMBSTONES_KEPT = timedelta(days=8)
_CLEANUP_SECONDS, _RETRY_SECONDS = 3600, 60
_NOTE_SECONDS = 60
_OVER_SECONDS = 300
# Long work in small steps takes this share of the time at most, so that it does not slow bookings down.
_SHARE_OF_LONG_WORK = 0.08
_LONGEST_PAUSE_SECONDS = 5
_MAIL_SECONDS = 60
_log = structlog.get_logger()
# Waits after a step of long work that began at a time.
_Rest = Callable[[float], Awaitable[None]]


class System(NamedTuple):
    """The parts of a Booking System below HTTP and the commands."""

    settings: Settings
    clock: Clock
    ids: Identifiers
    store: Store
    identity: Provider
    authenticate: Authenticate
    reader: OrderReader
    writer: Writer
    replies: OrderWriter
    sweeps: SweepMonitor


class OnCommitted(Protocol):
    """The code of an embedder that is told of order events after their commit."""

    async def __call__(self, event: AnyOrderEvent, system: System, /) -> None:
        """Act on the event. If an exception is raised, the event is told again later."""


@asynccontextmanager
async def open_system(  # noqa: PLR0913 - what an embedder can replace, once
    settings: Settings,
    clock: Clock | None = None,
    store: Store | None = None,
    identity: IdentityStore | None = None,
    *,
    on_committed: OnCommitted | None = None,
    serves: bool = True,
) -> AsyncIterator[System]:
    """Open a Booking System, and close its stores at the end of the context.

    Args:
        settings: The settings.
        clock: The source of the time; by default the clock of this machine.
        store: An open store; by default the store that the settings name. An empty database gets its schema first.
        identity: The identity store that belongs to `store`. Optional if `access` is headers.
        on_committed: Called with each order event after its commit, at least once (`openbooking.event_delivery`).
        serves: Whether to do the background work: end Leases, erase data, rotate keys. Without background work only
            commands change data, so a command that only reads may run with another address than the server.

    Raises:
        SettingsError: The settings and the stores do not belong together (`check_stores`), or `on_committed` is given
            and `store` keeps no events.
        StoreUnavailableError: The database does not answer.
    """
    check_stores(settings, store, identity, on_committed)
    _keep_variables_out_of_logs()
    clock = clock or SystemClock()
    ids = Identifiers(settings.base_uri, settings.single_seller or None)
    writer = Writer(ids)
    opens_stores = store is None
    if store is None:
        from openbooking.store.migrate import prepare  # noqa: PLC0415 - slow to load, and worker processes do not need it

        await asyncio.to_thread(prepare, settings.database)
        store, identity = open_store(settings, clock), open_identity_store(settings)
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
        authenticate=with_rate_limit(authenticate, settings.requests_per_minute, clock.monotonic),
        reader=OrderReader(ids, settings.max_order_items),
        writer=writer,
        replies=OrderWriter(writer, booking_service(settings)),
        sweeps=SweepMonitor(settings.sweep_seconds),
    )
    is_open = False
    try:
        if settings.access is AccessMode.OPENID:
            await provider.keys.rotate_if_due()
        async with _with_upkeep(system) if serves else nullcontext(), _with_events(system, on_committed):
            is_open = True
            yield system
    finally:
        # If the start failed, the stores of the caller stay open, so that the caller can try again.
        if opens_stores or is_open:
            # The provider first, because it looks positions up in the feeds of the store before it keeps them.
            await provider.close()
            await store.close()


def _keep_variables_out_of_logs() -> None:
    """Let tracebacks have no values of variables, if the application around this one has not configured structlog.

    By default structlog prints these values with each exception. They include personal data and secrets.
    """
    if not structlog.is_configured():
        *processors, _ = structlog.get_config()["processors"]
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        structlog.configure(processors=[*processors, renderer])


def check_stores(
    settings: Settings, store: Store | None, identity: IdentityStore | None, on_committed: OnCommitted | None = None
) -> None:
    """Check that the stores and the code of an embedder belong together.

    Raises:
        SettingsError: `store` is given without `identity`, and `access` is not by headers; or `identity` is given
            without `store`; or `on_committed` is given, and `store` keeps no events.
    """
    if on_committed and store is not None and not isinstance(store, StoreWithEvents):
        raise SettingsError("on_committed needs a store that keeps events (the attribute `events`)")
    if store is None and identity is not None:
        raise SettingsError("an IdentityStore needs the Store that it belongs to")
    if store is not None and identity is None and settings.access is not AccessMode.HEADERS:
        raise SettingsError("access must be headers if there is no IdentityStore")


def make_feed_writer(settings: Settings) -> FeedWriter:
    """Return the writer of feed items, with identifiers below the Base URI of these settings."""
    return JsonLdFeedWriter(Writer(Identifiers(settings.base_uri, settings.single_seller or None)))


def open_store(settings: Settings, clock: Clock | None = None) -> SqlStore:
    """Return the store that the settings name. Its schema must be up to date."""
    clock = clock or SystemClock()
    writer = make_feed_writer(settings)
    return backend_of(settings.database).open_store(
        settings.database,
        replica=settings.replica,
        policy=settings.policy,
        writer=writer,
        clock=clock,
        command_seconds=settings.command_seconds,
    )


@asynccontextmanager
async def use_store(settings: Settings, clock: Clock | None = None) -> AsyncIterator[SqlStore]:
    """Open the store that the settings name for the duration of the context."""
    store = open_store(settings, clock)
    try:
        yield store
    finally:
        await store.close()


def open_identity_store(settings: Settings) -> IdentityStore:
    """Return the identity store that the settings name. Its schema must be up to date."""
    return backend_of(settings.database).open_identity_store(settings.database, settings.command_seconds)


def booking_service(settings: Settings) -> dict[str, Any] | None:
    """Return the BookingService with its terms (OB 10.1.17, 10.1.18), or None if the settings leave it out."""
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
    """Return the function that authenticates callers, as the setting `access` says."""
    match settings.access:
        case AccessMode.HEADERS:
            _log.warning("access.headers_are_trusted", header=settings.trusted_partner_header)
            return TrustedHeaderAuthentication(settings.trusted_partner_header, settings.trusted_seller_header, ids)
        case AccessMode.OPENID:
            return provider.authenticate_access_token
        case AccessMode.API_KEY:
            return ApiKeyAuthentication(provider.store, provider.last_use_recorder, clock)


@asynccontextmanager
async def _with_upkeep(system: System) -> AsyncIterator[None]:
    """Do the periodic background work for the duration of the context.

    Timetables are published, what is over is removed, and e-mail is sent, by tasks of their own. So much to publish or
    to remove, or a mail server that does not answer, do not delay the sweeper.
    """
    works = (_upkeep_jobs(system), _timetable_jobs(system), _removal_jobs(system), _mail_jobs(system))
    tasks = [asyncio.create_task(_repeat(system, jobs)) for jobs in works if jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _with_events(system: System, on_committed: OnCommitted | None) -> AbstractAsyncContextManager[None]:
    """Tell `on_committed` of order events for the duration of the context."""
    if on_committed is None or not isinstance(system.store, StoreWithEvents):
        return nullcontext()
    return deliver_events(system.store.events, partial(_tell, on_committed, system), system.clock)


async def _tell(on_committed: OnCommitted, system: System, event: AnyOrderEvent) -> None:
    told: object = on_committed(event, system)
    if not isawaitable(told):
        raise TypeError(f"on_committed must be an async function: it has returned {told!r}, which cannot be awaited.")
    await told


def _upkeep_jobs(system: System) -> list[PeriodicJob]:
    return [
        PeriodicJob(partial(compare_clock, system.clock, system.store), every=inf),
        PeriodicJob(partial(_sweep, system)),
        PeriodicJob(partial(_show_other_sales, system)),
        PeriodicJob(partial(_clear_up, system), every=_CLEANUP_SECONDS, retry=_RETRY_SECONDS, irreversible=True),
        PeriodicJob(partial(_add_up_days, system), every=_CLEANUP_SECONDS, retry=_RETRY_SECONDS, irreversible=True),
        PeriodicJob(partial(_note_time, system), every=_NOTE_SECONDS, retry=_NOTE_SECONDS, irreversible=True),
    ]


async def _let_bookings_pass(began: float) -> None:
    """Wait after a step of long work, the longer the more time has passed since the step began."""
    took = monotonic() - began
    await asyncio.sleep(min(took * (1 / _SHARE_OF_LONG_WORK - 1), _LONGEST_PAUSE_SECONDS))


async def _do_not_rest(began: float) -> None:
    """Go on with long work at once."""
    del began


async def run_upkeep(system: System) -> None:
    """Do all periodic work once, without pauses, as after a clock was turned forwards. No e-mail is sent."""
    works = (
        *_upkeep_jobs(system),
        PeriodicJob(partial(_publish_timetables, system, _do_not_rest)),
        PeriodicJob(partial(_remove_over, system, _do_not_rest)),
    )
    for job in works:
        await job.do_if_due(system.clock)


def _timetable_jobs(system: System) -> list[PeriodicJob]:
    return [PeriodicJob(partial(_publish_timetables, system), irreversible=True)]


def _removal_jobs(system: System) -> list[PeriodicJob]:
    return [PeriodicJob(partial(_remove_over, system), every=_OVER_SECONDS, retry=_RETRY_SECONDS, irreversible=True)]


async def _publish_timetables(system: System, rest: _Rest = _let_bookings_pass) -> None:
    """Publish what is due of all timetables, with pauses between the parts."""
    began = monotonic()
    async for part in publish_due(system.store, system.settings.policy, system.clock):
        if part.fault:
            key = part.entry.entry_key
            _log.error("timetable.entry_failed", seller=key.seller, entry=key.key, exc_info=part.fault)
        await rest(began)
        began = monotonic()


def _mail_jobs(system: System) -> list[PeriodicJob]:
    """Return the jobs that send e-mail; none if there is no mail server. A store without views has no proposals."""
    settings, sends = system.settings, list[Callable[[], Awaitable[None]]]()
    if settings.smtp_host and isinstance(system.store, StoreWithViews):
        views = system.store.views
        sends.append(ProposalDigests(settings, system.identity.store, system.store, views, system.clock).send_due)
    if settings.smtp_host and (settings.administrator_email or settings.publisher_email):
        sends.append(AccessRequestMail(settings, system.identity.store, system.clock).send_due)
    return [PeriodicJob(send, every=_MAIL_SECONDS, retry=_MAIL_SECONDS) for send in sends]


async def _repeat(system: System, jobs: Sequence[PeriodicJob]) -> None:
    """Do jobs whenever they are due, until the task is cancelled."""
    while True:
        for job in jobs:
            await job.do_if_due(system.clock)
        await asyncio.sleep(system.settings.sweep_seconds)


async def compare_clock(clock: Clock, store: Store) -> None:
    """Compare the clock with the time that was last noted in the database, before this process notes a time."""
    noted = await store.noted_time()
    if noted is not None:
        clock.compare(noted)


async def _sweep(system: System) -> None:
    """End Leases whose time is over, and update the Orders feeds after changes of grants."""
    if system.clock.is_trusted():
        while await system.store.execute(ExpireLeases()):
            pass
    system.sweeps.note_sweep()
    await system.identity.grants.update_changed_feeds()


async def _show_other_sales(system: System) -> None:
    """Show in the open feeds what other software has sold."""
    if isinstance(system.store, StoreWithOtherSales):
        await show_other_sales(system.store, system.store)


async def _clear_up(system: System) -> None:
    """Remove expired identity records, personal data that is due and old deletions; rotate the keys if they are due."""
    await system.identity.store.remove_expired(system.clock())
    if system.settings.access is AccessMode.OPENID:
        await system.identity.keys.rotate_if_due()
    await _erase(system)
    # Last, because its long read from the write-ahead log delays the emptying of that log.
    await system.store.forget_deleted(system.clock() - TOMBSTONES_KEPT)


async def _remove_over(system: System, rest: _Rest = _let_bookings_pass) -> None:
    """Take what is over out of the open feeds, some Opportunities in each transaction, with pauses between them."""
    began = monotonic()
    while await system.store.execute(RemoveOver()):
        await rest(began)
        began = monotonic()


async def _erase(system: System) -> None:
    """Erase the personal data of Orders that ended `retention_days` ago, some Orders in each transaction."""
    days = system.settings.retention_days
    if days:
        command = ErasePersonalData(over_before=system.clock() - timedelta(days=days))
        while await system.store.execute(command):
            pass


async def _add_up_days(system: System) -> None:
    """Add up the sales of days that have ended, for the views of sales."""
    if isinstance(system.store, StoreWithViews):
        await system.store.views.add_up_past_days([seller.key for seller in await system.store.sellers()])


async def _note_time(system: System) -> None:
    """Note the time in the database. Processes that start later compare their clocks with this time."""
    await system.store.note_time(system.clock())
