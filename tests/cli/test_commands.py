"""The commands other than `demo` and `import`."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from typer.testing import CliRunner, Result

from openbooking import __version__
from openbooking.cli import app
from openbooking.identity.digests import digest
from openbooking.settings import Settings

OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))
SELLER = {
    "--name": "Willow Studio",
    "--legal-name": "Willow Movement Ltd",
    "--tax-mode": "net",
    "--email": "hello@willow.example.com",
    "--url": "https://willow.example.com/",
    "--street": "22a Canal Street",
    "--locality": "Oxford",
    "--region": "Oxfordshire",
    "--postcode": "OX2 6ZZ",
}


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of all commands of this module."""
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "openbooking.sqlite3"
    monkeypatch.setenv("OPENBOOKING_DATABASE", str(path))
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def succeed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(status: int, *arguments: str) -> str:
    """Run a command that fails; return its one line of standard error."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("openbooking: ")
    return line


def add_seller(key: str, **changes: str) -> str:
    options = SELLER | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return succeed("seller", "add", key, *(word for option in options.items() for word in option))


def rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


def partners() -> list[list[str]]:
    """Return the key, name and Sellers of each partner."""
    return [line.split("\t")[:3] for line in succeed("partner", "list").splitlines()]


def read_screen(screen: FileIO) -> bytes:
    """Return the next output on a terminal. At its end Linux reports an error."""
    try:
        return screen.read(1024)
    except OSError:
        return b""


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the ids of the serving processes among the children of a process."""
    found = []
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split():
        with suppress(FileNotFoundError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
    return found


def set_revision(database: Path, revision: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_version() -> None:
    assert succeed("--version").strip() == __version__


def test_help_names_every_command() -> None:
    told = succeed("--help")
    assert all(name in told for name in ("serve", "demo", "migrate", "doctor", "settings", "seller", "partner"))


def test_every_setting_is_shown_with_its_meaning() -> None:
    shown = succeed("settings")
    for field in msgspec.structs.fields(Settings):
        assert f"\nOPENBOOKING_{field.name.upper()}=" in shown
    assert shown.count("# ") == len(msgspec.structs.fields(Settings))


def test_the_settings_in_force_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_LEASE_SECONDS", "60")
    monkeypatch.setenv("OPENBOOKING_METRICS_TOKEN", "scrape-me")
    shown = succeed("settings")
    assert "OPENBOOKING_LEASE_SECONDS=60\n" in shown
    assert "OPENBOOKING_METRICS_TOKEN=(set" in shown
    assert "scrape-me" not in shown


def test_on_a_terminal_the_settings_are_a_table() -> None:
    terminal, shown_on = pty.openpty()
    with subprocess.Popen([OPENBOOKING, "settings"], stdout=shown_on, env=os.environ | {"COLUMNS": "200"}):
        os.close(shown_on)
        with FileIO(terminal) as screen:
            shown = b"".join(iter(lambda: read_screen(screen), b"")).decode()
    assert all(f"OPENBOOKING_{field.name.upper()} " in shown for field in msgspec.structs.fields(Settings))
    assert "Meaning" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENBOOKING_LEASNG", "off"),
        ("OPENBOOKING_PORT", "many"),
        ("OPENBOOKING_TIME_ZONE", "Europe/Lutetia"),
        ("OPENBOOKING_TIME_ZONE", "Europe"),
        ("OPENBOOKING_TIME_ZONE", "../Europe/London"),
        ("OPENBOOKING_TIME_ZONE", ""),
    ],
)
def test_a_wrong_setting_fails_with_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert name.removeprefix("OPENBOOKING_").lower() in fail(2, "settings")
    assert fail(2, "serve")


def test_terms_of_service_without_a_booking_service_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_TERMS_OF_SERVICE", "https://example.com/terms")
    succeed("settings")
    monkeypatch.setenv("OPENBOOKING_BOOKING_SERVICE", "false")
    assert "terms_of_service" in fail(2, "settings")
    assert "terms_of_service" in fail(2, "serve")


def test_migrate_makes_the_database_and_can_be_repeated(database: Path) -> None:
    assert "schema" in succeed("migrate")
    assert "schema" in succeed("migrate")
    assert rows(database, "SELECT count(*) FROM alembic_version") == [(1,)]


