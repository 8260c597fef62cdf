"""`openbooking user`: add, list and change the people who work for Sellers."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.cli.database import with_system
from openbooking.identity.policy import SecondFactorMode
from openbooking.identity.records import Attempts, SecondFactor, User
from openbooking.identity.sign_in.attempt_limits import account_subject
from openbooking.system import System
from support.command_line import add_seller, fail, rows, run, succeed


@pytest.fixture(autouse=True)
def openid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the Booking System an OpenID provider with TLS."""
    monkeypatch.setenv("OPENBOOKING_ACCESS", "openid")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", "https://booking.example.com")


@pytest.mark.spec("OB-AUTH-29")
def test_users_are_added_listed_and_removed(database: Path) -> None:
    add_seller("oak")
    link = succeed("user", "add", "Ann@Oak.example", "--seller", "oak").strip()
    assert re.fullmatch(r"https://booking\.example\.com/set-password\?link=obl_[\w-]+", link)
    assert link.rpartition("=")[2].encode() not in database.read_bytes()
    succeed("user", "add", "ben", "--seller", "oak", "--role", "staff")
    assert succeed("user", "list") == "ann@oak.example\toak\tmanager\nben\toak\tstaff\n"
    assert "already" in fail(1, "user", "add", "BEN", "--seller", "oak")
    assert "no Seller elm" in fail(1, "user", "add", "eve", "--seller", "elm")
    assert "empty" in fail(1, "user", "add", " ", "--seller", "oak")
    assert succeed("user", "reset-link", "ben").strip() != link
    succeed("user", "remove", "ben")
    assert succeed("user", "list") == "ann@oak.example\toak\tmanager\n"
    for words in (("remove", "ben"), ("reset-link", "ben")):
        assert "no user ben" in fail(1, "user", *words)


def test_the_use_of_a_link_is_told_beside_it() -> None:
    add_seller("oak")
    told = run("user", "add", "Ann", "--seller", "oak").stderr
    assert told == "With this link ann sets a password, once and within three days, while the server runs.\n"


def test_a_user_works_for_several_sellers() -> None:
    for key in ("oak", "elm"):
        add_seller(key)
    succeed("user", "add", "ann", "--seller", "oak")
    said = succeed("user", "add-seller", "Ann", "--seller", "elm", "--role", "staff")
    assert said.startswith("ann is staff of elm now.\nThe link to set a password has ended: ")
    assert succeed("user", "list") == "ann\telm\tstaff\nann\toak\tmanager\n"
    assert "no Seller ash" in fail(1, "user", "add-seller", "ann", "--seller", "ash", "--role", "staff")
    assert "no user ben" in fail(1, "user", "add-seller", "ben", "--seller", "elm", "--role", "staff")
    assert succeed("user", "remove-seller", "ann", "--seller", "oak") == "ann no longer works for oak.\n"
    assert "no user ann" in fail(1, "user", "remove-seller", "ann", "--seller", "oak")
    removed = succeed("user", "remove-seller", "ann", "--seller", "elm")
    assert removed == "ann no longer works for elm, and was removed.\n"
    assert succeed("user", "list") == ""


def test_unlock_forgets_wrong_passwords(database: Path) -> None:
    add_seller("oak")
    succeed("user", "add", "ann", "--seller", "oak")
    now = datetime.now(UTC)
    attempts = Attempts(subject=account_subject("ann"), failures=9, blocked_until=now, expires=now + timedelta(hours=1))
    values = (attempts.subject, 2**60, 1, msgspec.json.encode(attempts))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO sign_in_attempts VALUES (?, ?, ?, ?)", values)
    assert succeed("user", "unlock", "Ann").startswith("Forgot the wrong passwords for ann.")
    assert rows(database, "SELECT * FROM sign_in_attempts") == []
    assert "no user ben" in fail(1, "user", "unlock", "ben")


def test_reset_second_factor_removes_the_second_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_SECOND_FACTOR", "required")
    add_seller("oak")
    succeed("user", "add", "ann", "--seller", "oak")

    async def enrol(system: System) -> None:
        assert system.identity.policy.second_factor is SecondFactorMode.REQUIRED
        (ann,) = await system.identity.store.find(User, name="ann")
        factor = SecondFactor(secret="GEZDGNBVGY3TQOJQ", since=system.clock())
        assert await system.identity.store.save(replace(ann, second_factor=factor))

    with_system(None, enrol)
    assert succeed("user", "list") == "ann\toak\tmanager\tsecond factor\n"
    assert succeed("user", "reset-second-factor", "Ann") == "ann has no second factor now.\n"
    assert succeed("user", "list") == "ann\toak\tmanager\n"
    assert "no user ben" in fail(1, "user", "reset-second-factor", "ben")
    monkeypatch.setenv("OPENBOOKING_SECOND_FACTOR", "sometimes")
    assert "second_factor" in fail(2, "settings")
