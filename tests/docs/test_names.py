"""Commands, make targets, settings and files that the documentation names exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from openbooking.cli import app
from openbooking.settings import Settings, describe_settings
from openbooking.settings.definitions import settings_in_files
from openbooking.settings.loading import SANDBOX_VARIABLES

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "conformance/README.md",
    ]
    # The catalogue of requirements names files of other projects.
    if page.name != "requirements.md"
)
# Folders that a path may be relative to.
FOLDERS = [ROOT, ROOT / "src" / "openbooking", ROOT / "tests", ROOT / "conformance"]
FILE = re.compile(r"(?<![\w/.{-])((?:[\w.-]+/)+[\w-]+\.(?:py|md|toml|html|txt))(?![\w/])")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands() -> dict[str, set[str]]:
    """Return the options of every command of `openbooking`, by the name of the command, such as `partner show`."""

    def walk(command: Any, name: str) -> Iterator[tuple[str, set[str]]]:
        yield name, {option for each in command.params for option in [*each.opts, *each.secondary_opts]}
        for key, below in getattr(command, "commands", {}).items():
            yield from walk(below, f"{name} {key}".strip())

    return dict(walk(typer.main.get_command(app), ""))


COMMANDS = commands()


def named_command(words: list[str]) -> str:
    """Return the name of the command that these words begin with, or an empty text."""
    names = (" ".join(words[:count]) for count in (2, 1))
    return next((name for name in names if name in COMMANDS), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_their_options_exist(page: Path) -> None:
    text = text_of(page).replace("\\\n", " ")
    for line in re.findall(r"(?:^ {4,}|`|=\S+ )openbooking ([a-z-][^`\n]*)", text, re.MULTILINE):
        # The words after `--` are the command of a Broker.
        words = re.sub(r"\s(?:#|-- ).*", "", re.sub(r'"[^"]*"', "…", line)).split()
        name = named_command(words)
        assert name or words[0].startswith("--"), line
        named = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert named <= COMMANDS[name], line


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4}|^)make ([a-z]+)", text_of(page), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_settings_exist(page: Path) -> None:
    known = {name for name, _, _ in describe_settings(Settings())} | {"OPENBOOKING_SETTINGS", *SANDBOX_VARIABLES}
    known |= {f"OPENBOOKING_{name.upper()}_FILE" for name in settings_in_files()}
    # Kubernetes sets variables of these names for a Service called openbooking.
    of_kubernetes = re.compile(r"OPENBOOKING_(?:SERVICE|PORT_\d)")
    named = set(re.findall(r"OPENBOOKING_[A-Z0-9_]*[A-Z0-9]", text_of(page)))
    assert {name for name in named if not of_kubernetes.match(name)} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_exist(page: Path) -> None:
    text = re.sub(r"\]\([^)]*\)|https?://\S+|<[^>]+>|build/\S+", "", text_of(page))
    # CONTRIBUTING's lists of files to change have a test of their own.
    named = set(FILE.findall(re.sub(r"^- `[^`]+`:", "", text, flags=re.MULTILINE)))
    assert {file for file in named if not any((folder / file).exists() for folder in FOLDERS)} == set()


def test_a_command_or_file_that_does_not_exist_is_noticed() -> None:
    assert named_command(["partner", "show", "acme"]) == "partner show"
    assert named_command(["partners", "show"]) == ""
    assert "--frist" not in COMMANDS["partner show"]
    assert FILE.findall("see `booking/lifecycle.py` and `store/sql.py`, not harvest/") == [
        "booking/lifecycle.py",
        "store/sql.py",
    ]
