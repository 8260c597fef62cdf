"""The colours and the logo of a Seller: contrast of at least 4.5 to 1 for any colour, and safe addresses only."""

import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.model.colours import InvalidColourError, parse_colour
from openbooking.web.branding import (
    DARK_SURFACES,
    LEAST_CONTRAST,
    LIGHT_SURFACES,
    Theme,
    contrast,
    dark_theme,
    light_theme,
    logo_of,
)
from support.parties import CENTRE

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def tokens() -> tuple[dict[str, str], dict[str, str]]:
    """Return the colours of the light and of the dark scheme in the stylesheet."""
    css = (files("openbooking.web") / "templates" / "tokens.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    every = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in (light, dark)]
    return every[0], {**every[0], **every[1]}


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


def worst_contrast(theme: Theme, surfaces: tuple[str, ...]) -> float:
    pairs = [(theme.accent, surface) for surface in surfaces]
    return min(contrast(*pair) for pair in [*pairs, (theme.accent, theme.on_accent), (theme.brand, theme.on_brand)])


@given(COLOURS)
@example("#000000")
@example("#ffffff")
@example("#777777")
@example("#ffcc00")
def test_any_colour_has_readable_text_in_both_schemes(colour: str) -> None:
    assert worst_contrast(light_theme(colour), LIGHT_SURFACES) >= LEAST_CONTRAST
    assert worst_contrast(dark_theme(colour), DARK_SURFACES) >= LEAST_CONTRAST


def test_a_colour_that_is_readable_stays_as_it_is() -> None:
    assert light_theme("#0b5d4e") == Theme("#0b5d4e", "#ffffff", "#0b5d4e", "#ffffff")
    assert dark_theme("#6fd3bd").accent == "#6fd3bd"
    assert light_theme("#ffcc00").brand == "#ffcc00"


def test_the_surfaces_are_those_of_the_stylesheet() -> None:
    names = ("paper", "raised", "wrong-soft", "good-soft", "warn-soft")
    for scheme, surfaces in zip(tokens(), (LIGHT_SURFACES, DARK_SURFACES), strict=True):
        assert tuple(scheme[name] for name in names) == surfaces


@pytest.mark.parametrize("scheme", [0, 1])
def test_the_colours_of_the_stylesheet_are_readable(scheme: int) -> None:
    colours = tokens()[scheme]
    for surface in ("paper", "raised", "wrong-soft", "good-soft", "warn-soft"):
        for text in ("ink", "quiet", "accent", "wrong"):
            assert contrast(colours[text], colours[surface]) >= LEAST_CONTRAST, (text, surface)
    assert contrast(colours["accent"], colours["on-accent"]) >= LEAST_CONTRAST
    assert contrast(colours["brand"], colours["on-brand"]) >= LEAST_CONTRAST
    assert contrast(colours["line"], colours["paper"]) >= 3
    assert contrast(colours["line"], colours["raised"]) >= 3


@pytest.mark.parametrize(
    ("logo", "origin"),
    [
        ({"@type": "ImageObject", "url": "https://cdn.example.com/a/logo.svg?v=2"}, "https://cdn.example.com"),
        ("https://CDN.example.com:8443/logo.png", "https://cdn.example.com:8443"),
        ("https://cdn.example.com", None),
        ("http://cdn.example.com/logo.png", None),
        ("https://cdn.example.com; script-src */x", None),
        ("https://cdn.example.com,x/logo.png", None),
        ("https://*.example.com/logo.png", None),
        ("https://user@cdn.example.com/logo.png", None),
        ("https://localhost/logo.png", None),
        ("https://cdn.example.com/a b.png", None),
        ("data:image/png;base64,AAAA", None),
        ("javascript:alert(1)", None),
        ({"url": 7}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_logo_is_shown_only_from_a_safe_address(logo: Any, origin: str | None) -> None:
    found = logo_of(replace(CENTRE, properties={"logo": logo}))
    assert (found and found.origin) == origin


@pytest.mark.parametrize("text", ["", "red", "#fff", "#0b5d4e;", "#0b5d4g", "0b5d4e", "#0b5d4e\n}"])
def test_other_texts_are_no_colours(text: str) -> None:
    with pytest.raises(InvalidColourError):
        parse_colour(text)


def test_a_colour_is_written_in_lower_case() -> None:
    assert parse_colour(" #0B5D4E ") == "#0b5d4e"
