"""Commands print text from feeds, partners and files without its control characters."""

import asyncio
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.seller_decisions import Notify
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.order import Caller, OrderKey, Payment
from openbooking.cli import app
from openbooking.cli.faults import CommandError, OneLineFaults
from openbooking.cli.output import confirm, show, show_columns, show_traceback
from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.digests import digest
from openbooking.identity.records import (
    Grant,
    GrantState,
    Partner,
    RegistrationToken,
    Role,
    User,
)
from openbooking.identity.scopes import Scope
from openbooking.identity.sign_in.accounts import canonical_name
from openbooking.openactive.terms import TaxMode
from openbooking.settings import load_settings
from openbooking.system import System, open_system
from openbooking.testing.samples import MANAGER, order, session
from support.command_line import SELLER_OPTIONS
from support.hostile_text import HOSTILE, unsafe
from support.paged_feed import feed, item, page

NOW = datetime(2027, 3, 1, tzinfo=UTC)


class Case(NamedTuple):
    """A command line, its exit status, and the number of lines with hostile text."""

    arguments: tuple[str, ...]
    status: int
    hostile_lines: int


UUID = "e11429ea-467f-4270-ab62-e47368996fe8"
BOOKED = f"{HOSTILE}/{UUID}"
BAD_URL = f"https://127.0.0.1:1/{HOSTILE}"
# The timetable has no rules by the second.
EVENT = "DTSTART:20270301T180000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\nEND:VCALENDAR\n"
CALENDAR_OPTIONS = ("--venue", f"hall{HOSTILE}", "--capacity", "9", "--price", "5")
CASES: dict[str, list[Case]] = {
    "serve": [Case(("--host", HOSTILE.replace("[", "").replace("]", "")), 2, 1)],
    "demo": [Case(("--database", "FILE", "--port", "0"), 1, 1)],
    "sandbox": [
        Case(("--scenario", f"nowhere/{HOSTILE}", "--", "true"), 1, 1),
        Case(("--host", HOSTILE.replace("[", "").replace("]", "")), 2, 1),
        Case(("--", HOSTILE), 2, 0),
    ],
    "import": [
        Case(("FEED", "--seller", "centre"), 1, 2),
        Case(("FEED", "--seller", "oak" + HOSTILE), 2, 1),
        Case((HOSTILE,), 2, 1),
        Case((BAD_URL,), 2, 1),
        Case(("FEED", "--report", f"nowhere/{HOSTILE}"), 2, 1),
    ],
    "import-bookings": [
        Case((f"nowhere/{HOSTILE}", "--seller", "centre"), 1, 1),
        Case(("BOOKINGS", "--seller", "centre"), 1, 0),
    ],
    "migrate": [Case((), 0, 1)],
    "backup": [Case(("COPY",), 0, 1), Case(("FILE",), 1, 1)],
    "check": [Case(("--port", "0"), 0, 2)],
    "certificate": [Case((f"nowhere/{HOSTILE}",), 1, 1), Case(("CERTIFICATE",), 1, 4)],
    "doctor": [Case((), 1, 1)],
    "openapi": [
        Case(("--schemas", f"schemas/{HOSTILE}"), 0, 1),
        Case(("--bruno", f"/dev/null/{HOSTILE}"), 1, 1),
    ],
    "settings": [Case((), 0, 3)],
    "person export": [Case((HOSTILE, "--seller", "centre"), 1, 0)],
    "person erase": [Case((HOSTILE, "--seller", "centre"), 1, 0)],
    "sales": [Case(("--seller", "centre", "--by", "partner"), 0, 1), Case(("--from", HOSTILE), 2, 1)],
    "log": [Case(("--seller", "centre"), 0, 1), Case(("--seller", "oak" + HOSTILE), 1, 1)],
    "order list": [
        Case(("--seller", "centre"), 0, 1),
        Case(("--seller", "centre", "--csv"), 0, 1),
        Case(("--seller", "centre", "--json"), 0, 1),
        Case(("--value-from", HOSTILE), 2, 1),
    ],
    "order show": [Case((BOOKED, "--seller", "centre"), 0, 9), Case((HOSTILE, "--seller", "centre"), 1, 1)],
    "order cancel": [Case((BOOKED, "--seller", "centre"), 1, 1), Case((BOOKED, "--seller", "centre", "--yes"), 0, 2)],
    "order replace": [Case((BOOKED, "--seller", "centre", "--item", "1", "--by", HOSTILE), 1, 1)],
    "order notify": [Case((BOOKED, "--seller", "centre", "--message", HOSTILE), 0, 1)],
    "order attend": [Case((BOOKED, "--seller", "centre", "--yes"), 0, 2)],
    "order renew": [Case((BOOKED, "--seller", "centre"), 1, 0)],
    "order pay": [Case((BOOKED, "cash", "--seller", "centre", "--reference", HOSTILE), 1, 0)],
    "proposal list": [Case(("--seller", "centre"), 0, 0), Case(("--seller", HOSTILE * 2), 1, 1)],
    "proposal accept": [Case((BOOKED, "--seller", "centre"), 1, 1)],
    "proposal reject": [Case((BOOKED, "--seller", "centre"), 1, 1)],
    "proposal amend": [Case((BOOKED, "--seller", "centre", "--price", HOSTILE), 2, 1)],
    "occurrence list": [Case(("--seller", "centre", "--to", "2099-12-31"), 0, 1), Case(("--to", HOSTILE), 2, 1)],
    "occurrence cancel": [Case((f"scheduled-sessions/{HOSTILE}", "--seller", "centre"), 1, 1)],
    "occurrence notify": [
        Case((f"scheduled-sessions/{HOSTILE}", "--seller", "centre", "--message", HOSTILE), 0, 0),
        Case((f"slots/{HOSTILE}", "--seller", "centre", "--message", "Hello"), 1, 1),
    ],
    "occurrence publish": [Case((f"scheduled-sessions/{HOSTILE}", "--seller", "centre"), 0, 1)],
    "occurrence unpublish": [Case((f"scheduled-sessions/{HOSTILE}", "--seller", "centre"), 0, 1)],
    "timetable apply": [Case((HOSTILE, "--seller", "centre"), 1, 1)],
    "timetable import-ics": [
        Case((f"nowhere/{HOSTILE}", "--seller", "centre", *CALENDAR_OPTIONS), 1, 1),
        Case(("CALENDAR", "--seller", "centre", *CALENDAR_OPTIONS), 1, 1),
    ],
    "timetable export": [Case(("--seller", "centre"), 0, 0)],
    "timetable list": [Case(("--seller", "centre"), 0, 0)],
    "timetable show": [Case((HOSTILE, "--seller", "centre"), 1, 1)],
    "timetable remove": [Case((HOSTILE, "--seller", "centre"), 1, 1)],
    "timetable close": [
        Case((HOSTILE, "--from", "2027-04-01 10:00", "--to", "2027-04-01 12:00", "--seller", "centre"), 1, 1),
        Case(("hall", "--from", HOSTILE, "--to", "2027-04-01 12:00", "--seller", "centre"), 2, 1),
    ],
    "timetable week": [Case(("--seller", "centre"), 0, 0), Case(("--of", HOSTILE), 2, 1)],
    "feed verify": [Case(("URL",), 1, 1), Case((BAD_URL,), 1, 1)],
    "feed renumber": [Case((), 0, 0)],
    "feed republish": [Case((), 0, 0)],
    "seller add": [
        Case((HOSTILE, *SELLER_OPTIONS), 1, 1),
        Case(("elm", *SELLER_OPTIONS, "--url", HOSTILE), 2, 1),
        Case(("centre", *SELLER_OPTIONS, "--replace"), 0, 0),
        Case((HOSTILE, *SELLER_OPTIONS, "--tax-mode", HOSTILE), 2, 1),
    ],
    "seller list": [Case((), 0, 2)],
    "partner add": [
        Case((HOSTILE, "--name", "x", "--all-sellers"), 1, 1),
        Case(("fir", "--name", "x", "--seller", "oak" + HOSTILE), 1, 1),
        Case(("fir", "--name", "x", "--redirect-uri", HOSTILE), 1, 1),
    ],
    "partner list": [Case((), 0, 1)],
    "partner show": [Case((HOSTILE,), 0, 8), Case((HOSTILE * 2,), 1, 1)],
    "partner redirect-uris": [
        Case((HOSTILE, "https://x.example"), 0, 1),
        Case((HOSTILE, BAD_URL), 1, 1),
    ],
    "partner grant": [Case((HOSTILE, HOSTILE), 0, 1), Case((HOSTILE, "oak" + HOSTILE), 1, 1)],
    "partner revoke": [
        Case((HOSTILE, HOSTILE), 0, 1),
        Case((HOSTILE, "centre"), 1, 1),
        Case((HOSTILE, "oak" + HOSTILE), 1, 1),
    ],
    "partner suspend": [Case((HOSTILE,), 0, 1), Case((HOSTILE, "--seller", HOSTILE), 0, 1)],
    "partner resume": [Case((HOSTILE,), 0, 1), Case((HOSTILE, "--seller", HOSTILE), 0, 1)],
    "partner new-key": [Case((HOSTILE * 2,), 1, 1), Case((HOSTILE,), 0, 0)],
    "partner new-secret": [Case((HOSTILE * 2,), 1, 1), Case((HOSTILE,), 0, 0)],
    "partner end-former-key": [Case((HOSTILE * 2,), 1, 1), Case((HOSTILE,), 1, 1)],
    "partner end-former-secret": [Case((HOSTILE * 2,), 1, 1), Case((HOSTILE,), 1, 1)],
    "user add": [Case((HOSTILE, "--seller", "centre"), 1, 1), Case(("ann", "--seller", HOSTILE + "oak"), 1, 1)],
    "user list": [Case((), 0, 1)],
    "user add-seller": [
        Case((HOSTILE, "--seller", "oak" + HOSTILE, "--role", "staff"), 1, 1),
        Case((HOSTILE * 2, "--seller", "centre", "--role", "staff"), 1, 1),
    ],
    "user administrator": [Case((HOSTILE,), 0, 1), Case((HOSTILE * 2,), 1, 1)],
    "user remove-seller": [Case((HOSTILE, "--seller", HOSTILE), 0, 1)],
    "user remove": [Case((HOSTILE,), 0, 1), Case((HOSTILE * 2,), 1, 1)],
    "user reset-link": [Case((HOSTILE * 2,), 1, 1)],
    "user unlock": [Case((HOSTILE,), 0, 1), Case((HOSTILE * 2,), 1, 1)],
    "user reset-second-factor": [Case((HOSTILE,), 0, 1), Case((HOSTILE * 2,), 1, 1)],
    "registration-token add": [Case((HOSTILE,), 1, 1)],
    "registration-token list": [Case((), 0, 1)],
    "registration-token revoke": [Case((HOSTILE,), 0, 1), Case((HOSTILE * 2,), 1, 1)],
    "access-request list": [Case((), 0, 1)],
    "access-request show": [Case(("r1",), 0, 7), Case((HOSTILE,), 1, 1)],
    "access-request approve": [
        Case(("r1", "--key", HOSTILE, "--all-sellers"), 1, 1),
        Case(("r1", "--key", "fir", "--seller", "oak" + HOSTILE), 1, 1),
    ],
    "access-request refuse": [Case(("r1",), 0, 0), Case((HOSTILE,), 1, 1)],
    "broker discover": [Case(("BAD_PAGE",), 1, 1), Case((HOSTILE,), 1, 1)],
    "broker harvest": [Case(("BAD_PAGE",), 1, 1)],
    "broker search": [Case((BAD_URL, "--text", HOSTILE), 0, 1), Case((BAD_URL, "--near", HOSTILE), 2, 1)],
    "broker quote": [Case((BAD_URL, "--text", HOSTILE), 1, 0)],
    "broker book": [Case((BAD_URL, "--text", HOSTILE), 1, 0)],
    "broker orders": [Case(("BAD_PAGE",), 1, 1)],
    "broker cancel": [Case((BAD_URL, HOSTILE), 2, 0), Case((BAD_URL, UUID), 1, 0)],
    "signing-key rotate": [Case((), 0, 0)],
    "signing-key list": [Case((), 0, 0)],
}


