"""The code blocks of a Markdown page, and the comments in the page that say how the blocks are run.

A block is fenced, with the name of its language, or indented by four spaces; an indented block is for a shell. These
comments are instructions for the tests, which readers do not see:

- `<!-- stage: demo -->` names the surroundings of the blocks that follow (`support.pages.stages`).
- `<!-- sh: … -->` and `<!-- python: … -->` are blocks that only the tests run, `<!-- text: … -->` is what they print.
- `<!-- test: FILE -->` names the file of the test that runs the next block.
- `<!-- typed: … -->` is the text that the reader types while the next block runs.
- `<!-- file: NAME -->` is the name under which the reader saves the next block, unless its first line is `# NAME`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
_COMMENT = re.compile(r" *<!-- (?P<language>stage|sh|python|text|typed|file|test):\s(?P<text>.*?)\s*-->", re.DOTALL)
_FENCE = re.compile(
    r"(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_INDENTED = re.compile(r"(?:(?: {4,}[^\n]*)?\n)+")
_LIST_ITEM = re.compile(r" +(?:[-*]|\d+\.) ")
_FILE_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")


class Block(NamedTuple):
    """A block of a page.

    Attributes:
        page: The path of the page below the root of the repository.
        line: The number of its first line.
        language: The language, the kind of a comment, or nothing.
        text: The content.
        is_hidden: Whether readers do not see the block.
    """

    page: str
    line: int
    language: str
    text: str
    is_hidden: bool = False

    @property
    def first_line(self) -> str:
        """The first line, which names the block within its page."""
        return self.text.strip().partition("\n")[0]

    @property
    def file_name(self) -> str | None:
        """The name in the first line, under which the reader saves the block."""
        named = _FILE_NAME.match(self.text)
        return named[1] if named else None


def pages() -> list[Path]:
    """Return the pages whose blocks are run."""
    found = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
    return sorted({page for page in found if page.parts[len(ROOT.parts)] not in {"tests", "build"}})


def name_of(page: Path) -> str:
    """Return the path of a page below the root of the repository."""
    return str(page.relative_to(ROOT) if page.is_relative_to(ROOT) else page)


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    return list(_blocks(name_of(page), page.read_text(encoding="utf-8")))


def _blocks(page: str, text: str) -> Iterator[Block]:
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        if found := _FENCE.match(text, at):
            yield Block(page, line + 1, found["language"], dedent(found["text"]))
        elif found := _COMMENT.match(text, at):
            yield Block(page, line, found["language"], found["text"] + "\n", is_hidden=True)
        elif text.startswith("\n    ", at) and not _LIST_ITEM.match(text, at + 1):
            found = _INDENTED.match(text, at + 1)
            if found:
                yield Block(page, line + 1, "sh", dedent(found[0]).strip("\n") + "\n")
        at = text.find("\n", found.end() - 1 if found else at) + 1 or len(text)