@pytest.mark.parametrize("command", [("migrate",), ("seller", "list"), ("partner", "list")])
def test_a_newer_schema_is_refused(database: Path, command: tuple[str, ...]) -> None:
    succeed("migrate")
    set_revision(database, "9999")
    assert "newer version" in fail(1, *command)
    assert rows(database, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_database_that_cannot_be_opened_is_reported_in_one_line(tmp_path: Path) -> None:
    assert "cannot be opened" in fail(1, "seller", "list", "--database", str(tmp_path / "nowhere" / "file"))


def test_sellers_are_added_and_listed(database: Path) -> None:
    add_seller("willow", vat_id="GB999999974")
    add_seller("oak", name="Oak Hall", tax_mode="gross")
    assert succeed("seller", "list") == "oak\tOak Hall\tgross\nwillow\tWillow Studio\tnet\n"
    ((document,),) = rows(database, "SELECT document FROM seller WHERE key = 'willow'")
    properties = json.loads(document)["properties"]
    assert properties["vatID"] == "GB999999974"
    assert properties["address"] == {
        "@type": "PostalAddress",
        "streetAddress": "22a Canal Street",
        "addressLocality": "Oxford",
        "addressRegion": "Oxfordshire",
        "postalCode": "OX2 6ZZ",
        "addressCountry": "GB",
    }


def test_the_vat_treatment_of_a_seller_is_stored(database: Path) -> None:
    add_seller("willow", vat="exempt")
    add_seller("oak")
    ((willow,), (oak,)) = rows(database, "SELECT document FROM seller ORDER BY key DESC")
    assert json.loads(willow)["vat"] == "exempt"
    assert "vat" not in json.loads(oak)
    words = [word for option in SELLER.items() for word in option]
    assert run("seller", "add", "elm", *words, "--vat", "half").exit_code == 2


def test_a_seller_is_replaced_only_on_request() -> None:
    add_seller("willow")
    words = [word for option in SELLER.items() for word in option]
    assert "already" in fail(1, "seller", "add", "willow", *words)
    succeed("seller", "add", "willow", *words, "--name", "Weeping Willow", "--replace")
    assert succeed("seller", "list") == "willow\tWeeping Willow\tnet\n"


def test_a_seller_needs_its_details() -> None:
    assert run("seller", "add", "willow", "--name", "Willow").exit_code == 2
    words = [word for option in SELLER.items() for word in option]
    assert "is no web address" in fail(1, "seller", "add", "willow", *words, "--url", "javascript:alert(1)")


def test_keys_must_be_valid_in_identifiers() -> None:
    words = [word for option in SELLER.items() for word in option]
    assert "cannot be a key" in fail(1, "seller", "add", "a/b", *words)
    assert "cannot be a key" in fail(1, "partner", "add", "a b", "--name", "A", "--all-sellers")


def test_a_partner_gets_an_api_key_of_which_only_the_digest_is_kept(database: Path) -> None:
    add_seller("willow")
    api_key = succeed("partner", "add", "app", "--name", "App", "--seller", "willow").strip()
    assert rows(database, "SELECT key, api_key_digest FROM partner") == [("app", digest(api_key))]
    assert api_key.encode() not in database.read_bytes()
    assert partners() == [["app", "App", "willow"]]


def test_a_partner_for_all_sellers_must_be_asked_for() -> None:
    assert "--all-sellers" in fail(1, "partner", "add", "app", "--name", "App")
    assert "--all-sellers" in fail(1, "partner", "add", "app", "--name", "App", "--seller", "a", "--all-sellers")
    succeed("partner", "add", "app", "--name", "App", "--all-sellers")
    assert partners() == [["app", "App", "*"]]


def test_a_partner_needs_a_new_key_and_existing_sellers() -> None:
    succeed("partner", "add", "app", "--name", "App", "--all-sellers")
    assert "already" in fail(1, "partner", "add", "app", "--name", "Other", "--all-sellers")
    assert "no Seller nobody" in fail(1, "partner", "add", "other", "--name", "Other", "--seller", "nobody")
    assert partners() == [["app", "App", "*"]]


def test_sellers_are_granted_and_revoked() -> None:
    add_seller("oak")
    add_seller("willow")
    succeed("partner", "add", "app", "--name", "App", "--seller", "oak")
    succeed("partner", "grant", "app", "willow")
    assert partners() == [["app", "App", "oak,willow"]]
    succeed("partner", "revoke", "app", "oak")
    assert partners() == [["app", "App", "willow"]]
    assert "no Seller nobody" in fail(1, "partner", "grant", "app", "nobody")
    assert "no Booking Partner other" in fail(1, "partner", "revoke", "other", "oak")


def test_a_partner_for_all_sellers_keeps_the_others_when_one_is_revoked() -> None:
    add_seller("oak")
    add_seller("willow")
    succeed("partner", "add", "app", "--name", "App", "--all-sellers")
    succeed("partner", "revoke", "app", "oak")
    assert partners() == [["app", "App", "*,not oak"]]


def test_a_new_key_replaces_the_old_one(database: Path) -> None:
    first = succeed("partner", "add", "app", "--name", "App", "--all-sellers").strip()
    second = succeed("partner", "new-key", "app").strip()
    assert first != second
    assert rows(database, "SELECT api_key_digest FROM partner") == [(digest(second),)]
    assert partners() == [["app", "App", "*"]]


def test_the_doctor_reports_disagreements(database: Path) -> None:
    add_seller("willow")
    assert "agree" in succeed("doctor")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO claim VALUES ('slots/x', 'app', 'uuid', 1, NULL)")
        connection.commit()
    result = run("doctor")
    assert (result.exit_code, result.stdout) == (1, "Order uuid of app claims slots/x but has no record.\n")


def test_serve_logs_its_address_and_stops_on_sigterm() -> None:
    command = [OPENBOOKING, "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = json.loads(process.stderr.readline())
        assert told["event"] == "serving"
        response = httpx2.get(told["site"] + "/feeds/slots")
        process.send_signal(signal.SIGTERM)
    assert response.json()["items"] == []
    assert "server" not in response.headers
    assert process.returncode == 0


def test_several_processes_serve_one_database_and_one_that_dies_is_replaced() -> None:
    command = [OPENBOOKING, "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told = json.loads(process.stderr.readline())
        assert told["event"] == "serving"
        first = workers_of(process)
        os.kill(first[0], signal.SIGKILL)
        while len(workers := workers_of(process)) < 2 or first[0] in workers:
            time.sleep(0.05)
        statuses = {httpx2.get(told["site"] + "/feeds/slots").status_code for _ in range(20)}
        process.send_signal(signal.SIGTERM)
    assert statuses == {200}
    assert process.returncode == 0


def test_serve_refuses_a_newer_schema_and_a_port_in_use(database: Path) -> None:
    succeed("migrate")
    set_revision(database, "9999")
    done = subprocess.run([OPENBOOKING, "serve", "--port", "0"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "newer version" in done.stderr
    environment = {**os.environ, "OPENBOOKING_HOST": "203.0.113.1", "OPENBOOKING_SITE_URL": "https://a.example"}
    command = [OPENBOOKING, "serve"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Cannot listen" in done.stderr
