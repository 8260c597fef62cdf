"""docs/reference/sandbox.md lists all actions, faults, operations, endpoints, rules and methods."""

import re
from pathlib import Path
from typing import get_args

from openbooking.sandbox.client import Sandbox
from openbooking.sandbox.control import actions
from openbooking.sandbox.control.api import ControlApi
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.faults.plans import FaultKind, FaultPlan
from openbooking.sandbox.scenarios.scenario import Expectations, Rule

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "sandbox.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_actions_are_listed_with_their_members() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \|", section("Actions"), re.MULTILINE)[1:]
    known = {
        str(each.__struct_config__.tag): [name for name in each.__struct_fields__ if name != "after_seconds"]
        for each in get_args(actions.AnyAction)
    }
    assert {name: sorted(quoted(members)) for name, members in rows} == {
        name: sorted(members) for name, members in known.items()
    }


def test_the_faults_are_listed_with_what_happens() -> None:
    for kind in FaultKind:
        assert f"| `{kind.value}` | {kind.description} |" in section("Faults")
    assert set(FaultPlan.__struct_fields__) <= set(quoted(section("Faults")))


def test_the_operations_are_listed() -> None:
    assert {operation.value for operation in Operation} <= set(quoted(section("Faults")))


def test_the_endpoints_are_listed() -> None:
    listed = set(re.findall(r"^\| `([A-Z]+) (\S+)` \|", section("The API"), re.MULTILINE))
    routes = ControlApi(instance=None).routes("")  # type: ignore[arg-type] # no endpoint is called
    served = {
        (method, route.path.replace(":int", "")) for route in routes for method in (route.methods or set()) - {"HEAD"}
    }
    assert listed == served


def test_the_keys_of_scenarios_are_listed() -> None:
    assert {*Rule.__struct_fields__, *Expectations.__struct_fields__} <= set(quoted(section("Scenario files")))


def test_the_methods_of_the_fixture_are_listed() -> None:
    methods = {name for name in vars(Sandbox) if not name.startswith("_")} - {"close"}
    assert methods <= set(quoted(section("The pytest fixture")))
