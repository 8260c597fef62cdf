"""`openbooking partner`: add Booking Partners, and grant, suspend and revoke."""

import re
from pathlib import Path

import pytest

from openbooking.identity.digests import digest
from support.command_line import SELLER_OPTIONS, add_seller, fail, rows, run, succeed


def partners() -> list[list[str]]:
    """Return the key, name and Sellers of each partner."""
    return [line.split("\t")[:3] for line in succeed("partner", "list").splitlines()]


def test_a_key_that_identifiers_cannot_contain_is_refused() -> None:
    assert "cannot be a key" in fail(1, "seller", "add", "a/b", *SELLER_OPTIONS)
    assert "cannot be a key" in fail(1, "partner", "add", "a b", "--name", "A", "--all-sellers")


def test_only_the_digest_of_an_api_key_is_stored(database: Path) -> None:
    add_seller("willow")
    api_key = succeed("partner", "add", "app", "--name", "App", "--seller", "willow").strip()
    assert rows(database, "SELECT key, api_key_digest FROM partner") == [("app", digest(api_key))]
    assert api_key.encode() not in database.read_bytes()
    assert partners() == [["app", "App", "willow"]]


def test_the_use_of_a_new_key_is_told_beside_it() -> None:
    add_seller("willow")
    told = run("partner", "add", "app", "--name", "App", "--seller", "willow").stderr
    assert told == "Send this API key to App. It cannot be printed again.\n"
    told = run("partner", "add", "site", "--name", "Site", "--redirect-uri", "https://site.example/cb").stderr
    assert told == "Send this client secret to Site. It cannot be printed again.\n"


def test_partner_add_needs_sellers_or_all_sellers() -> None:
    assert "--all-sellers" in fail(1, "partner", "add", "app", "--name", "App")
    assert "--all-sellers" in fail(1, "partner", "add", "app", "--name", "App", "--seller", "a", "--all-sellers")
    succeed("partner", "add", "app", "--name", "App", "--all-sellers")
    assert partners() == [["app", "App", "*"]]


def test_a_partner_needs_a_new_key_and_existing_sellers() -> None:
    succeed("partner", "add", "app", "--name", "App", "--all-sellers")
    assert "already" in fail(1, "partner", "add", "app", "--name", "Other", "--all-sellers")
    assert "no Seller nobody" in fail(1, "partner", "add", "other", "--name", "Other", "--seller", "nobody")
    assert partners() == [["app", "App", "*"]]


def test_grant_and_revoke_change_the_sellers_of_a_partner() -> None:
    add_seller("oak")
    add_seller("willow")
    succeed("partner", "add", "app", "--name", "App", "--seller", "oak")
    succeed("partner", "grant", "app", "willow")
    assert partners() == [["app", "App", "oak,willow"]]
    succeed("partner", "revoke", "app", "oak")
    assert partners() == [["app", "App", "willow"]]
    assert "no Seller nobody" in fail(1, "partner", "grant", "app", "nobody")
    assert "no Booking Partner other" in fail(1, "partner", "revoke", "other", "oak")


def test_revoking_one_seller_keeps_the_grant_for_all_others() -> None:
    add_seller("oak")
    add_seller("willow")
    succeed("partner", "add", "app", "--name", "App", "--all-sellers")
    succeed("partner", "revoke", "app", "oak")
    assert partners() == [["app", "App", "*,not oak"]]


URI = "https://app.example.com/cb"


@pytest.mark.spec("OB-AUTH-04", "OB-AUTH-20")
def test_only_the_digest_of_a_client_secret_is_stored(database: Path) -> None:
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


@pytest.mark.spec("OB-AUTH-21")
def test_suspend_and_resume_apply_to_a_partner_or_to_one_seller() -> None:
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
    """The grant of a single Seller stays. A new grant for all Sellers excludes a Seller whose grant was revoked."""
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
def test_partner_show_prints_each_property_and_new_redirect_uris() -> None:
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
    assert (told.exit_code, told.stdout) == (0, f"People return to {URI} or {other} after they decide about app.\n")
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
