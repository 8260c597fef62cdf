"""The table of requirements, the tests that show each, and what is open: `python tests/conformance.py [--check]`.

It writes `docs/reference/conformance.md` and prints it, its last line the counts; with `--check` it compares only.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from support.requirements_catalogue import Requirement, group_titles, reasons_not_tested, requirement_ids, requirements

_ROOT = Path(__file__).parent.parent
_TABLE = _ROOT / "docs" / "reference" / "conformance.md"
_HEAD = """\
# Conformance

Each of [the requirements](requirements.md), and the tests under `tests/` that show it. What has no test says why
([kept by hand](not-tested.toml)) or is open. A MAY is done if a test shows it. `make conformance` writes this file.
"""

Tests = Mapping[str, list[str]]


class Row(NamedTuple):
    """A requirement and how it stands."""

    requirement: Requirement
    state: str
    shown_by: str


class _Marks:
    """A pytest plugin that notes which tests carry which id."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the marks, those of single parameters too."""
        for item in session.items:
            name = item.nodeid.partition("[")[0].removeprefix("tests/")
            for mark in item.iter_markers("spec"):
                for id_ in mark.args:
                    self._found.setdefault(id_, set()).add(name)

    @property
    def tests(self) -> Tests:
        """The names of the tests that carry each id."""
        return {id_: sorted(names) for id_, names in self._found.items()}


def collect() -> Tests:
    """Which tests carry which id, by pytest's own collection."""
    marks = _Marks()
    arguments = ["--collect-only", "-qq", f"--rootdir={_ROOT}", str(_ROOT / "tests")]
    with redirect_stdout(StringIO()) as told:
        if pytest.main(arguments, plugins=[marks]) != pytest.ExitCode.OK:
            sys.exit(told.getvalue())
    return marks.tests


def faults(tests: Tests, reasons: Mapping[str, str]) -> list[str]:
    """What contradicts itself: reasons for ids there are not, or for what is shown all the same."""
    unknown = [f"{id_} has a reason, and is no requirement" for id_ in sorted(reasons.keys() - requirement_ids())]
    return unknown + [f"{id_} has a test, and a reason to have none" for id_ in sorted(reasons.keys() & tests.keys())]


def rows(tests: Tests, reasons: Mapping[str, str]) -> list[Row]:
    """How every requirement stands."""
    return [_row(requirement, tests, reasons) for requirement in requirements()]


def _row(requirement: Requirement, tests: Tests, reasons: Mapping[str, str]) -> Row:
    optional = requirement.level == "MAY"
    if requirement.id in tests:
        return Row(requirement, "done" if optional else "tested", "<br>".join(tests[requirement.id]))
    reason = reasons.get(requirement.id, "")
    if optional:
        return Row(requirement, "not done", reason)
    return Row(requirement, "reason" if reason else "**open**", reason)


def counts(table: list[Row]) -> str:
    """The last line."""
    states = [row.state for row in table]
    binding, optional = ("tested", "reason", "**open**"), ("done", "not done")
    listed = [", ".join(f"{states.count(state)} {state.strip('*')}" for state in kind) for kind in (binding, optional)]
    return f"{len(table)} requirements: MUST and SHOULD {listed[0]}; MAY {listed[1]}."


def render(table: list[Row]) -> str:
    """The document."""
    return "\n".join((_HEAD, *_sections(table), counts(table), ""))


def _sections(table: list[Row]) -> Iterator[str]:
    for group, members in groupby(table, lambda row: row.requirement.group):
        yield f"## {group_titles()[group]} ({group})\n"
        yield "| ID | Level | State | Shown by, or why not |\n|---|---|---|---|"
        for row in members:
            yield f"| {row.requirement.id} | {row.requirement.level} | {row.state} | {row.shown_by} |"
        yield ""


def main() -> None:
    """Write and print, or compare."""
    tests, reasons = collect(), reasons_not_tested()
    wrong = faults(tests, reasons)
    if wrong:
        sys.exit("\n".join(wrong))
    document = render(rows(tests, reasons))
    if "--check" not in sys.argv[1:]:
        _TABLE.write_text(document, encoding="utf-8")
        sys.stdout.write(document)
    elif document != _TABLE.read_text(encoding="utf-8"):
        sys.exit("docs/reference/conformance.md is out of date: run make conformance.")


if __name__ == "__main__":
    main()
