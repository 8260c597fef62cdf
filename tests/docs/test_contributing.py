"""CONTRIBUTING.md names the floors that import-linter checks, and files and names that exist."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# The greatest number of files that an addition may touch, apart from tests.
MOST_FILES = {
    "An Opportunity type": 2,
    "A bookability rule": 2,
    "A Seller decision": 3,
    "An endpoint of the API": 2,
    "A page": 3,
    "A setting": 3,
    "A database": 4,
}


def section(text: str, heading: str) -> str:
    """Return the text from a heading to the next heading of the same level or a higher one."""
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{2,{len(level)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def files_named_for(addition: str) -> list[str]:
    return re.findall(r"^- `([^`]+)`:", section(CONTRIBUTING, f"### {addition}"), re.MULTILINE)


@pytest.mark.parametrize(("addition", "most"), MOST_FILES.items())
def test_how_to_add_names_files_that_exist(addition: str, most: int) -> None:
    files = files_named_for(addition)
    assert 0 < len(files) <= most
    for file in files:
        # A part in angle brackets is a file or folder to make.
        assert (ROOT / file.partition("<")[0]).exists(), file


def test_how_to_add_has_no_addition_that_is_not_checked() -> None:
    headings = re.findall(r"^### (.+)$", section(CONTRIBUTING, "## How to add"), re.MULTILINE)
    assert headings == list(MOST_FILES)


def answers() -> list[tuple[str, str]]:
    """Return the files of "Where to find things", each with the name beside it."""
    rows = re.findall(r"^\|.*\? \| (.+) \| (.+) \|$", section(CONTRIBUTING, "## Where to find things"), re.MULTILINE)
    return [answer for files, names in rows for answer in zip(quoted_in(files), quoted_in(names), strict=True)]


def quoted_in(cell: str) -> list[str]:
    """Return the words of a cell that stand in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(("file", "name"), answers())
def test_where_to_find_things_names_files_that_contain_the_names(file: str, name: str) -> None:
    text = (ROOT / "src" / "openbooking" / file).read_text(encoding="utf-8")
    assert re.search(rf"\b{name}\b", text)


def test_where_to_find_things_answers_25_questions_at_least() -> None:
    questions = re.findall(r"^\| Where |^\| Which ", section(CONTRIBUTING, "## Where to find things"), re.MULTILINE)
    assert len(answers()) >= len(questions) >= 25


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md"])
def test_the_floors_are_those_that_import_linter_checks(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    [block] = re.findall(r"<!-- floors -->\n```\n(.*?)```", text, re.DOTALL)
    named = [re.split(r" {2,}", line)[0].split(" | ") for line in block.splitlines()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [layers] = [contract["layers"] for contract in contracts if contract.get("containers") == ["openbooking"]]
    checked = [[room for room in layer.split(" | ") if not room.startswith("(")] for layer in layers]
    assert named == checked


@pytest.mark.parametrize("term", ["space", "place", "harvester", "grant", "record", "Command", "Situation"])
def test_the_glossary_explains_a_term_in_one_sentence(term: str) -> None:
    [meaning] = re.findall(rf"^\| `?{term}`? \| (.+) \|$", section(CONTRIBUTING, "## Glossary"), re.MULTILINE)
    assert meaning.endswith(".")
    assert ". " not in meaning
