"""List the tests that show each requirement, and the open requirements: `python tests/conformance.py [--check]`.

Writes the counts and open requirements to `docs/reference/conformance.md`, and the table of all requirements and their
tests to `build/conformance-table.md`, which is not under version control. With `--check` only compares the page.
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
_PAGE = _ROOT / "docs" / "reference" / "conformance.md"
_TABLE = _ROOT / "build" / "conformance-table.md"
_STATES = ("tested", "reason", "open", "done", "not done")
_PAGE_HEAD = """\
# Conformance

How many of [the requirements](requirements.md) a test shows, by section. `make conformance` writes this page, and the
table of every requirement with its tests to `build/conformance-table.md`.

- **tested**: a MUST or SHOULD that at least one test shows.
- **reason**: a MUST or SHOULD that no test can show. [not-tested.toml](not-tested.toml) gives the reason for each.
- **open**: a MUST or SHOULD with neither a test nor a reason.
- **done**: a MAY that a test shows.
- **not done**: a MAY that no test shows.

| Section | Tested | Reason | Open | Done | Not done |
|---|---:|---:|---:|---:|---:|
"""
_TABLE_HEAD = """\
# Requirements and the tests that show them

"""

Tests = Mapping[str, list[str]]


class Row(NamedTuple):
    """A requirement, its state (one of `_STATES`) and the tests that show it, or the reason that none does."""

    requirement: Requirement
    state: str
    shown_by: str


class _Marks:
    """A pytest plugin that collects the requirement ids of every test."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the `spec` marks of all tests, including marks on single parameters."""
        for item in session.items:
            name = item.nodeid.partition("[")[0].removeprefix("tests/")
            for mark in item.iter_markers("spec"):
                for id_ in mark.args:
                    self._found.setdefault(id_, set()).add(name)

    @property
    def tests(self) -> Tests:
        """The names of the tests of each requirement id, sorted."""
        return {id_: sorted(names) for id_, names in self._found.items()}


def collect() -> Tests:
    """Collect the tests with pytest and return the names of the tests of each requirement id."""
    marks = _Marks()
    arguments = ["--collect-only", "-qq", f"--rootdir={_ROOT}", str(_ROOT / "tests")]
    with redirect_stdout(StringIO()) as output:
        if pytest.main(arguments, plugins=[marks]) != pytest.ExitCode.OK:
            sys.exit(output.getvalue())
    return marks.tests


def faults(tests: Tests, reasons: Mapping[str, str]) -> list[str]:
    """Return the contradictions: reasons for unknown requirements, and reasons for requirements that have a test."""
    unknown = [f"{id_} has a reason but is not a requirement" for id_ in sorted(reasons.keys() - requirement_ids())]
    return unknown + [f"{id_} has a test and a reason to have none" for id_ in sorted(reasons.keys() & tests.keys())]


def rows(tests: Tests, reasons: Mapping[str, str]) -> list[Row]:
    """Return a row for every requirement, in the order of the catalogue."""
    return [_row(requirement, tests, reasons) for requirement in requirements()]


def _row(requirement: Requirement, tests: Tests, reasons: Mapping[str, str]) -> Row:
    optional = requirement.level == "MAY"
    if requirement.id in tests:
        return Row(requirement, "done" if optional else "tested", "<br>".join(tests[requirement.id]))
    reason = reasons.get(requirement.id, "")
    if optional:
        return Row(requirement, "not done", reason)
    return Row(requirement, "reason" if reason else "open", reason)


def counts(table: list[Row]) -> str:
    """Return one sentence with the number of requirements in each state."""
    listed = {state: f"{sum(row.state == state for row in table)} {state}" for state in _STATES}
    binding, optional = list(listed.values())[:3], list(listed.values())[3:]
    return f"{len(table)} requirements: MUST and SHOULD {', '.join(binding)}; MAY {', '.join(optional)}."


def render_page(table: list[Row]) -> str:
    """Return the page of counts by section, with the ids of the requirements that are open or not done."""
    return "".join((_PAGE_HEAD, *_section_counts(table), "\n", counts(table), "\n", *_listed(table)))


def render_table(table: list[Row]) -> str:
    """Return the table of every requirement with its state and its tests, by section."""
    return "".join((_TABLE_HEAD, *_sections(table), counts(table), "\n"))


def _groups(table: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    for group, members in groupby(table, lambda row: row.requirement.group):
        yield f"{group_titles()[group]} ({group})", list(members)


def _section_counts(table: list[Row]) -> Iterator[str]:
    for title, members in _groups(table):
        states = [row.state for row in members]
        yield f"| {title} | {' | '.join(str(states.count(state)) for state in _STATES)} |\n"


def _listed(table: list[Row]) -> Iterator[str]:
    for state, title in (("open", "Open"), ("not done", "MAY requirements that are not done")):
        ids = [row.requirement.id for row in table if row.state == state]
        yield f"\n## {title}\n\n{', '.join(ids) or 'None'}.\n"


def _sections(table: list[Row]) -> Iterator[str]:
    for title, members in _groups(table):
        yield f"## {title}\n\n| ID | Level | State | Tests, or the reason that there is none |\n|---|---|---|---|\n"
        for row in members:
            yield f"| {row.requirement.id} | {row.requirement.level} | {row.state} | {row.shown_by} |\n"
        yield "\n"


def main() -> None:
    """Write the page and the table, or compare the page (`--check`)."""
    tests, reasons = collect(), reasons_not_tested()
    wrong = faults(tests, reasons)
    if wrong:
        sys.exit("\n".join(wrong))
    table = rows(tests, reasons)
    page = render_page(table)
    if "--check" not in sys.argv[1:]:
        _PAGE.write_text(page, encoding="utf-8")
        _TABLE.parent.mkdir(exist_ok=True)
        _TABLE.write_text(render_table(table), encoding="utf-8")
        sys.stdout.write(f"{counts(table)}\nThe tests of each are in {_TABLE.relative_to(_ROOT)}.\n")
    elif page != _PAGE.read_text(encoding="utf-8"):
        sys.exit("docs/reference/conformance.md is out of date: run make conformance.")


if __name__ == "__main__":
    main()
