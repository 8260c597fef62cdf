"""A reader of a page, who runs its blocks one after the other."""

import asyncio
import inspect
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir
from pathlib import Path

from support.pages.blocks import ROOT, Block
from support.pages.readable import check_http, check_json, check_toml
from support.pages.stages import FOLDER, Stage
from support.pages.terminal import server_of

# Comments about the next block.
_NOTES = frozenset({"typed", "file", "test"})
# Files that the reader only saves, and layouts such as trees of folders, which have no language.
_SAVED = frozenset({"csv", "html", "ics", ""})


def sections(blocks: Iterable[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Yield the stages of a page in their order, each with its blocks."""
    stage, section = FOLDER, list[Block]()
    for block in blocks:
        if block.language == "stage":
            yield stage, section
            stage, section = block.text.strip(), []
        else:
            section.append(block)
    yield stage, section


class Reader:
    """The reader of a page.

    Args:
        stage: The surroundings of the page.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._folder = stage.terminal.folder
        self._printed: str | None = None
        self._notes: dict[str, str] = {}
        self._names = {"__name__": "page", **stage.names}
        self._readers: dict[str, Callable[[Block, str], None]] = {
            "sh": self._run,
            "python": self._execute,
            "text": self._compare,
            "http": lambda _, text: check_http(text),
            "json": lambda _, text: check_json(text),
            "toml": lambda _, text: check_toml(text, self._folder / "checked.toml"),
        }

    def read(self, block: Block) -> None:
        """Do what the reader of the page does with a block."""
        text = self._stage.as_typed(block.text)
        if block.language in _NOTES:
            self._notes[block.language] = text
            return
        if "test" not in self._notes:
            self._read(block, text)
        self._notes = {}

    def _read(self, block: Block, text: str) -> None:
        file_name = self._notes.get("file", block.file_name or "").strip()
        if file_name:
            self._save(file_name, text)
        if block.language in _SAVED or (file_name and block.language in {"python", "sh"}):
            return
        self._readers.get(block.language, _require_excerpt)(block, text)

    def _save(self, name: str, text: str) -> None:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _run(self, _: Block, text: str) -> None:
        server = server_of(text)
        runs_already = self._stage.is_served and server == text.strip() and server.startswith("openbooking ")
        if not runs_already:
            self._printed = self._stage.terminal.run(text, self._notes.get("typed", ""))

    def _execute(self, block: Block, text: str) -> None:
        """Run Python code. Code of the tests may wait for coroutines."""
        flags = PyCF_ALLOW_TOP_LEVEL_AWAIT if block.is_hidden else 0
        code = compile(text, f"{block.page}:{block.line}", "exec", flags=flags)
        with chdir(self._folder):
            result = eval(code, self._names)  # noqa: S307 - the documentation is ours
            if inspect.iscoroutine(result):
                asyncio.run(result)

    def _compare(self, _: Block, text: str) -> None:
        """Look for each line in what was printed last, if the section has run something."""
        printed = self._printed
        if printed is not None:
            for line in text.splitlines():
                assert line in printed, (line, printed)


def _require_excerpt(block: Block, _: str) -> None:
    """Require that a block in another language is a part of a file in `deploy/` or `examples/`, which have tests."""
    lines = {line.strip() for line in block.text.splitlines()}
    files = [file for folder in ("deploy", "examples") for file in (ROOT / folder).rglob("*") if file.is_file()]
    assert any(lines <= _lines(file) for file in files), f"{block.page}:{block.line} is no part of a tested file"


def _lines(file: Path) -> set[str]:
    """Return the lines of a file without their indents. An empty line is in each file."""
    return {"", *(line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines())}
