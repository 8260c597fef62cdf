"""Scenario files are read, or refused with the wrong place."""

from pathlib import Path

import pytest

from openbooking.sandbox.control.actions import Accept
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.faults.plans import FaultKind
from openbooking.sandbox.scenarios.scenario import ScenarioError, read_scenario

WHOLE = """
name = "All of it"
[[rule]]
turn_clock = { days = 1 }
fault = { kind = "429", share = 0.5 }
[[rule]]
after = "P"
count = 2
action = { do = "accept", note = "Welcome.", after_seconds = 60 }
[expect]
orders = 1
confirmed_items = 2
cancelled_items = 0
deleted = 0
answers = { P = 2, orders-feed = 3 }
orders_feed_within = 60
advice = ["OB-C2-03"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "late.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_scenario_has_rules_and_expectations(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, WHOLE))
    start, late = scenario.rules
    assert scenario.name == "All of it"
    assert start.after is None
    assert start.turn_clock
    assert start.turn_clock.days == 1
    assert start.fault
    assert start.fault.kind is FaultKind.TOO_MANY_REQUESTS
    assert (late.after, late.count) == (Operation.P, 2)
    assert late.action == Accept(note="Welcome.", after_seconds=60)
    assert scenario.expect.answers == {Operation.P: 2, Operation.ORDERS_FEED: 3}
    assert scenario.expect.advice == frozenset({"OB-C2-03"})


def test_a_scenario_without_a_name_has_that_of_its_file(tmp_path: Path) -> None:
    assert read_scenario(written(tmp_path, "")).name == "late"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "is no TOML"),
        ("rules = []", "unknown field `rules`"),
        ('[[rule]]\nafter = "C3"', "Invalid enum value 'C3'"),
        ('[[rule]]\naction = { do = "dance" }', "Invalid value 'dance'"),
        ('[[rule]]\nfault = { kind = "lost", often = 1 }', "unknown field `often`"),
        ("[expect]\norders = -1", "orders"),
        ("[expect]\nbookings = 1", "unknown field `bookings`"),
    ],
)
def test_a_wrong_scenario_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=r"late\.toml") as raised:
        read_scenario(written(tmp_path, text))
    assert told in str(raised.value)


def test_a_scenario_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        read_scenario(tmp_path / "none.toml")
