"""The tutorial: its commands and the steps on its pages, from an empty database to the first quotes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import screenshots
from support.browsers.tutorial import FIRST_CLUB, Step, steps

MOST_BYTES = 250_000


def test_the_tutorial_leads_from_an_empty_database_to_the_first_quotes(browser: Browser, tmp_path: Path) -> None:
    """The commands work, the pages have the named fields and buttons, and each page is photographed as it was seen."""
    made = tmp_path / "made"
    made.mkdir()
    screenshots.follow_tutorial(browser, tmp_path, made)
    taken = {path.name for path in made.iterdir() if path.stat().st_size}
    assert {path.name for path in screenshots.TUTORIAL_IMAGES.iterdir()} == taken


def test_the_screenshots_of_the_tutorial_are_small() -> None:
    assert sum(path.stat().st_size for path in screenshots.TUTORIAL_IMAGES.iterdir()) < MOST_BYTES


def test_each_label_of_the_tutorial_belongs_to_a_step() -> None:
    assert list(steps("Open *A* in the menu, type `b` into *B*, and press *C*. The page shows *D* and *E*.")) == [
        Step("open", "A"),
        Step("type", "B", "b"),
        Step("press", "C"),
        Step("shows", "D"),
        Step("shows", "E"),
    ]
    with pytest.raises(AssertionError, match="Look at"):
        list(steps("Look at *A*."))
    assert len(re.findall(r"\*[^*]+\*", FIRST_CLUB.read_text(encoding="utf-8"))) > 30
