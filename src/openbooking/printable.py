"""Text that a terminal shows and does not obey.

Commands and logs print text from feeds, partners and files. Control characters in it could clear the screen, rename the
window or show a line that nobody wrote.
"""

from collections.abc import Callable
from unicodedata import category

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Control and format characters (which reorder text, or hide in it), halves of a character, and ends of lines.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean_text(text: str, safe: str = "") -> str:
    """The text with U+FFFD for each character that a terminal may obey instead of showing it; `safe` ones stay."""
    return replace_unsafe(text, lambda char: char if char in safe else _REPLACEMENT)


def replace_unsafe(text: str, replacement: Callable[[str], str]) -> str:
    """The text with something else for each character that a terminal may obey instead of showing it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(replacement(char) if category(char) in _UNSAFE_CATEGORIES else char for char in text)
