"""The table of requirements and their tests is true and up to date."""

import subprocess
import sys
from pathlib import Path

import conformance
from conformance import Row
from support.requirements_catalogue import Requirement, group_titles, reasons_not_tested, requirement_ids, requirements


def test_the_table_is_up_to_date_and_contradicts_itself_nowhere() -> None:
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
        "OB-C1-01 has a test, and a reason to have none"
    ]
    assert conformance.faults({}, {"OB-NO-01": "Because."}) == ["OB-NO-01 has a reason, and is no requirement"]


def test_each_state_is_told_and_counted() -> None:
    table = conformance.rows({"OB-C1-01": ["a", "b"], "OB-LEASE-02": ["c"]}, {"OB-C1-02": "Because."})
    by_id = {row.requirement.id: row for row in table}
    assert by_id["OB-C1-01"] == Row(Requirement("OB-C1-01", "MUST"), "tested", "a<br>b")
    assert by_id["OB-C1-02"] == Row(Requirement("OB-C1-02", "MUST"), "reason", "Because.")
    assert by_id["OB-C1-03"] == Row(Requirement("OB-C1-03", "MUST"), "**open**", "")
    assert by_id["OB-LEASE-02"].state == "done"
    assert by_id["OB-LEASE-03"].state == "not done"
    last = conformance.render(table).splitlines()[-1]
    assert last.startswith(f"{len(table)} requirements: MUST and SHOULD 1 tested, 1 reason, ")
    assert " open; MAY 1 done, " in last
