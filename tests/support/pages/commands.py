"""The commands of `openbooking` and of `make` on the pages, whether they are run or not."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from openbooking.cli import app
from support.pages.blocks import ROOT, read_blocks

_INLINE = re.compile(r"`((?:openbooking|make) [^`\n]+)`")
_HERE_DOCUMENT = re.compile(r"<<-?\s*'?(\w+)'?(.*?)\n\1$", re.DOTALL | re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*")
_ASSIGNMENT = re.compile(r"[A-Z_a-z]+=.*")
_RUNNERS = frozenset({"uvx", "pipx", "run", "exec", "env", "$"})
_COMMAND: Any = typer.main.get_command(app)
_TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def command_faults(page: Path) -> list[str]:
    """Return what is wrong with the commands of a page: unknown commands, options and targets."""
    return [f"{' '.join(words)}: {fault}" for words in _commands(page) for fault in _faults(words)]


def _commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command in the blocks and in the text of a page."""
    for block in read_blocks(page):
        if block.language == "sh":
            text = _CONTINUED.sub(" ", _HERE_DOCUMENT.sub(r"\2", block.text))
            for line in text.splitlines():
                yield from _simple_commands(line)
    for command in _INLINE.findall(page.read_text(encoding="utf-8")):
        yield from _simple_commands(command)


def _simple_commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command in a line, without assignments and programs that run other programs."""
    if "openbooking" not in line and "make" not in line:
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&`")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();|&`<>"):
            if words and Path(words[0]).name in {"openbooking", "make"}:
                yield [Path(words[0]).name, *words[1:]]
            words = []
        elif words or not (_ASSIGNMENT.fullmatch(word) or word in _RUNNERS):
            words.append(word)


def _faults(words: list[str]) -> Iterator[str]:
    if words[0] == "make":
        yield from (f"no target {word}" for word in words[1:2] if word.isalpha() and word not in _TARGETS)
        return
    command, rest = _COMMAND, words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            yield f"no command {rest[0]}"
            return
        command = command.commands[rest.pop(0)]
    options = {"--help"}.union(*(parameter.opts + parameter.secondary_opts for parameter in command.params))
    given = rest[: rest.index("--")] if "--" in rest else rest
    yield from (
        f"no option {word}"
        for word in given
        if word[1:] and word.startswith("-") and word.partition("=")[0] not in options
    )
