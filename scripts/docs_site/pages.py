"""The pages of the documentation site: which files they are, their addresses, and their text with rewritten links."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FRONT_PAGE = "docs/README.md"

_LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
# An item of a numbered list, up to the next line that is not indented.
_LISTED = re.compile(r"^\d+\. (.+(?:\n +.+)*)", re.MULTILINE)
_FENCE = re.compile(r"\s*(```|~~~)")
_ITEM = re.compile(r"( *)([-*]|\d+\.)( +)\S")
_PICTURES = (".jpg", ".png", ".svg", ".webp")
# Python-Markdown recognises the parts of a list item by this indentation.
_INDENT = 4


class BrokenLinkError(Exception):
    """A page links to a file that does not exist, or to a folder without a README."""


def targets(page: str, text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each link of a page to a file of this repository, with the path of the file.

    Args:
        page: The path of the page in the repository.
        text: The text of the page.

    Raises:
        BrokenLinkError: The file does not exist.
    """
    for link in _LINK.finditer(text):
        target = link[1]
        if re.match(r"[a-z]+:", target):
            continue
        path = os.path.normpath(PurePosixPath(page).parent / target)
        if (ROOT / path).is_dir():
            path += "/README.md"
        if path.startswith("..") or not (ROOT / path).is_file():
            raise BrokenLinkError(f"{page} links to {target}, which is no file of this repository.")
        yield link, path


def find_pages() -> dict[str, str]:
    """Return the text of each page by its path in the repository.

    The pages are all of docs/ and of the top folder, and the Markdown files elsewhere to which they link.
    """
    found: dict[str, str] = {}
    files = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
    waiting = [file.relative_to(ROOT).as_posix() for file in files]
    while waiting:
        page = waiting.pop()
        if page not in found:
            found[page] = (ROOT / page).read_text(encoding="utf-8")
            waiting += [path for _, path in targets(page, found[page]) if path.endswith(".md")]
    return found


def address(path: str) -> str:
    """Return the path of a file in the source of the site: a page, a picture or another file to which a page links."""
    if path == FRONT_PAGE:
        return "index.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if not path.endswith(".md"):
        # Browsers show a text, and would download code.
        return f"files/{path}" if path.endswith(_PICTURES) else f"files/{path}.txt"
    return f"project/{path.removesuffix('/README.md').removesuffix('.md').lower()}.md"


def kind(path: str) -> str:
    """Return the kind of a page: its folder below docs/, or `project`."""
    return PurePosixPath(address(path)).parts[0] if path != FRONT_PAGE else ""


def title(text: str) -> str:
    """Return the first heading of a page."""
    return next(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))


def descriptions(front_page: str) -> dict[str, str]:
    """Return the description that the lists of the front page give each page, by its path: the first one of each.

    Args:
        front_page: The text of the front page.
    """
    found: dict[str, str] = {}
    for item in _LISTED.findall(front_page):
        link, _, text = item.partition("): ")
        for _, path in targets(FRONT_PAGE, f"{link})"):
            found.setdefault(path, " ".join(text.split()))
    return found


def rewrite(page: str, text: str, pages: dict[str, str]) -> str:
    """Return the text of a page for the site: the links lead to the addresses of the site, and lists are indented."""
    here = PurePosixPath(address(page)).parent
    for link, path in reversed(list(targets(page, text))):
        if not path.endswith(".md") or path in pages:
            there = os.path.relpath(address(path), here)
            text = f"{text[: link.start()]}]({there}{link[2] or ''}){text[link.end() :]}"
    return _indent_lists(text)


class _Level(NamedTuple):
    """A list item that is open: the columns of its marker and of its text."""

    marker: int
    text: int


def _indent_lists(text: str) -> str:
    """Write lists as Python-Markdown reads them: each level indented by four spaces, a blank line after a paragraph."""
    lines, levels, in_code, is_loose = list[str](), list[_Level](), False, False
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        item = None if in_code else _ITEM.match(line)
        if line and not in_code:
            levels = _open_levels(levels, indent, is_item=item is not None)
        if not line:
            is_loose = bool(levels)
        elif item:
            if is_loose and lines[-1]:
                lines.append("")
            is_loose = False
        lines.append(_moved(line, indent, levels))
        if item and indent < _text_of(levels) + _INDENT:
            levels.append(_Level(indent, indent + len(item[2]) + len(item[3])))
        in_code ^= _FENCE.match(line) is not None
    return "\n".join(lines) + "\n"


def _open_levels(levels: list[_Level], indent: int, *, is_item: bool) -> list[_Level]:
    """Return the levels that a line continues, which begins at a column."""
    return [level for level in levels if indent >= level.text or (indent > level.marker and not is_item)]


def _text_of(levels: list[_Level]) -> int:
    return levels[-1].text if levels else 0


def _moved(line: str, indent: int, levels: list[_Level]) -> str:
    """Return a line that belongs to these levels, indented by four spaces for each of them."""
    return " " * (_INDENT * len(levels)) + line[min(_text_of(levels), indent) :] if line else ""
