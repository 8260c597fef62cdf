"""The alerts and the dashboard use metrics that the server has, and the dashboard shows all metrics."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from support.deployment.files import DASHBOARD, RULES, read_yaml
from support.reference.metrics import reported_metrics

# Prometheus adds the metric `up`, and these labels to all metrics.
UP = "up"
OF_PROMETHEUS = {"job", "instance"}
COUNTER = "_total"
FUNCTIONS = {"by", "histogram_quantile", "increase", "max", "min", "rate", "sum"}


def existing_metrics() -> dict[str, set[str]]:
    """Return the labels of each sample of a server that has counted everything, by the name of the sample."""
    found: dict[str, set[str]] = {UP: set()}
    for sample in (sample for family in reported_metrics() for sample in family.samples):
        found.setdefault(sample.name, set()).update(sample.labels)
    # prometheus-client adds the times at which counters began, which nobody shows.
    return {name: labels | OF_PROMETHEUS for name, labels in found.items() if not name.endswith("_created")}


METRICS = existing_metrics()


def rules() -> list[dict[str, Any]]:
    return [rule for group in read_yaml(RULES)["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"])


EXPRESSIONS = {f"alert {rule['alert']}": rule["expr"] for rule in rules()} | {
    f"panel {panel['title']}, {target['refId']}": target["expr"] for panel in panels() for target in panel["targets"]
}


def unknown_names(expression: str) -> set[str]:
    """Return the metrics and labels in an expression that the server does not have."""
    text = re.sub(r'"[^"]*"', "", expression)
    unknown, outside = set(), text
    for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", text):
        unknown |= set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers)) - METRICS.get(name, set())
    outside = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", outside)
    labels = {label.strip() for group in re.findall(r"by \(([^)]*)\)", outside) for label in group.split(",")}
    names = set(re.findall(r"[a-z]\w*", re.sub(r"by \([^)]*\)", "", outside))) - FUNCTIONS
    known = set().union(*(METRICS.get(name, set()) for name in names))
    return unknown | (labels - known) | (names - METRICS.keys())


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_every_metric_and_label_exists(expression: str) -> None:
    assert unknown_names(expression) == set()


def test_a_metric_or_label_that_does_not_exist_is_noticed() -> None:
    assert unknown_names('sum by (partner) (rate(openbooking_errors_total{wrong="x"}[5m]))') == {"wrong", "partner"}
    assert unknown_names("openbooking_error_total > 1") == {"openbooking_error_total"}


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    parts = ("_bucket", "_sum")
    expected = {name for name in METRICS if not name.endswith(parts)}
    assert {name for name in expected if not re.search(rf"\b{name}\b", shown)} == set()


def test_panels_have_their_own_numbers_and_places() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    places = [panel["gridPos"] for panel in panels()]
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places)


def test_every_alert_says_what_it_means() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert all(rule["annotations"][text] for text in ("summary", "description"))
        named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        grouped = re.findall(r"by \(([^)]*)\)", rule["expr"])
        kept = {label.strip() for label in grouped[0].split(",")} if grouped else OF_PROMETHEUS
        assert named <= kept
