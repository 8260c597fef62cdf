"""The type of what runs a command of a Broker in tests."""

from collections.abc import Callable

from typer.testing import Result

# Called with the name of the command, its further arguments, and what is typed.
Run = Callable[..., Result]
