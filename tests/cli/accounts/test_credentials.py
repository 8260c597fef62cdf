"""The commands of `openbooking partner` that replace and end API keys and client secrets."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.accounts.test_partners import partners
from openbooking.cli.database import with_system
from openbooking.identity.digests import digest
from openbooking.identity.scopes import Scope
from openbooking.system import System
from support.command_line import add_seller, fail, rows, run, succeed


def test_a_new_key_replaces_the_old_one(database: Path) -> None:
    first = succeed("partner", "add", "app", "--name", "App", "--all-sellers").strip()
    second = succeed("partner", "new-key", "app").strip()
    assert first != second
    assert rows(database, "SELECT api_key_digest FROM partner") == [(digest(second),)]
    assert partners() == [["app", "App", "*"]]


URI = "https://app.example.com/cb"


@pytest.mark.spec("OB-AUTH-08")
def test_a_new_secret_replaces_the_old_one(database: Path) -> None:
    old = succeed("partner", "add", "app", "--name", "App", "--redirect-uri", URI).strip()
    new = succeed("partner", "new-secret", "app").strip()
    ((document,),) = rows(database, "SELECT document FROM partner")
    assert digest(new).encode() in document
    assert digest(old).encode() not in document
    assert "no Booking Partner other" in fail(1, "partner", "new-secret", "other")


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
    good = re.fullmatch(rf"The former {kind} stays valid (until \d{{4}}-\d\d-\d\d \d\d:\d\d UTC)\.\n", told.stderr)
    assert good
    shown = [f"{kind}\tlast used never", f"former {kind}\t{good[1]}\tlast used never"]
    assert [line for line in succeed("partner", "show", "app").splitlines() if kind in line][1:] == shown
    assert succeed("partner", "list").split("\t")[6:] == [f"former {kind} {good[1]} last used never\n"]
    succeed("partner", end, "app")
    assert "former" not in succeed("partner", "show", "app") + succeed("partner", "list")
    assert f"no former {kind}" in fail(1, "partner", end, "app")
    day = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    assert (
        run("partner", new, "app", "--until", day).stderr == f"The former {kind} stays valid until {day} 00:00 UTC.\n"
    )
    for until in ("2001-01-01", "2999-01-01"):
        assert "within the next 366 days" in fail(1, "partner", new, "app", "--until", until)
    assert "either --overlap-days or --until" in fail(1, "partner", new, "app", "--until", day, "--overlap-days", "1")
    assert run("partner", new, "app").stderr == ""
    assert "former" not in succeed("partner", "list")


@pytest.mark.spec("OB-AUTH-08")
def test_new_key_refuses_to_end_a_former_key_in_use() -> None:
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
