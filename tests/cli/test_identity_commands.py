"""The commands about partners that are clients, users, registration tokens and signing keys."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.test_commands import OPENBOOKING, add_seller, database, fail, rows, succeed
from openbooking.identity.digests import digest

__all__ = ["database"]

URI = "https://app.example.com/cb"


@pytest.fixture(autouse=True)
def openid(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OpenID provider behind TLS."""
    monkeypatch.setenv("OPENBOOKING_ACCESS", "openid")
    monkeypatch.setenv("OPENBOOKING_SITE_URL", "https://booking.example.com")


@pytest.mark.spec("OB-AUTH-04", "OB-AUTH-20")
def test_a_client_gets_a_secret_of_which_only_the_digest_is_kept(database: Path) -> None:
    secret = succeed("partner", "add", "app", "--name", "App", "--redirect-uri", URI, "--contact", "a@b.example")
    assert secret.startswith("obs_")
    ((document,),) = rows(database, "SELECT document FROM partner")
    assert digest(secret.strip()).encode() in document
    assert b"a@b.example" in document
    assert secret.strip().encode() not in database.read_bytes()
    assert succeed("partner", "list") == "app\tApp\t\tactive\t0\tnever\n"


def test_a_redirect_uri_has_to_be_one() -> None:
    refusal = fail(1, "partner", "add", "app", "--name", "App", "--redirect-uri", "http://app.example.com/cb")
    assert "https://" in refusal


@pytest.mark.spec("OB-AUTH-08")
def test_a_new_secret_replaces_the_old_one(database: Path) -> None:
    old = succeed("partner", "add", "app", "--name", "App", "--redirect-uri", URI).strip()
    new = succeed("partner", "new-secret", "app").strip()
    ((document,),) = rows(database, "SELECT document FROM partner")
    assert digest(new).encode() in document
    assert digest(old).encode() not in document
    assert "no Booking Partner other" in fail(1, "partner", "new-secret", "other")


@pytest.mark.spec("OB-AUTH-21")
def test_partners_and_sellers_are_suspended_and_resumed() -> None:
    add_seller("oak")
    succeed("partner", "add", "app", "--name", "App", "--seller", "oak")
    for words, shown in (
        (("suspend", "app", "--seller", "oak"), "app\tApp\toak (suspended)\tactive\t0\tnever\n"),
        (("resume", "app", "--seller", "oak"), "app\tApp\toak\tactive\t0\tnever\n"),
        (("suspend", "app"), "app\tApp\toak\tsuspended\t0\tnever\n"),
        (("resume", "app"), "app\tApp\toak\tactive\t0\tnever\n"),
        (("revoke", "app", "oak"), "app\tApp\t\tactive\t0\tnever\n"),
    ):
        succeed("partner", *words)
        assert succeed("partner", "list") == shown
    assert "no Booking Partner other" in fail(1, "partner", "suspend", "other")


@pytest.mark.spec("OB-AUTH-29")
def test_users_come_and_go(database: Path) -> None:
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


@pytest.mark.spec("OB-AUTH-33")
def test_registration_tokens_come_and_go(database: Path) -> None:
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


def test_signing_keys_are_made_and_replaced() -> None:
    (first,) = (line.split("\t")[0] for line in succeed("signing-key", "list").splitlines())
    assert re.search(r"key (\S+)\.", succeed("signing-key", "rotate"))
    assert first in succeed("signing-key", "list")
    made = re.search(r"key (\S+)\.", succeed("signing-key", "rotate", "--at-once"))
    assert made
    assert [line.split("\t")[0] for line in succeed("signing-key", "list").splitlines()] == [made[1]]


@pytest.mark.parametrize(
    ("access", "header"), [("headers", ""), ("api-key", "X-Partner"), ("openid", "X-Partner"), ("nobody", "")]
)
def test_ways_in_that_make_no_sense_are_refused(monkeypatch: pytest.MonkeyPatch, access: str, header: str) -> None:
    monkeypatch.setenv("OPENBOOKING_ACCESS", access)
    monkeypatch.setenv("OPENBOOKING_TRUSTED_PARTNER_HEADER", header)
    assert "access" in fail(2, "serve")


def test_help_is_quick_to_load() -> None:
    """What takes long to load is loaded when it is needed."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", OPENBOOKING, "--help"], capture_output=True, text=True, check=True
    )
    assert not re.search(r"\\b(joserfc|cryptography|sqlalchemy|starlette)$", seen.stderr, re.MULTILINE)
