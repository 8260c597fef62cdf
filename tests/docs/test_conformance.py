"""The page of conformance is up to date, and a requirement that loses its test is noticed."""

import subprocess
import sys
from pathlib import Path

import pytest

import conformance
from conformance import Row
from support.requirements_catalogue import Requirement, group_titles, reasons_not_tested, requirement_ids, requirements


def test_the_page_is_up_to_date_and_has_no_contradictions() -> None:
    script = Path(conformance.__file__)
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_requirement_is_read_once_and_has_a_heading() -> None:
    ids = [requirement.id for requirement in requirements()]
    assert len(ids) == len(set(ids))
    assert {id_ for id_ in requirement_ids() if not id_.startswith("AMB-")} == set(ids)
    assert {requirement.group for requirement in requirements()} <= group_titles().keys()
    assert {requirement.level for requirement in requirements()} == {"MUST", "SHOULD", "MAY"}


def test_a_reason_is_a_sentence() -> None:
    for id_, reason in reasons_not_tested().items():
        assert reason.endswith("."), id_
        assert len(reason.split()) > 1, id_


def test_contradictions_are_found() -> None:
    assert conformance.faults({"OB-C1-01": ["a"]}, {"OB-C1-01": "Because."}) == [
        "OB-C1-01 has a test and a reason to have none"
    ]
    assert conformance.faults({}, {"OB-NO-01": "Because."}) == ["OB-NO-01 has a reason but is not a requirement"]


def test_the_table_has_the_state_and_the_tests_of_each_requirement() -> None:
    table = conformance.rows({"OB-C1-01": ["a", "b"], "OB-LEASE-02": ["c"]}, {"OB-C1-02": "Because."})
    by_id = {row.requirement.id: row for row in table}
    assert by_id["OB-C1-01"] == Row(Requirement("OB-C1-01", "MUST"), "tested", "a<br>b")
    assert by_id["OB-C1-02"] == Row(Requirement("OB-C1-02", "MUST"), "reason", "Because.")
    assert by_id["OB-C1-03"] == Row(Requirement("OB-C1-03", "MUST"), "open", "")
    assert by_id["OB-LEASE-02"].state == "done"
    assert by_id["OB-LEASE-03"].state == "not done"
    lines = conformance.render_table(table).splitlines()
    assert "| OB-C1-01 | MUST | tested | a<br>b |" in lines
    assert lines[-1].startswith(f"{len(table)} requirements: MUST and SHOULD 1 tested, 1 reason, ")
    assert " open; MAY 1 done, " in lines[-1]


def all_tested() -> dict[str, list[str]]:
    return {requirement.id: ["test"] for requirement in requirements()}


@pytest.mark.parametrize(
    ("id_", "heading"), [("OB-C1-01", "## Open"), ("OB-LEASE-02", "## MAY requirements that are not done")]
)
def test_the_page_names_a_requirement_that_loses_its_only_test(id_: str, heading: str) -> None:
    tests = all_tested()
    page = conformance.render_page(conformance.rows(tests, {}))
    assert f"{heading}\n\nNone.\n" in page
    del tests[id_]
    assert f"{heading}\n\n{id_}.\n" in conformance.render_page(conformance.rows(tests, {}))


def test_the_page_counts_each_section() -> None:
    tests = all_tested()
    del tests["OB-C1-01"]
    page = conformance.render_page(conformance.rows(tests, {"OB-C1-02": "Because."}))
    [row] = [line for line in page.splitlines() if "(OB-C1)" in line]
    binding = [each for each in requirements() if each.group == "OB-C1" and each.level != "MAY"]
    assert row.split(" | ")[1:4] == [str(len(binding) - 1), "0", "1"]
    assert sum(line.startswith("| ") for line in page.splitlines()) == len({each.group for each in requirements()}) + 1
