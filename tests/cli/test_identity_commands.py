"""The commands about partners that are clients, users, registration tokens and signing keys."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from cli.test_commands import OPENBOOKING, SELLER, add_seller, database, fail, rows, run, succeed
from openbooking.cli.database import with_system
from openbooking.identity.digests import digest
from openbooking.identity.oauth.claims import ClaimWriter
from openbooking.identity.policy import SecondFactorMode
from openbooking.identity.records import Attempts, Authorization, SecondFactor, User
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in.attempt_limits import account_subject
from openbooking.store.documents import decode_seller
from openbooking.system import System
from support.builders import NOW
from support.identity_provider import IDS, POLICY

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


def test_a_redirect_uri_must_be_secure() -> None:
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


@pytest.mark.spec("OB-AUTH-05")
def test_a_grant_for_all_sellers_is_revoked_as_a_whole() -> None:
    """Grants of single Sellers stay and are shown. A Seller that was revoked stays out of a new grant for all."""
    for seller in ("oak", "elm"):
        add_seller(seller)
    succeed("partner", "add", "wide", "--name", "Wide", "--all-sellers")
    succeed("partner", "revoke", "wide", "elm")
    for words, sellers in (
        (("suspend", "wide", "--all-sellers"), "* (suspended),not elm"),
        (("resume", "wide", "--all-sellers"), "*,not elm"),
        (("grant", "wide", "oak"), "*,not elm"),
        (("suspend", "wide", "--seller", "oak"), "*,oak (suspended),not elm"),
        (("resume", "wide", "--seller", "oak"), "*,oak,not elm"),
        (("revoke", "wide", "--all-sellers"), "oak"),
        (("grant", "wide", "--all-sellers"), "*,oak,not elm"),
        (("revoke", "wide", "--all-sellers"), "oak"),
        (("revoke", "wide", "oak"), "none"),
    ):
        assert succeed("partner", *words) == f"Sellers of wide now: {sellers}\n"
        assert succeed("partner", "list").split("\t")[2] == sellers.replace("none", "")


def test_revoking_a_grant_that_does_not_exist_is_an_error() -> None:
    add_seller("oak")
    succeed("partner", "add", "app", "--name", "App", "--redirect-uri", URI)
    for command in ("suspend", "resume", "revoke"):
        assert "has no grant for --all-sellers" in fail(1, "partner", command, "app", "--all-sellers")
        words = ("oak",) if command == "revoke" else ("--seller", "oak")
        assert "has no grant for oak" in fail(1, "partner", command, "app", *words)
        assert "either its key or --all-sellers" in fail(1, "partner", command, "app", *words, "--all-sellers")
    for command in ("grant", "revoke"):
        assert "either its key or --all-sellers" in fail(1, "partner", command, "app")


@pytest.mark.spec("OB-AUTH-20")
def test_redirect_uris_are_changed_and_all_that_is_known_of_a_partner_is_shown() -> None:
    add_seller("oak")
    succeed("partner", "add", "app", "--name", "App", "--seller", "oak", "--contact", "a@b.example")
    shown = [line.split("\t") for line in succeed("partner", "show", "app").splitlines()]
    registered = shown.pop(5)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC, by administrator", registered[1])
    since = shown[-1].pop(3)
    assert registered[1].startswith(since)
    rest = [
        ["state", "active"],
        ["last used", "never"],
        ["Orders", "0"],
        ["Seller", "oak", "active", "administrator", "openactive-openbooking"],
    ]
    known = [["key", "app"], ["name", "App"], ["contact", "a@b.example"]]
    assert shown == [*known, ["credentials", "API key"], ["API key", "last used never"], *rest]
    other = "https://app.example.com/other"
    told = run("partner", "redirect-uris", "app", URI, other)
    assert (told.exit_code, told.stdout) == (0, f"Sellers who have decided about app return to {URI} or {other}.\n")
    assert "new-secret" in told.stderr
    succeed("partner", "new-secret", "app")
    lines = succeed("partner", "show", "app").splitlines()
    assert lines[3:6] == [f"redirect URI\t{URI}", f"redirect URI\t{other}", "credentials\tAPI key, client secret"]
    assert run("partner", "redirect-uris", "app", other).stderr == ""
    assert f"redirect URI\t{URI}" not in succeed("partner", "show", "app")
    assert "https://" in fail(1, "partner", "redirect-uris", "app", URI, "http://app.example.com/cb")
    assert URI not in succeed("partner", "show", "app")
    for command in ("show", "redirect-uris"):
        assert "no Booking Partner other" in fail(1, "partner", command, "other", *([URI] * (command != "show")))


@pytest.mark.spec("OB-AUTH-08")
@pytest.mark.parametrize(
    ("kind", "new", "end"),
    [("API key", "new-key", "end-former-key"), ("client secret", "new-secret", "end-former-secret")],
)
def test_credentials_are_replaced_with_an_overlap(kind: str, new: str, end: str) -> None:
    add_seller("oak")
    way = ("--seller", "oak") if kind == "API key" else ("--redirect-uri", URI)
    succeed("partner", "add", "app", "--name", "App", *way)
    told = run("partner", new, "app", "--overlap-days", "7")
    assert re.fullmatch(r"ob[ks]_\S+\n", told.stdout)
    good = re.fullmatch(rf"The {kind} before stays good (until \d{{4}}-\d\d-\d\d \d\d:\d\d UTC)\.\n", told.stderr)
    assert good
    shown = [f"{kind}\tlast used never", f"former {kind}\t{good[1]}\tlast used never"]
    assert [line for line in succeed("partner", "show", "app").splitlines() if kind in line][1:] == shown
    assert succeed("partner", "list").split("\t")[6:] == [f"former {kind} {good[1]} last used never\n"]
    succeed("partner", end, "app")
    assert "former" not in succeed("partner", "show", "app") + succeed("partner", "list")
    assert f"no former {kind}" in fail(1, "partner", end, "app")
    day = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    assert run("partner", new, "app", "--until", day).stderr == f"The {kind} before stays good until {day} 00:00 UTC.\n"
    for until in ("2001-01-01", "2999-01-01"):
        assert "within the next 366 days" in fail(1, "partner", new, "app", "--until", until)
    assert "either --overlap-days or --until" in fail(1, "partner", new, "app", "--until", day, "--overlap-days", "1")
    assert run("partner", new, "app").stderr == ""
    assert "former" not in succeed("partner", "list")


@pytest.mark.spec("OB-AUTH-08")
def test_a_key_in_use_does_not_end_silently() -> None:
    add_seller("oak")
    succeed("partner", "add", "app", "--name", "App", "--seller", "oak")
    key = succeed("partner", "new-key", "app", "--overlap-days", "7").strip()

    async def use(system: System) -> None:
        await system.authenticate({"authorization": f"Bearer {key}"}, Scope.OPENBOOKING)
        await system.identity.last_use_recorder.wait_until_written()

    with_system(None, use)
    assert re.search(r"^API key\tlast used 20\d\d-", succeed("partner", "show", "app"), re.MULTILINE)
    assert "`openbooking partner end-former-key app`" in fail(1, "partner", "new-key", "app", "--overlap-days", "7")
    succeed("partner", "end-former-key", "app")
    succeed("partner", "new-key", "app", "--overlap-days", "7")


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


def test_unlock_clears_the_guesses_at_an_account(database: Path) -> None:
    add_seller("oak")
    succeed("user", "add", "ann", "--seller", "oak")
    now = datetime.now(UTC)
    attempts = Attempts(subject=account_subject("ann"), failures=9, blocked_until=now, expires=now + timedelta(hours=1))
    values = (attempts.subject, 2**60, 1, msgspec.json.encode(attempts))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO sign_in_attempts VALUES (?, ?, ?, ?)", values)
    assert succeed("user", "unlock", "Ann").startswith("Forgot the wrong guesses at ann.")
    assert rows(database, "SELECT * FROM sign_in_attempts") == []
    assert "no user ben" in fail(1, "user", "unlock", "ben")


def test_a_lost_second_factor_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.spec("OB-AUTH-30")
def test_the_logo_of_a_seller_is_in_its_id_tokens(database: Path) -> None:
    add_seller("oak", logo="https://oak.example/logo.png")
    ((document,),) = rows(database, "SELECT document FROM seller")
    asked = Authorization(
        id="1", partner="app", seller="oak", user="ann", scopes=frozenset({Scope.OPENBOOKING}), issued=NOW, expires=NOW
    )
    claims = ClaimWriter(POLICY, IDS, None).id_token(asked, decode_seller(document), "token", NOW)
    assert claims["https://openactive.io/sellerLogo"] == "https://oak.example/logo.png"
    words = [word for option in SELLER.items() for word in option]
    assert "is no web address" in fail(1, "seller", "add", "elm", *words, "--logo", "logo.png")


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


def test_signing_keys_are_made_and_rotated() -> None:
    succeed("migrate")
    (first,) = (line.split("\t")[0] for line in succeed("signing-key", "list").splitlines())
    assert re.search(r"key (\S+)\.", succeed("signing-key", "rotate"))
    assert first in succeed("signing-key", "list")
    made = re.search(r"key (\S+)\.", succeed("signing-key", "rotate", "--at-once"))
    assert made
    assert [line.split("\t")[0] for line in succeed("signing-key", "list").splitlines()] == [made[1]]


@pytest.mark.parametrize(
    ("access", "header"), [("headers", ""), ("api-key", "X-Partner"), ("openid", "X-Partner"), ("nobody", "")]
)
def test_contradictory_partner_options_are_refused(monkeypatch: pytest.MonkeyPatch, access: str, header: str) -> None:
    monkeypatch.setenv("OPENBOOKING_ACCESS", access)
    monkeypatch.setenv("OPENBOOKING_TRUSTED_PARTNER_HEADER", header)
    assert "access" in fail(2, "serve")


def test_help_is_quick_to_load() -> None:
    """Modules that are slow to load are loaded when they are needed."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", OPENBOOKING, "--help"], capture_output=True, text=True, check=True
    )
    assert not re.search(r"\\b(joserfc|cryptography|sqlalchemy|starlette)$", seen.stderr, re.MULTILINE)
