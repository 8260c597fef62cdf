"""Each command shows examples below its options, and the examples are commands that can be run."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from openbooking.cli import app
from openbooking.cli.examples import _every_example

ROOT: Any = typer.main.get_command(app)
# Help is 80 characters wide if the output is no terminal, with a space at either end.
WIDTH = 78
# Words after which a shell reads no arguments of the command.
SHELL = ("|", ">")


def commands(command: Any = ROOT, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each group and each command below a group, with the words by which it is called."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}".strip())


EVERY = dict(commands())
SINGLE = {path: command for path, command in EVERY.items() if not hasattr(command, "commands")}


def examples(epilog: str) -> list[list[str]]:
    """Return the words of each example."""
    heading, lines = epilog.split("\n", 1)
    assert heading == "Examples:"
    return [words_of(line) for line in lines.replace("\\\n", "").split("\n")]


def words_of(line: str) -> list[str]:
    words = shlex.split(line)
    end = next((number for number, word in enumerate(words) if word in SHELL), len(words))
    return words[:end]


def parse(words: list[str]) -> str:
    """Parse a command line without running it, and return the path of its command."""
    assert words[0] == "openbooking"
    command, context, path, rest = ROOT, ROOT.make_context("openbooking", words[1:]), [], words[1:]
    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        path.append(name)
        context = command.make_context(name, rest, parent=context)
    return " ".join(path)


@pytest.mark.parametrize("path", SINGLE)
def test_each_command_has_examples_of_itself(path: str) -> None:
    epilog = SINGLE[path].epilog
    assert epilog, f"`openbooking {path}` has no examples. Add them to openbooking.cli.examples."
    for words in examples(epilog):
        assert parse(words) == path


@pytest.mark.parametrize("path", sorted(EVERY.keys() - SINGLE.keys()))
def test_each_group_has_examples_of_its_commands(path: str) -> None:
    for words in examples(EVERY[path].epilog):
        assert parse(words).startswith(path)


def test_each_example_is_shown() -> None:
    shown = [example for command in SINGLE.values() for example in examples(command.epilog)]
    assert len(shown) == len(_every_example())


def test_no_example_is_wider_than_a_terminal() -> None:
    assert max(len(line) for command in EVERY.values() for line in command.epilog.split("\n")) <= WIDTH


@pytest.mark.parametrize("path", ["", "order", "seller add"])
def test_both_names_of_the_help_option_show_the_examples(path: str) -> None:
    short, long = (CliRunner().invoke(app, [*path.split(), option]) for option in ("-h", "--help"))
    assert (short.exit_code, short.output) == (0, long.output)
    for line in EVERY[path].epilog.split("\n"):
        assert f" {line} " in short.output


def test_an_example_with_an_unknown_option_is_noticed() -> None:
    with pytest.raises(typer.exceptions.TyperException):
        parse(["openbooking", "sales", "--until", "2026-12-05"])
