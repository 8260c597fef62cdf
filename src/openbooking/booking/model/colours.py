"""Colours that Sellers choose for their pages."""

import re

from openbooking.user_error import UserError

_COLOUR = re.compile(r"#[0-9a-f]{6}")


class InvalidColourError(UserError):
    """The text is no colour."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no colour: write # and six hexadecimal digits, such as #0b5d4e.")


def is_colour(text: str) -> bool:
    """Return whether the text is `#` and six hexadecimal digits."""
    return bool(_COLOUR.fullmatch(text.strip().lower()))


def parse_colour(text: str) -> str:
    """Return a colour as `#` and six hexadecimal digits in lower case.

    Raises:
        InvalidColourError: The text is no such colour.
    """
    if not is_colour(text):
        raise InvalidColourError(text)
    return text.strip().lower()
