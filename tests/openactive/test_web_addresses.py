"""Web addresses are HTTP or HTTPS URLs."""

import pytest

from openbooking.openactive.web_addresses import is_web_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/", True),
        ("http://example.com/", True),
        (" HTTPS://EXAMPLE.COM/", True),
        ("", False),
        ("example.com", False),
        ("//example.com/", False),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("mailto:a@example.com", False),
    ],
)
def test_a_web_address_has_the_scheme_http_or_https(text: str, expected: bool) -> None:
    assert is_web_address(text) is expected