def every_command() -> set[str]:
    def below(command: object, name: str) -> Iterator[str]:
        subcommands = getattr(command, "commands", None)
        if subcommands is None:
            yield name
        for key, subcommand in (subcommands or {}).items():
            yield from below(subcommand, f"{name} {key}".strip())

    return set(below(typer.main.get_command(app), ""))


def lines_of(result: Result) -> list[str]:
    """Return the lines of the output. Fail if a line contains a control character or begins inside hostile text."""
    assert unsafe(result.stdout + result.stderr) == set(), repr(result.output)
    lines = [*result.stdout.split("\n"), *result.stderr.split("\n")]
    assert [line for line in lines if "forged" in line and "bad" not in line] == []
    return lines


async def fill(system: System) -> None:
    """Fill the database with hostile text in every field that other people can set."""
    address = {"url": HOSTILE, "email": HOSTILE}
    for key in ("centre", HOSTILE):
        seller = Seller(
            key=key, name=HOSTILE, legal_name=HOSTILE, tax_mode=TaxMode.GROSS, source=HOSTILE, properties=address
        )
        await system.store.execute(PublishSeller(seller, actor=MANAGER))
    await system.store.execute(Publish(session(HOSTILE, 5), actor=MANAGER))
    customer = {"@type": "Person", "givenName": HOSTILE, "email": HOSTILE, "telephone": HOSTILE}
    asked = replace(order(HOSTILE), customer=customer, payment=Payment(identifier=HOSTILE, name=HOSTILE))
    await system.store.execute(Book(caller=Caller(HOSTILE), uuid=UUID, request=asked))
    await system.store.execute(Notify(order=OrderKey(HOSTILE, UUID), notice=HOSTILE, actor=MANAGER))
    partner = Partner(
        key=HOSTILE,
        name=HOSTILE,
        registered=NOW,
        registered_by=HOSTILE,
        site=HOSTILE,
        contacts=(HOSTILE,),
        redirect_uris=(HOSTILE,),
        api_key_digest=digest("x"),
    )
    grant = Grant(
        partner=HOSTILE,
        seller=HOSTILE,
        scopes=frozenset({Scope.OPENBOOKING}),
        changed=NOW,
        changed_by=HOSTILE,
        state=GrantState.ACTIVE,
        terms=GrantTerms(venues=frozenset({HOSTILE})),
    )
    user = User(name=canonical_name(HOSTILE), seller=HOSTILE, role=Role.MANAGER)
    token = RegistrationToken(digest=digest("y"), name=HOSTILE, created=NOW)
    wanted = AccessRequest(
        id="r1",
        name=HOSTILE,
        email=HOSTILE,
        organisation=HOSTILE,
        phone=HOSTILE,
        site=HOSTILE,
        use_case=HOSTILE,
        redirect_uris=("https://x.example/",),
        received=NOW,
        expires=NOW + timedelta(days=36_500),
        decided_by=HOSTILE,
        decided=NOW,
    )
    for record in (partner, grant, user, token, wanted):
        assert await system.identity.store.save(record)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    database = tmp_path / f"{HOSTILE}.sqlite3"
    for name, value in {"DATABASE": str(database), "NAME": HOSTILE, "PUBLISHER": HOSTILE}.items():
        monkeypatch.setenv(f"OPENBOOKING_{name}", value)

    async def make() -> None:
        async with open_system(load_settings(), serves=False) as system:
            await fill(system)

    asyncio.run(make())
    with closing(sqlite3.connect(database)) as connection:
        ((data,),) = connection.execute("SELECT data FROM feed_item WHERE feed = 'scheduled-sessions'")
        wrong = json.dumps(json.loads(data) | {"remainingAttendeeCapacity": 99}).encode()
        connection.execute("UPDATE feed_item SET data = ? WHERE feed = 'scheduled-sessions'", [wrong])
        connection.commit()
    items = [
        {"id": HOSTILE, "kind": HOSTILE, "state": "updated", "modified": 1, "data": {"@type": HOSTILE}},
        {"id": 2, "kind": "Slot", "state": "updated", "modified": 2, "data": {"@type": "Event", "name": HOSTILE}},
    ]
    (tmp_path / "feed.json").write_text(json.dumps({"items": items, "next": "x"}))
    uid = "".join(HOSTILE.splitlines())
    (tmp_path / "bookings.csv").write_text(f'what,start\n"{HOSTILE.replace(chr(34), "")}",2027-03-01 18:00\n')
    (tmp_path / "calendar.ics").write_text(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{uid}\nSUMMARY:{uid}\n{EVENT}")
    awarded: dict[str, Any] = {"@type": "ConformanceCertificate", "@id": HOSTILE, "dateCreated": "2027-03-01T12:00:00Z"}
    awarded |= {"awardedTo": {"name": HOSTILE + "x"}, "featureImplemented": [{"prefLabel": HOSTILE}]}
    script = f'<script type="application/ld+json">{json.dumps(awarded)}</script>'
    (tmp_path / "certificate.html").write_text(script)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_command_has_a_case_with_hostile_input() -> None:
    assert CASES.keys() == every_command()


@pytest.mark.parametrize(
    ("command", "case"), [pytest.param(name, case, id=name) for name, cases in CASES.items() for case in cases]
)
def test_the_output_of_commands_contains_no_control_characters(folder: Path, command: str, case: Case) -> None:
    wrong = item(2, HOSTILE, state=HOSTILE)
    with feed(page(2, item(1), wrong), {}, page(2)) as url:
        known = {
            "FILE": os.environ["OPENBOOKING_DATABASE"],
            "COPY": str(folder / f"{HOSTILE}.copy"),
            "FEED": str(folder / "feed.json"),
            "URL": url,
            "BAD_PAGE": f"{url}/{HOSTILE}",
            "BOOKINGS": str(folder / "bookings.csv"),
            "CERTIFICATE": str(folder / "certificate.html"),
            "CALENDAR": str(folder / "calendar.ics"),
        }
        arguments = [known.get(argument, argument) for argument in case.arguments]
        result = CliRunner().invoke(app, [*command.split(), *arguments])
    lines = lines_of(result)
    assert result.exit_code == case.status, result.output
    assert sum("bad" in line for line in lines) == case.hostile_lines, result.output


def test_each_line_of_seller_list_has_three_cells() -> None:
    result = CliRunner().invoke(app, ["seller", "list"])
    assert [line.count("\t") for line in result.stdout.splitlines()] == [2, 2]


def test_a_traceback_contains_no_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(LookupError) as raised:
        raise LookupError(HOSTILE)
    show_traceback(raised.value)
    told = capsys.readouterr().err
    assert "LookupError: bad" in told
    assert unsafe(told) == set()


def test_questions_contain_no_control_characters() -> None:
    asking = typer.Typer()

    @asking.command()
    def ask() -> None:
        show(confirm(f"Cancel {HOSTILE}?"))

    result = CliRunner().invoke(asking, input="y\n")
    assert unsafe(result.stderr) == set()
    assert result.stdout.splitlines()[-1] == "True"


def test_long_texts_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    failing = typer.Typer(cls=OneLineFaults)

    @failing.callback(invoke_without_command=True)
    def fail() -> None:
        raise CommandError("x" * 1_000_000)

    assert len(CliRunner().invoke(failing).stderr) < 11_000
    show_columns(("Name", "Key"), [("x" * 1_000_000, "first"), ("short", "second")])
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert len(first) < 11_000
    assert first.endswith("…  first")
    assert second.endswith(" second")


def test_characters_outside_the_locale_are_replaced() -> None:
    script = "from openbooking.cli.output import show; show('Zoë\\x1b', 'x')"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == "Zo??\tx\n"


def test_tables_and_bars_contain_no_control_characters(folder: Path) -> None:
    """The terminal gets escape sequences for tables and bars, so the test searches only for sequences of the data."""
    told = b""
    for command in (["settings"], ["import", str(folder / "feed.json"), "--seller", "centre"]):
        script = f"from openbooking.cli import app; app({command!r})"
        terminal, shown_on = pty.openpty()
        with subprocess.Popen([sys.executable, "-c", script], stdout=shown_on, stderr=shown_on):
            os.close(shown_on)
            while chunk := _read(terminal):
                told += chunk
        os.close(terminal)
    assert b"bad" in told
    for sequence in ("\x1b]0;", "\x1b[2J", "\x07", "\x9b", "\u202e", "\u2028", "\x7f", "\x0b"):
        assert sequence.encode() not in told


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 100_000)
    except OSError:
        return b""
