"""Metrics for Prometheus: counts of requests, and figures that each scrape reads from the store."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from openbooking.booking.event_queue import QueueFigures
from openbooking.booking.store import Feed, Figures
from openbooking.identity.import_records import FollowedFeed
from openbooking.openactive.errors import OpportunityHasInsufficientCapacityError, system_error_names
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.web.observe import Answered, Notes

# The folder in which the processes of one server add up their counts. prometheus-client reads this variable too.
SHARED_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_POSITION = "openbooking_orders_feed_position"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_FAILURES = system_error_names()
_FULL = frozenset(
    {
        ItemErrorType.OPPORTUNITY_IS_FULL,
        ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY,
        ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE,
        OpportunityHasInsufficientCapacityError.__name__,
    }
)
# The figures of followed feeds: name, meaning, value.
_IMPORTS: tuple[tuple[str, str, Callable[[FollowedFeed, datetime], float]], ...] = (
    (
        "lag_seconds",
        "Seconds for which the imported items of a followed feed may have been out of date.",
        lambda feed, now: feed.lag(now).total_seconds(),
    ),
    ("failures", "Attempts to read the feed that have failed since the last success.", lambda feed, _: feed.failures),
    ("items", "Items that were imported, each version counted.", lambda feed, _: feed.items),
    ("items_waiting", "Items that wait for their parents.", lambda feed, _: feed.waiting),
    ("items_not_imported", "Items that could not be imported.", lambda feed, _: feed.not_imported),
)


class Metrics:
    """Counts of requests, kept in memory or in files that several processes share."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        request = ("method", "endpoint")
        self._durations = Histogram(
            "openbooking_request_duration_seconds",
            "Seconds that requests took. endpoint: the path with parameter names; fault: request or system.",
            (*request, "status", "fault"),
            registry=self._own,
            buckets=_SECONDS,
        )
        self._errors = Counter(
            "openbooking_errors",
            "Errors of requests and of their items, by class. fault: request or system.",
            ("error", "fault"),
            registry=self._own,
        )
        self._conflicts = Counter(
            "openbooking_capacity_conflicts",
            "Requests refused because too few spaces were left.",
            request,
            registry=self._own,
        )
        self._not_held = Counter(
            "openbooking_holds_refused",
            "Quotes and proposals that hold no spaces. bound: the limit that was reached.",
            ("bound", "partner"),
            registry=self._own,
        )
        self._positions = Gauge(
            _POSITION,
            "The change number up to which a Booking Partner has read its Orders or OrderProposals feed.",
            ("feed", "partner"),
            registry=self._own,
            multiprocess_mode="mostrecent",
        )

    def observe(self, answered: Answered) -> None:
        """Count a request that has been answered."""
        notes = answered.notes
        self._durations.labels(answered.method, answered.endpoint, notes.status, _fault(notes)).observe(
            answered.seconds
        )
        errors = (notes.error, *notes.item_errors) if notes.error else notes.item_errors
        if errors:
            for error in errors:
                self._errors.labels(error, "system" if error in _FAILURES else "request").inc()
            if not _FULL.isdisjoint(errors):
                self._conflicts.labels(answered.method, answered.endpoint).inc()
        if notes.not_held:
            self._not_held.labels(notes.not_held, notes.partner).inc()
        if notes.read:
            feed, after = notes.read
            self._positions.labels(feed.name, feed.partner).set(after)

    def collect(self) -> list[Metric]:
        """Return the counts of all processes."""
        registry = self._own
        if SHARED_FOLDER_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return list(registry.collect())


class Scrape:
    """The metrics of one scrape: the counts of requests, and the figures of the store.

    Args:
        counted: The counts of requests.
    """

    def __init__(self, counted: list[Metric]) -> None:
        self._families = counted

    def positions(self) -> dict[Feed, int]:
        """Return the change number up to which each Booking Partner has read its feeds since the server started."""
        samples = (sample for family in self._families if family.name == _POSITION for sample in family.samples)
        return {Feed(sample.labels["feed"], sample.labels["partner"]): int(sample.value) for sample in samples}

    def add(self, figures: Figures | None, now: datetime) -> None:
        """Add the figures of the store.

        Args:
            figures: The figures; None if the store does not answer.
            now: The time, from which lags are counted.
        """
        self._families += [_gauge("openbooking_store_up", "Whether the database answers.", [((), figures is not None)])]
        if figures is None:
            return
        leases = [(("live",), figures.leases), (("ended",), figures.ended_leases)]
        self._families += [
            _gauge(
                "openbooking_leases",
                "Live Leases, and ended Leases that are not removed yet.",
                leases,
                ("state",),
            ),
            _gauge(
                "openbooking_orders_feed_lag_seconds",
                "Seconds since the oldest change that a Booking Partner has not read.",
                _lags(figures.oldest_unread, now),
                ("feed", "partner"),
            ),
        ]

    def add_events(self, figures: QueueFigures, now: datetime) -> None:
        """Add the figures of the order events that wait for `on_committed`.

        Args:
            figures: The figures.
            now: The time, from which the wait is counted.
        """
        states = [(("waiting",), figures.waiting), (("failing",), figures.failing)]
        seconds = (now - figures.oldest).total_seconds() if figures.oldest else 0
        self._families += [
            _gauge(
                "openbooking_order_events",
                "Order events that wait for on_committed. state: waiting (all) or failing (it has raised an error).",
                states,
                ("state",),
            ),
            _gauge(
                "openbooking_order_events_wait_seconds",
                "Seconds that the oldest order event has waited.",
                [((), seconds)],
            ),
        ]

    def add_imports(self, feeds: Sequence[FollowedFeed], now: datetime) -> None:
        """Add how far the feeds of providers have been followed.

        Args:
            feeds: The feeds that imports follow.
            now: The time, from which lags are counted.
        """
        for name, meaning, value in _IMPORTS:
            values = [((feed.source,), value(feed, now)) for feed in feeds]
            self._families.append(_gauge(f"openbooking_import_{name}", meaning, values, ("feed",)))

    def collect(self) -> Iterable[Metric]:
        """Return all metrics. prometheus-client calls this method."""
        return self._families


def _fault(notes: Notes) -> str:
    """Return `request` or `system` for a failed request, else an empty string.

    The error class decides, because the specification gives some mistakes of Brokers the status 500 (OB 10.2.2).
    """
    if notes.status < HTTPStatus.BAD_REQUEST:
        return ""
    if notes.error:
        return "system" if notes.error in _FAILURES else "request"
    return "system" if notes.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "request"


def _lags(oldest_unread: Mapping[Feed, datetime | None], now: datetime) -> Iterator[tuple[tuple[str, str], float]]:
    for feed, changed in oldest_unread.items():
        yield feed, (now - changed).total_seconds() if changed else 0


def _gauge(
    name: str, meaning: str, values: Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()
) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for named, value in values:
        family.add_metric(named, value)
    return family
