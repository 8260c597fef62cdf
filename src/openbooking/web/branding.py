"""The logo and the colours of a Seller on its pages, with accessible contrast by construction (WCAG 2.2, 1.4.3).

A Seller chooses one colour. `light_theme` and `dark_theme` compute from it the colours of links, buttons and the head
of the page, so that each text has a contrast of at least 4.5 to 1, whatever colour was chosen.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from openbooking.booking.model.opportunity import Seller

LEAST_CONTRAST = 4.5
# The surfaces in `templates/tokens.css` on which links and secondary buttons are shown.
LIGHT_SURFACES = ("#fbfaf6", "#f1efe8", "#fbe9e5", "#e5f2e7", "#fcf0d6")
DARK_SURFACES = ("#121917", "#1c2623", "#371d18", "#162c1c", "#30260f")

_BLACK, _WHITE = "#000000", "#ffffff"
_STEPS = 100
# Only an origin of these characters can be a source in a Content-Security-Policy.
_LOGO = re.compile(r"(https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d{1,5})?)/[^\s\"'<>\\]*")


class Theme(NamedTuple):
    """The colours of a Seller in one colour scheme.

    Attributes:
        accent: The colour of links and buttons.
        on_accent: The colour of text on `accent`.
        brand: The background of the head of the page.
        on_brand: The colour of text on `brand`.
    """

    accent: str
    on_accent: str
    brand: str
    on_brand: str


class Logo(NamedTuple):
    """The logo of a Seller: its web address, and the origin from which browsers may load it."""

    url: str
    origin: str


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def light_theme(colour: str) -> Theme:
    """Return the colours for the light scheme; a pale colour is darkened for links and buttons."""
    accent = _readable(colour, _BLACK, LIGHT_SURFACES)
    return Theme(accent, _text_on(accent), colour, _text_on(colour))


def dark_theme(colour: str) -> Theme:
    """Return the colours for the dark scheme; a dark colour is lightened, and the head of the page is not glaring."""
    accent = _readable(colour, _WHITE, DARK_SURFACES)
    return Theme(accent, _text_on(accent), _readable(colour, _BLACK, (_WHITE,)), _WHITE)


def logo_of(seller: Seller) -> Logo | None:
    """Return the published logo of a Seller; None if its address is not one that pages may load pictures from."""
    url = logo_address(seller)
    match = _LOGO.fullmatch(url) if url.isascii() else None
    return Logo(match[0], match[1].lower()) if match else None


def logo_address(seller: Seller) -> str:
    """Return the published web address of the logo of a Seller; empty if there is none."""
    logo = seller.properties.get("logo")
    url = logo.get("url") if isinstance(logo, Mapping) else logo
    return url if isinstance(url, str) else ""


def _readable(colour: str, towards: str, surfaces: Iterable[str]) -> str:
    """Return the colour, mixed with as little of `towards` as makes it readable on all surfaces and they on it."""
    mixed = (_mix(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(found for found in mixed if all(contrast(found, surface) >= LEAST_CONTRAST for surface in surfaces))


def _text_on(colour: str) -> str:
    """Return black or white; the better of them has a contrast of at least 4.58 to any colour."""
    return max((_WHITE, _BLACK), key=lambda text: contrast(text, colour))


def _mix(colour: str, towards: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02x}" for one, other in pairs)


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, from 0 for black to 1 for white."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
