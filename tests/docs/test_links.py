"""What the documentation points at is there: pictures, other pages, and the tests that show each line of some."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "conformance" / "README.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_every_picture_is_shown_and_described() -> None:
    shown = set()
    for page in PAGES:
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert len(words.split()) > 3, target
            shown.add((page.parent / target).resolve())
    assert shown == {path.resolve() for path in (ROOT / "docs").rglob("*.png")}


@pytest.mark.parametrize("page", ["security", "reliability"])
def test_each_line_of_security_and_reliability_names_a_test_that_there_is(page: str) -> None:
    text = (ROOT / "docs" / "explanation" / f"{page}.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.endswith("| test |")]
    named = re.findall(r"\| (\S+\.py)::(test_\w+) \|$", text, re.MULTILINE)
    assert len(named) == len(rows) > 20
    for file, test in named:
        assert re.search(
            rf"^(?:async )?def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE
        )
