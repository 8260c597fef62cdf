"""Markdown for the generated parts of reference pages."""

import re
from collections.abc import Iterable, Sequence


class UndocumentedError(Exception):
    """Something in the code has no text for its reference page."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Line breaks and bars in its cells are written so that they stay in the cell."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def code(text: object) -> str:
    """Return a text as code."""
    return f"`{text}`"


def codes(texts: Iterable[object]) -> str:
    """Return texts as code, separated by commas."""
    return ", ".join(map(code, texts))


def first_upper(text: str) -> str:
    """Return a text with an upper case letter at its beginning."""
    return text[:1].upper() + text[1:]
