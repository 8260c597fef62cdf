"""`openbooking feed verify` on a running server and on feeds with faults."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openbooking.cli import app
from openbooking.harvest import verification
from openbooking.harvest.client import HarvestOptions
from openbooking.harvest.reader import Limits
from support.published_items import event, on_demand_event

SITE = "http://site"
OPENBOOKING = str(Path(sys.executable).with_name("openbooking"))


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "demo.sqlite3"
    monkeypatch.setenv("OPENBOOKING_DATABASE", str(path))
    return path


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(app, ("feed", "verify", *arguments))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between attempts."""
    monkeypatch.setattr(verification, "_OPTIONS", HarvestOptions(limits=Limits(first_pause=0), documents=True))


@contextmanager
def feed(*pages: Any) -> Iterator[str]:
    """Yield the URL of a feed with these pages. The number or the query in its URL selects a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if isinstance(pages[0], dict) and "" in pages[0]:
                found = pages[0][self.path.partition("?")[2]]
            else:
                found = pages[int(self.path.rpartition("=")[2]) if "=" in self.path else 0]
            content = json.dumps(found).replace(SITE, f"http://{self.headers['Host']}").encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed"
        finally:
            server.shutdown()
            thread.join()


def item(modified: int, id_: str = "x", **changes: Any) -> dict[str, Any]:
    return {"id": id_, "kind": "Slot", "state": "updated", "modified": modified, "data": {}, **changes}


def page(following: int, *items: Any) -> dict[str, Any]:
    return {
        "items": list(items),
        "next": f"{SITE}/feed?afterChangeNumber={following}",
        "license": "https://example.com/",
    }


END = page(2)


@pytest.mark.spec("OB-FEED-02", "OB-FEED-12", "OB-FEED-16")
def test_a_sound_feed_has_no_faults() -> None:
    with feed(page(2, item(1), item(2, "y", state="deleted", data=None)), {}, END) as url:
        result = verify(url)
    assert (result.exit_code, result.stdout) == (0, f"{url}: 2 items on 2 pages, 0 faults\n")


@pytest.mark.spec("OB-FEED-17")
def test_pages_without_items_are_no_fault() -> None:
    with feed(page(1, item(1)), page(5), None, None, None, page(6, item(6, "y")), page(6)) as url:
        result = verify(url)
    assert (result.exit_code, result.stdout) == (0, f"{url}: 2 items on 4 pages, 0 faults\n")


@pytest.mark.spec("OB-FEED-34")
def test_an_empty_page_of_a_feed_by_time_may_keep_its_time() -> None:
    first, second = "afterId=a&afterTimestamp=1", "afterTimestamp=1&afterId=b"
    pages = {"": page_by_time(first, item(1, "a")), first: page_by_time(second), second: page_by_time(second)}
    with feed(pages) as url:
        assert verify(url).stdout == f"{url}: 1 items on 3 pages, 0 faults\n"
    pages = {"": page_by_time(second, item(1, "b")), second: page_by_time(first), first: page_by_time(first)}
    with feed(pages) as url:
        assert "which is no later position" in verify(url).stdout


def page_by_time(following: str, *items: Any) -> dict[str, Any]:
    return {**page(0, *items), "next": f"{SITE}/feed?{following}"}


@pytest.mark.spec("OB-FEED-05")
def test_a_feed_by_time_has_items_of_one_time_in_the_order_of_their_ids_from_the_first_page_on() -> None:
    after_y = "afterId=y&afterTimestamp=1"
    with feed(page_by_time(after_y, item(1, "x"), item(1, "y")), page_by_time(after_y)) as url:
        assert verify(url).stdout == f"{url}: 2 items on 2 pages, 0 faults\n"
    with feed(page_by_time(after_y, item(1, "z"), item(1, "y")), page_by_time(after_y)) as url:
        assert "y at 1 comes after 1" in verify(url).stdout


FAULTY: dict[str, list[Any]] = {
    "comes after": [page(1, item(2), item(1)), END, END],
    "y at 2 comes after 2": [page(2, item(2), item(2, "y")), {}, END],
    "its next begins after": [page(2, item(1)), {}, END],
    "has the state gone": [page(2, item(2), item(2, state="gone")), {}, END],
    "has no data": [page(2, item(1, "y", data=None), item(2)), {}, END],
    "is deleted and has data": [page(2, item(1, "y", state="deleted", data={"x": 1}), item(2)), {}, END],
    "without id": [page(2, {"modified": 1}, item(2)), {}, END],
    "but its next is": [page(2, item(2)), {}, page(1)],
    "its next is itself": [page(2, item(2)), {}, page(2, item(3))],
    "names no position": [{"items": [item(1)], "next": f"{SITE}/feed"}],
    "which names no position": [page(2, item(2)), {}, {"items": [], "next": f"{SITE}/feed?x=1"}],
    "which is no later position": [page(2, item(2)), {}, page(0)],
    "has no items": [{"next": f"{SITE}/feed"}],
    "it has no next": [page(2, item(2)), {}, {"items": [item(3)]}],
    "it was answered with status 404": [page(2, item(2)), {}, None],
    "an item cannot be read": [page(2, item(2)), {}, page(2, item(3, name="\ud800"))],
    "a next that is not absolute: /feed?afterChangeNumber=2": [
        page(2, item(2)),
        {},
        {**page(2), "next": "/feed?afterChangeNumber=2"},
    ],
    "x is the id of items of several kinds": [page(2, item(1), item(2, kind="Event")), {}, END],
}


@pytest.mark.parametrize("told", FAULTY)
def test_faults_of_a_feed_are_reported(told: str) -> None:
    with feed(*FAULTY[told]) as url:
        result = verify(f"{url}?afterChangeNumber=0")
    assert result.exit_code == 1, result.stdout
    assert told in result.stdout


def test_a_feed_that_does_not_exist_is_reported_in_one_line() -> None:
    result = verify("http://127.0.0.1:9/feed")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be read" in result.stderr


@contextmanager
def demo(database: Path) -> Iterator[str]:
    """The URL of a running demo."""
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


def test_feeds_of_this_system_are_compared_with_its_database(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_empty_feeds_of_a_full_database_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
