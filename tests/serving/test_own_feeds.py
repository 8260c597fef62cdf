"""`openbooking feed verify` without a URL: the open feeds are compared with the database."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app
from support.command_line import OPENBOOKING, database
from support.importing.published_items import event, on_demand_event
from support.paged_feed import page

__all__ = ["database"]


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("feed", "verify", *arguments))


@contextmanager
def demo(database: Path) -> Iterator[str]:
    """Yield the URL of a running demo."""
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(database)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as it:
        assert it.stdout is not None
        site = next(filter(None, (re.search(r"(http\S+)/openactive", line) for line in it.stdout)))[1]
        try:
            yield site
        finally:
            it.send_signal(signal.SIGTERM)
            it.stdout.read()


def test_verify_compares_the_open_feeds_with_the_database(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with demo(database) as site:
        monkeypatch.setenv("OPENBOOKING_SITE_URL", site)
        sound = verify()
        assert sound.exit_code == 0, sound.stdout
        assert f"{site}/feeds/scheduled-sessions: 0 items" not in sound.stdout
        other = database.with_name("other.sqlite3")
        with closing(sqlite3.connect(database)) as served, closing(sqlite3.connect(other)) as copy:
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
