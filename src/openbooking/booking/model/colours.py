"""Colours that Sellers choose for their pages."""

import re

from openbooking.user_error import UserError

_COLOUR = re.compile(r"#[0-9a-f]{6}")


class InvalidColourError(UserError):
    """The text is no colour."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no colour: write # and six hexadecimal digits, such as #0b5d4e.")


def parse_colour(text: str) -> str:
    """Return a colour as `#` and six hexadecimal digits in lower case.

    Raises:
        InvalidColourError: The text is no such colour.
    """
    colour = text.strip().lower()
    if not _COLOUR.fullmatch(colour):
        raise InvalidColourError(text)
    return colour
