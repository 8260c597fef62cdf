"""Removal of control characters from text that a terminal shows.

Commands and logs print text from feeds, partners and files. Control characters in the text could clear the screen,
rename the window or fake a line of output.
"""

from collections.abc import Callable
from unicodedata import category

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Control characters, format characters (which reorder text or are invisible), surrogates and line separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean_text(text: str, safe: str = "") -> str:
    """Return the text with U+FFFD for each character that could control a terminal, unless `safe` contains it."""
    return replace_unsafe(text, lambda char: char if char in safe else _REPLACEMENT)


def replace_unsafe(text: str, replacement: Callable[[str], str]) -> str:
    """Return the text with `replacement(character)` for each character that could control a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(replacement(char) if category(char) in _UNSAFE_CATEGORIES else char for char in text)
