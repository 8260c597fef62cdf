"""`openbooking signing-key`: list and rotate the keys that sign tokens."""

import re

import pytest

from support.command_line import succeed


@pytest.fixture(autouse=True)
def openid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the Booking System an OpenID provider with TLS."""
    monkeypatch.setenv("OPENBOOKING_ACCESS", "openid")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", "https://booking.example.com")


def test_signing_keys_are_made_and_rotated() -> None:
    succeed("migrate")
    (first,) = (line.split("\t")[0] for line in succeed("signing-key", "list").splitlines())
    assert re.search(r"key (\S+)\.", succeed("signing-key", "rotate"))
    assert first in succeed("signing-key", "list")
    made = re.search(r"key (\S+)\.", succeed("signing-key", "rotate", "--at-once"))
    assert made
    assert [line.split("\t")[0] for line in succeed("signing-key", "list").splitlines()] == [made[1]]
