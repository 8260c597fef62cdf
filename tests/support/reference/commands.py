"""The help text of every command, as a terminal of fixed width shows it."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import typer
from typer.testing import CliRunner

from openbooking.cli import app

# The least width at which no name of a setting is broken.
_WIDTH = 108


def command_helps() -> str:
    """Return a section for each command with its help."""
    return "\n".join(_section(words) for words in command_names())


def command_names() -> list[tuple[str, ...]]:
    """Return the words of every command after `openbooking`; no words for `openbooking` itself."""
    return list(_walk(typer.main.get_command(app), ()))


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, (*words, name))


def _section(words: tuple[str, ...]) -> str:
    heading = f"{'#' * min(len(words) + 2, 4)} {' '.join(('openbooking', *words))}"
    return f"{heading}\n\n```text\n{help_of(words)}\n```\n"


def help_of(words: tuple[str, ...]) -> str:
    """Return what `openbooking … --help` prints."""
    # The environment of the tests must not decide the width, and whether there are colours.
    with patch.multiple("typer.rich_utils", MAX_WIDTH=_WIDTH, FORCE_TERMINAL=False, COLOR_SYSTEM=None):
        shown = CliRunner().invoke(app, [*words, "--help"], prog_name="openbooking")
    assert shown.exit_code == 0, shown.output
    return "\n".join(line.rstrip() for line in shown.output.strip("\n").splitlines()).strip("\n")
