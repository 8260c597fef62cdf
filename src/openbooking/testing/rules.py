"""Adds a note to each failure of the kit: the section of the documentation that has the broken rule."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

PAGE = "docs/how-to/write-a-store.md"

T = TypeVar("T")


def rule(heading: str) -> Callable[[type[T]], type[T]]:
    """Return a class decorator, with which failures of the tests of a class name this section of the documentation."""

    def decorate(tests: type[T]) -> type[T]:
        for name, test in list(vars(tests).items()):
            if name.startswith("test_"):
                setattr(tests, name, _noting(test, heading))
        return tests

    return decorate


def _noting(test: Callable[..., None], heading: str) -> Callable[..., None]:
    """Return the test wrapped, so that its failures get a note. The attribute `documented_in` is the heading."""

    @wraps(test)
    def run(*arguments: Any, **fixtures: Any) -> None:
        try:
            test(*arguments, **fixtures)
        except Exception as failure:
            failure.add_note(f'The rule is documented in {PAGE}, section "{heading}".')
            raise

    vars(run)["documented_in"] = heading
    return run
