"""The table of the metrics, from those that a system reports."""

from datetime import UTC, datetime

from prometheus_client import Metric

from openbooking.booking.event_queue import QueueFigures
from openbooking.booking.store import ORDERS, Feed, Figures
from openbooking.identity.import_records import FollowedFeed
from openbooking.web.api.metrics import Metrics, Scrape
from openbooking.web.observe import Answered, Notes
from support.reference.tables import code, codes, table

_NOW = datetime(2027, 3, 1, tzinfo=UTC)
_FEED = Feed(ORDERS, "acme")


def reported_metrics() -> list[Metric]:
    """Return all metrics, each with a sample."""
    counts = Metrics()
    notes = Notes(
        request_id="1",
        status=409,
        partner="acme",
        item_errors=("OpportunityIsFullError",),
        read=(_FEED, 1),
        not_held="share",
    )
    counts.observe(Answered(method="PUT", endpoint="/api/orders/{uuid}", seconds=0.01, notes=notes))
    scrape = Scrape(counts.collect())
    scrape.add(Figures(leases=1, ended_leases=0, oldest_unread={_FEED: None}), _NOW)
    scrape.add_events(QueueFigures(waiting=1, failing=1, oldest=_NOW), _NOW)
    scrape.add_imports([FollowedFeed(source="https://provider.example.com/feed", since=_NOW, next_try=_NOW)], _NOW)
    return list(scrape.collect())


def metrics_table() -> str:
    """Return a row for each metric: its name, type, labels and meaning."""
    return table(("Metric", "Type", "Labels", "Meaning"), map(_row, reported_metrics()))


def _row(metric: Metric) -> tuple[str, str, str, str]:
    labels = dict.fromkeys(label for sample in metric.samples for label in sample.labels if label != "le")
    return code(metric_name(metric)), metric.type, codes(labels), metric.documentation


def metric_name(metric: Metric) -> str:
    """Return the name of a metric as Prometheus stores it."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name
