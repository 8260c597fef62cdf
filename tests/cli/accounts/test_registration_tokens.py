"""`openbooking registration-token`: add, list and revoke tokens."""

import re
from pathlib import Path

import pytest

from support.command_line import fail, succeed


@pytest.fixture(autouse=True)
def openid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the Booking System an OpenID provider with TLS."""
    monkeypatch.setenv("OPENBOOKING_ACCESS", "openid")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", "https://booking.example.com")


@pytest.mark.spec("OB-AUTH-33")
def test_registration_tokens_are_added_listed_and_revoked(database: Path) -> None:
    token = succeed("registration-token", "add", "Acme", "--days", "7", "--uses", "3").strip()
    assert token.startswith("obi_")
    assert token.encode() not in database.read_bytes()
    link = succeed("registration-token", "add", "Apex", "--link").strip()
    assert link.startswith("https://booking.example.com/registration?token=obi_")
    first, second = (line.split("\t") for line in succeed("registration-token", "list").splitlines())
    assert (first[0], first[2], first[4]) == ("Acme", "0", "3")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first[3])
    assert (second[0], *second[2:]) == ("Apex", "0", "-", "-")
    assert "already" in fail(1, "registration-token", "add", "Acme")
    succeed("registration-token", "revoke", "Acme")
    assert len(succeed("registration-token", "list").splitlines()) == 1
    assert "no token for Acme" in fail(1, "registration-token", "revoke", "Acme")
