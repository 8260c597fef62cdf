"""Settings and files that the documentation names exist. `test_blocks.py` does the same for commands and targets."""

import re
from pathlib import Path

import pytest

from openbooking.settings import Settings, describe_settings
from openbooking.settings.definitions import settings_in_files
from openbooking.settings.loading import SANDBOX_VARIABLES
from support.pages.blocks import read_blocks

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
    # The reader of a tutorial makes folders of its own.
    made = {Path(block.text.strip()).parts[0] for block in read_blocks(page) if block.language == "file"}
    missing = {file for file in named if not any((folder / file).exists() for folder in FOLDERS)}
    assert {file for file in missing if Path(file).parts[0] not in made} == set()


def test_the_names_of_files_are_found() -> None:
    assert FILE.findall("see `booking/lifecycle.py` and `store/sql.py`, not harvest/") == [
        "booking/lifecycle.py",
        "store/sql.py",
    ]
