"""A reader of a tutorial, who types its commands into a terminal and does its steps in a browser.

The steps are read out of the Markdown. A label is in italics, behind the word that says what to do with it.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from playwright.sync_api import Page

from support.pages.terminal import Terminal

_TUTORIALS = Path(__file__).parents[3] / "docs" / "tutorial"
FIRST_CLUB, FIRST_BOOKING = _TUTORIALS / "first-club.md", _TUTORIALS / "first-booking.md"
# The address that the tutorials name, and their server has by default.
ADDRESS = "127.0.0.1:8000"
_KEY = "obk_…"
_ZONE = ZoneInfo("Europe/London")
_SHOWN_WITHIN_SECONDS = 60.0
_OPEN, _FOLLOW, _PRESS, _CHOOSE, _SHOWS, _TYPE = "open", "follow", "press", "choose", "shows", "type"
_STEP = re.compile(
    rf"\b(?P<verb>{_OPEN}|{_FOLLOW}|{_PRESS}|{_CHOOSE}|{_SHOWS}|and) \*(?P<label>[^*]+)\*"
    rf"|\b(?P<type>{_TYPE}) `(?P<text>[^`]+)` into \*(?P<field>[^*]+)\*"
    r"|\bopen (?:<(?P<address>[^>]+)>|(?P<link>the link))",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"!\[[^\]]+\]\(images/([\w-]+)\.webp\)")
_LINK = re.compile(r"http://\S+/set-password\S+")
_PRINTED_KEY = re.compile(r"^key=(obk_\S+)$", re.MULTILINE)


class Part(NamedTuple):
    """A part of the tutorial: a paragraph, a table, or a block with its language."""

    kind: str
    text: str


class Step(NamedTuple):
    """A step in the browser.

    Attributes:
        verb: The word that says what to do.
        label: The label of the field, link or button; the text that the page shows; or the address to open.
        text: The text to type.
    """

    verb: str
    label: str
    text: str = ""


def parts(markdown: str) -> Iterator[Part]:
    """Yield the parts of a page."""
    for language, code, text in re.findall(
        r"^```(\w+)\n(.*?)^```$|(.+?)(?:\n\n|\Z)", markdown, re.MULTILINE | re.DOTALL
    ):
        is_table = text.startswith("|")
        yield Part(language or ("table" if is_table else "prose"), code or text.strip("\n"))


def steps(prose: str) -> Iterator[Step]:
    """Yield the steps of a paragraph. Each text in italics belongs to a step."""
    text = " ".join(prose.split())
    found = list(_STEP.finditer(text))
    assert text.count("*") == sum(match[0].count("*") for match in found), text
    verb = ""
    for match in found:
        verb = verb if (match["verb"] or "").lower() == "and" else (match["verb"] or match["type"] or _OPEN).lower()
        if match["link"] or match["address"]:
            yield Step("visit", match["address"] or "")
        else:
            yield Step(verb, match["label"] or match["field"], match["text"] or "")


def rows(table: str) -> Iterator[tuple[str, str]]:
    """Yield the names of the fields of a table, and their values."""
    for line in table.splitlines()[2:]:
        label, value = (cell.strip() for cell in line.strip("|").split("|"))
        yield label, value


class Reader:
    """The reader of the tutorial.

    Args:
        page: A window of a browser.
        terminal: The terminal, in an empty folder.
        take_picture: Takes the picture of a page for the tutorial, by its name.
    """

    def __init__(self, page: Page, terminal: Terminal, take_picture: Callable[[Page, str], None]) -> None:
        self._page = page
        self._terminal = terminal
        self._take_picture = take_picture
        self._printed = ""
        self._link = ""

    def follow(self, markdown: str) -> None:
        """Do all steps of the tutorial, in their order."""
        for part in parts(self._here(markdown)):
            match part.kind:
                case "sh":
                    self._printed = self._terminal.run(self._with_key(part.text))
                    self._link = next(iter(_LINK.findall(self._printed)), self._link)
                case "text":
                    _require_lines(part.text, self._printed)
                case "table":
                    for label, value in rows(part.text):
                        self._fill(label, value)
                case _:
                    self._read(part.text)

    def _with_key(self, script: str) -> str:
        """Replace the API key by the key that the server has printed."""
        return (
            script.replace(_KEY, _PRINTED_KEY.findall(self._terminal.server_output())[0]) if _KEY in script else script
        )

    def _here(self, markdown: str) -> str:
        return markdown.replace(ADDRESS, self._terminal.address)

    def _read(self, prose: str) -> None:
        if picture := _PICTURE.fullmatch(prose):
            self._take_picture(self._page, picture[1])
            return
        for step in steps(prose):
            self._do(step)

    def _do(self, step: Step) -> None:
        page = self._page
        match step.verb:
            case "visit":
                page.goto(step.label or self._link)
            case "open":
                page.get_by_role("navigation", name="Menu").get_by_role("link", name=step.label, exact=True).click()
            case "follow":
                page.get_by_role("link", name=_beginning(step.label)).first.click()
            case "press":
                page.get_by_role("button", name=step.label, exact=True).click()
            case "choose":
                page.get_by_label(step.label, exact=True).check()
            case "type":
                page.get_by_label(step.label, exact=True).fill(step.text)
            case _:
                self._wait_for(step.label)

    def _fill(self, label: str, value: str) -> None:
        """Fill in a field. The boxes that it is in are before its label: `Time 1: Start`."""
        name = " of ".join(reversed(label.split(": ")))
        if label.endswith("Days"):
            days = self._page.get_by_role("group", name=name, exact=True)
            for day in value.split(", "):
                days.get_by_label(day, exact=True).check()
        else:
            self._page.get_by_label(name, exact=True).fill(_typed(value))

    def _wait_for(self, text: str) -> None:
        """Load the page again until it shows a text."""
        until = time.monotonic() + _SHOWN_WITHIN_SECONDS
        while text not in (shown := self._page.locator("body").inner_text()):
            assert not self._page.get_by_role("alert").count(), (text, self._page.url, shown)
            assert time.monotonic() < until, (text, self._page.url, shown)
            time.sleep(0.5)
            self._page.reload()


def _beginning(label: str) -> re.Pattern[str]:
    """Return a pattern of the name of a link. Texts that only screen readers read can follow the label."""
    return re.compile(rf"^{re.escape(label)}(?:,|$)")


def _typed(value: str) -> str:
    """Return the text to type for a value of the tutorial."""
    if value != "next Monday":
        return value
    today = datetime.now(_ZONE).date()
    return str(today + timedelta(days=7 - today.weekday()))


def _require_lines(expected: str, printed: str) -> None:
    for line in expected.splitlines():
        assert line in printed, (line, printed)
