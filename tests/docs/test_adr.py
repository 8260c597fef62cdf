"""Every decision in docs/adr has its own number and a line with its status and date."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
DECISIONS = sorted(FOLDER.glob("*.md"))
DAY = r"\d{4}-\d{2}-\d{2}"
SUCCESSOR = rf"\[ADR (\d+)\]\((\d{{4}})-[a-z0-9-]+\.md\), {DAY}\."
STATUS = re.compile(rf"Status: (?:Accepted, {DAY}\.(?: Superseded in part by {SUCCESSOR})?|Superseded by {SUCCESSOR})")


@pytest.mark.parametrize("file", DECISIONS, ids=lambda file: file.stem)
def test_a_decision_has_a_number_a_status_and_three_parts(file: Path) -> None:
    title, blank, status, *text = file.read_text(encoding="utf-8").splitlines()
    assert title.startswith(f"# {int(file.name[:4])}. ")
    assert blank == ""
    matched = STATUS.fullmatch(status)
    assert matched, status
    successors = [number for number in matched.groups() if number]
    assert len({int(number) for number in successors}) <= 1
    assert all(int(number) > int(file.name[:4]) for number in successors)
    assert [line for line in text if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]


def test_the_index_names_every_decision_by_its_number_and_title() -> None:
    index = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    for file in DECISIONS:
        number, title = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(". ", 1)
        assert f"| {number} | [{title}](adr/{file.name}) |" in index


def test_no_two_decisions_have_one_number() -> None:
    numbers = [file.name[:4] for file in DECISIONS]
    assert len(numbers) == len(set(numbers)) > 20


@pytest.mark.parametrize(
    "status",
    [
        "Accepted.",
        "Status: Accepted.",
        "Status: Superseded, 2026-11-30.",
        "Status: Superseded by ADR 19, 2026-11-30.",
    ],
)
def test_a_status_without_its_date_or_successor_is_refused(status: str) -> None:
    assert not STATUS.fullmatch(status)
