"""The screenshots of the documentation, which a browser takes of the pages as they are."""

import re
from pathlib import Path

from playwright.sync_api import Browser

import screenshots

DOCS = screenshots.IMAGES.parent.parent
MOST_BYTES = 1_000_000
PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


def test_the_documentation_shows_the_screenshots_that_are_taken(browser: Browser, tmp_path: Path) -> None:
    """A page names no picture that is not taken, no picture is taken for nothing, and each one is kept in docs/."""
    made = tmp_path / "made"
    made.mkdir()
    screenshots.take_all(browser, tmp_path, made)
    taken = {path.name for path in made.iterdir() if path.stat().st_size}
    shown = {
        (page.parent / name).resolve()
        for page in DOCS.rglob("*.md")
        for name in PICTURE.findall(page.read_text(encoding="utf-8"))
    }
    assert {path.name for path in shown if path.parent == screenshots.IMAGES.resolve()} == taken
    assert {path.name for path in screenshots.IMAGES.iterdir()} == taken
    assert all(path.exists() for path in shown)


def test_the_screenshots_are_small() -> None:
    assert sum(path.stat().st_size for path in DOCS.rglob("*.webp")) < MOST_BYTES
