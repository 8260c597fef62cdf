"""`openbooking feed verify` without a URL: the open feeds are compared with the database."""

import json
import re
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app
from support.command_line import database
from support.importing.published_items import event, on_demand_event
from support.paged_feed import page
from support.servers.demo import Demo

__all__ = ["database"]


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("feed", "verify", *arguments))


def test_verify_compares_the_open_feeds_with_the_database(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", demo.site)
    sound = verify("--database", str(demo.database))
    assert sound.exit_code == 0, sound.stdout
    assert f"{demo.site}/feeds/scheduled-sessions: 0 items" not in sound.stdout
    other = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(demo.database)) as served, closing(sqlite3.connect(other)) as copy:
        served.backup(copy)
        changed, added, removed = (path for (path,) in copy.execute("SELECT path FROM opportunity LIMIT 3"))
        copy.execute("UPDATE feed_item SET data = '{}' WHERE id = ?", [changed])
        copy.execute("UPDATE feed_item SET id = 'slots/none' WHERE id = ?", [added])
        copy.execute("DELETE FROM feed_item WHERE id = ?", [removed])
        copy.commit()
    wrong = verify("--database", str(other))
    assert wrong.exit_code == 1
    assert re.search(f"{changed}, changed at [0-9]+, is shown otherwise", wrong.stdout)
    assert re.search("slots/none, changed at [0-9]+, is not shown", wrong.stdout)
    assert f"{removed} is shown and not in the database" in wrong.stdout


def test_verify_reports_an_empty_feed_of_a_full_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(page(0) | {"next": f"http://{self.headers['Host']}{self.path}"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Empty) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        monkeypatch.setenv("OPENBOOKING_SITE_URL", f"http://127.0.0.1:{server.server_port}")
        items = tmp_path / "items.json"
        items.write_text(json.dumps([event(), on_demand_event()]))
        assert CliRunner().invoke(app, ("import", str(items))).exit_code == 0
        told = verify()
        server.shutdown()
    assert told.exit_code == 1
    wrong = [line for line in told.stdout.splitlines() if " shows no items, but there are " in line]
    assert [line[-len("events shows no items, but there are 1 in the database") :] for line in wrong] == [
        "events shows no items, but there are 1 in the database"
    ] * 2
