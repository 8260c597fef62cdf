"""`openbooking import` as a user runs it: sources, exit statuses, output and report files."""

import gzip
import json
import os
import pty
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app
from openbooking.openactive.money import VatTreatment
from support.command_line import OPENBOOKING, SELLER_OPTIONS, read_screen, succeed
from support.importing.published_items import page, rpde, series, session

SOON = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat()
GOOD = (rpde(series()), rpde(session(startDate=SOON)))
BAD = rpde(session(2, startDate=None))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with a valid page of a feed."""
    path = tmp_path / "page.json"
    path.write_bytes(page(*GOOD))
    return path


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)], input=stdin)


def test_import_prints_the_result_of_each_item_and_a_summary(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line[:14].rstrip() for line in lines[:-1]] == ["seller", "parent", "bookable"]
    assert lines[2].startswith("bookable      ScheduledSession https://provider.example.com/sessions/1 as scheduled-s")
    assert lines[-1] == "Import result: 1 Opportunity can be booked; 1 parent of Opportunities; 1 Seller added."
    assert result.stderr.splitlines() == ["Read: 2", "Processed: 2"]


def test_failed_items_are_printed_and_set_the_exit_status(file: Path) -> None:
    file.write_bytes(page(*GOOD, BAD))
    result = run(file)
    assert result.exit_code == 1
    first, *_, last = result.stdout.splitlines()
    assert first == (
        f"not imported  ScheduledSession https://provider.example.com/sessions/2 ({file} item 3): it has no startDate"
    )
    assert last.endswith("; 1 item could not be imported.")
    assert "1 Opportunity can be booked" in last


def test_a_report_has_a_line_for_each_item(file: Path, tmp_path: Path) -> None:
    file.write_bytes(page(*GOOD, BAD))
    assert run(file, "--report", tmp_path / "report.jsonl").exit_code == 1
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_bytes().splitlines()]
    assert [line["outcome"] for line in lines] == ["not imported", "seller", "parent", "bookable"]
    assert lines[0] == {
        "outcome": "not imported",
        "item": "ScheduledSession https://provider.example.com/sessions/2",
        "where": f"{file} item 3",
        "reason": "it has no startDate",
    }
    assert lines[3]["path"].startswith("scheduled-sessions/")


def test_import_continues_after_a_broken_file(tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    folder.mkdir()
    (folder / "1-sessions.json").write_bytes(page(GOOD[1]))
    (folder / "2-broken.json").write_bytes(page(GOOD[1])[:-20])
    (folder / "3-series.json").write_bytes(json.dumps(series()).encode())
    result = run(folder)
    assert result.exit_code == 2
    assert "not read      2-broken.json: it is not valid JSON" in result.stdout
    assert "; 1 parent of Opportunities; 1 Seller added; 1 page could not be read." in result.stdout


def test_import_from_standard_input_needs_a_source(file: Path) -> None:
    result = run("-", stdin=file.read_bytes())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == ("openbooking: Items from standard input need a name of their source: --source NAME.\n")
    assert run("-", "--source", "provider", stdin=file.read_bytes()).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere.json"], "no file or folder nowhere.json"),
        (["page.json", "--seller", "nobody"], "no Seller nobody"),
        (["page.json", "--report", "nowhere/report"], "cannot be written"),
        (["http://[/"], "no valid URL"),
        (["page.json", "--copy", "copy"], "page.json is no feed"),
        (["http://127.0.0.1:9/feed", "--copy", "page.json"], "page.json cannot be used: file is not a database"),
    ],
)
def test_import_reports_a_failure_in_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(file.parent)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("vat", VatTreatment)
def test_vat_option_sets_the_vat_treatment_of_offers(file: Path, database: Path, vat: VatTreatment) -> None:
    assert run(file, "--vat", vat.value).exit_code == 0
    with closing(sqlite3.connect(database)) as connection:
        ((document,),) = connection.execute("SELECT document FROM opportunity WHERE path LIKE 'session-series/%'")
    # The standard rate is the default of an Offer, and documents lack default values.
    assert [offer.get("vat", "standard") for offer in json.loads(document)["offers"]] == [vat.value]


def test_items_change_their_seller_only_with_hand_over(file: Path) -> None:
    assert run(file).exit_code == 0
    succeed("seller", "add", "centre", *SELLER_OPTIONS)
    refused = run(file, "--seller", "centre")
    assert refused.exit_code == 1
    assert "It belongs to another Seller: " in refused.stdout
    assert run(file, "--seller", "centre", "--hand-over").exit_code == 0
    assert run(file, "--seller", "centre").exit_code == 0


def test_import_reports_that_there_are_no_items(file: Path) -> None:
    file.write_bytes(page())
    result = run(file)
    assert (result.exit_code, result.stdout) == (0, "There was nothing to import.\n")


class _Feed(BaseHTTPRequestHandler):
    """Serves a feed of two pages and the last page, compressed. `/` redirects to the feed."""

    def do_GET(self) -> None:
        pages = {"/feed": page(GOOD[1], next_="/feed?2"), "/feed?2": page(GOOD[0], next_="/feed?3")}
        moved = self.path == "/"
        self.send_response(302 if moved else 200)
        self.send_header("Location", "/feed") if moved else self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if not moved:
            self.wfile.write(gzip.compress(pages.get(self.path, page(next_=self.path))))

    def log_message(self, *_: Any) -> None:
        """Do not log requests."""


@pytest.fixture
def site() -> Iterator[str]:
    """Yield the URL of a provider's site with a feed."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Feed) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["/feed", "/"])
def test_import_reads_a_feed_over_http(site: str, path: str) -> None:
    result = run(site + path)
    assert result.exit_code == 0, result.output
    assert "Import result: 1 Opportunity can be booked; 1 parent" in result.stdout


def test_a_copy_of_a_feed_is_kept_for_the_next_import(site: str, tmp_path: Path) -> None:
    copy = tmp_path / "feed.copy"
    first, again = run(site + "/feed", "--copy", copy), run(site + "/feed", "--copy", copy)
    assert (first.exit_code, again.exit_code, copy.exists()) == (0, 0, True)
    assert "1 Opportunity can be booked; 1 parent" in again.stdout
    other = run(site + "/", "--copy", copy)
    assert (other.exit_code, other.stdout) == (2, "")
    assert f"{copy} is a copy of another feed: {site}/feed." in other.stderr


def test_import_shows_progress_on_a_terminal(file: Path) -> None:
    file.write_bytes(page(*GOOD, BAD))
    terminal, shown_on = pty.openpty()
    environment = os.environ | {"COLUMNS": "300", "TERM": "xterm"}
    with subprocess.Popen(
        [OPENBOOKING, "import", str(file)], stdout=shown_on, stderr=shown_on, env=environment
    ) as running:
        os.close(shown_on)
        with FileIO(terminal) as screen:
            shown = b"".join(iter(lambda: read_screen(screen), b"")).decode()
    assert running.returncode == 1
    assert "Processed" in shown
    assert "bookable      ScheduledSession https://provider.example.com/sessions/1" in shown
    assert "Import result: 1 Opportunity can be booked" in shown.splitlines()[-1]
