"""The copy of a feed: items, versions, the cursor, and files that are refused."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openbooking.harvest.copy import CopiedItem, Copy, CopyError
from openbooking.harvest.documents import read_page
from openbooking.harvest.items import MAX_GAP, after_position
from support.feeds.answers import FEED, item, page

NOW = datetime(2026, 10, 21, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.copy"


def add(copy: Copy, *items: Any, cursor: str = FEED, url: str = FEED, current_at: datetime | None = None) -> None:
    copy.add(url, read_page(page(None, *items)), cursor, current_at=current_at)


def data(copied: CopiedItem) -> Any:
    return json.loads(copied.content)


def test_items_and_cursor_survive_reopening_the_file(path: Path) -> None:
    second = f"{FEED}?afterChangeNumber=18446744073709551617"
    big = item(18446744073709551617, 18446744073709551617)
    with Copy(path) as copy:
        assert copy.start(FEED, NOW) == ""
        add(copy, item(1, "a"), big, cursor=second)
    with Copy(path) as copy:
        assert copy.start(FEED, NOW) == second
        assert [(copied.id, copied.url, copied.number) for copied in copy.items()] == [
            ("a", FEED, 1),
            ("18446744073709551617", FEED, 2),
        ]
        assert b"18446744073709551617" in list(copy.items())[1].content
        assert len(copy) == 2


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (1, 2, 1), (2, 1, 0), (2, 2, 1), ("9", "10", 1), (18446744073709551617, 18446744073709551616, 0),
        (18446744073709551616, 18446744073709551617, 1), ("2026-10-21T10:00:00Z", "2026-10-20T10:00:00Z", 0),
        (None, 1, 1), (1, None, 1), ({}, [], 1),
    ],
)  # fmt: skip
def test_the_later_version_of_an_item_stays(first: Any, second: Any, kept: int) -> None:
    with Copy() as copy:
        copy.start(FEED, NOW)
        add(copy, item(first, "a", state="updated"), item(1, "b"), item(second, "a", state="deleted"))
        *_, last = copied = list(copy.items())
        assert {one.id: one.number for one in copied} == {"a": (1, 3)[kept], "b": 2}
        # The items have the order of the feed.
        assert (last.id, next(one.deleted for one in copied if one.id == "a")) == (("b", "a")[kept], bool(kept))


def test_items_with_one_id_and_two_kinds_are_both_kept() -> None:
    with Copy() as copy:
        copy.start(FEED, NOW)
        add(copy, item(1, "a"), item(2, "a", kind="Slot", state="deleted"), item(3, 5), item(4, "5"), item(5, "b"))
        kinds = [(copied.id, copied.kind, copied.deleted) for copied in copy.items()]
        assert kinds == [("a", "Event", False), ("a", "Slot", True), ("5", "Event", False), ("b", "Event", False)]
        assert list(copy.shared_ids()) == ["a"]
        taken = copy.take("a", "Slot")
        assert taken
        assert (taken.deleted, data(taken)["modified"]) == (True, 2)
        assert (copy.take("a", "Slot"), len(copy)) == (None, 3)


def test_items_without_an_id_and_unreadable_items_are_identified_by_content() -> None:
    with Copy() as copy:
        copy.start(FEED, NOW)
        for _ in range(2):
            add(copy, {"@type": "Event", "name": "A"}, {"@type": "Event", "name": "B"}, "nonsense")
        assert [data(copied) for copied in copy.items()] == [
            {"@type": "Event", "name": "A"},
            {"@type": "Event", "name": "B"},
            "nonsense",
        ]
        assert list(copy.shared_ids()) == []


def test_a_page_that_cannot_be_committed_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Copy(path) as copy:
        copy.start(FEED, NOW)
        add(copy, item(1, "a"), cursor="first")
        copy._db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(CopyError, match="full"):
            add(copy, *(item(2, str(number), data={"x": "y" * 9_000}) for number in range(99)), cursor="second")
        assert (len(copy), copy.start(FEED, NOW)) == (1, "first")


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from openbooking.harvest import copy, items
from openbooking.harvest.documents import read_page

def read_envelope(item, known=items.read_envelope):
    if b"killer" in bytes(item):
        os.kill(os.getpid(), signal.SIGKILL)
    return known(item)

items.read_envelope = read_envelope
with copy.Copy(Path(sys.argv[1])) as opened:
    opened.start("https://provider.example.com/feed", datetime.now(UTC))
    opened.add("one", read_page(b'{"items": [{"id": 1, "data": {}}]}'), "cursor of two")
    opened.add("two", read_page(b'{"items": [{"id": 2, "data": {}}, {"id": "killer", "data": {}}]}'), "cursor of three")
"""


def test_a_process_that_is_killed_between_items_leaves_the_page_before(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Copy(path) as copy:
        assert [copied.id for copied in copy.items()] == ["1"]
        assert copy.start("https://provider.example.com/feed", datetime.now(UTC)) == "cursor of two"


@pytest.mark.spec("OB-FEED-19")
def test_an_outdated_copy_is_read_from_the_start(path: Path) -> None:
    reached = NOW + timedelta(days=1)
    with Copy(path) as copy:
        copy.start(FEED, NOW)
        add(copy, item(5, "a"), item(6, "b"), item(7, "c", state="deleted"), {"@type": "Event"}, cursor="end")
        add(copy, cursor="end", current_at=reached)
        assert copy.start(FEED, reached + MAX_GAP) == "end"
        # A later page that is not the last page does not make the copy more current.
        add(copy, item(8, "d"), cursor="later")
        assert copy.start(FEED, reached + MAX_GAP) == "later"
        assert copy.start(FEED, reached + MAX_GAP + timedelta(seconds=1)) == ""
        assert len(copy) == 5


FORMER = """
    CREATE TABLE feed (url TEXT, cursor TEXT, current_at REAL, round INTEGER);
    CREATE TABLE item (
        position INTEGER PRIMARY KEY, id TEXT, kind TEXT, modified BLOB, deleted INTEGER, content BLOB, url TEXT,
        number INTEGER, round INTEGER, UNIQUE (id, kind)
    );
    INSERT INTO feed SELECT url, 'second', current_at, 0 FROM harvest_feed;
    INSERT INTO item SELECT position, id, kind, modified, deleted, content, url, place, round FROM harvest_item;
    DROP TABLE harvest_feed; DROP TABLE harvest_item; DROP TABLE harvest_counter;
"""


def test_a_copy_made_by_an_earlier_version_is_resumed(path: Path) -> None:
    """Earlier versions had the tables `feed` and `item`."""
    with Copy(path) as copy:
        copy.start(FEED, NOW)
        add(copy, item(1, "a"), item(2, "b"), {"@type": "Event"}, cursor="second")
        before = list(copy.items())
    with closing(sqlite3.connect(path)) as former:
        former.executescript(FORMER)
    with Copy(path) as copy:
        assert copy.start(FEED, NOW) == "second"
        assert list(copy.items()) == before
        add(copy, item(3, "a", state="deleted"), item(1, "c"), cursor="third")
        assert [(copied.id, copied.deleted) for copied in copy.items()] == [
            ("b", False), ("", False), ("a", True), ("c", False),
        ]  # fmt: skip
    with Copy(path) as copy:
        assert copy.start(FEED, NOW) == "third"
        assert copy.start(FEED, NOW + MAX_GAP + timedelta(seconds=1)) == ""


@pytest.mark.spec("OB-FEED-19")
def test_items_missing_from_a_second_full_reading_are_deleted(path: Path) -> None:
    later = NOW + MAX_GAP + timedelta(seconds=1)
    with Copy(path) as copy:
        copy.start(FEED, NOW)
        many = [item(9, f"gone {number}") for number in range(1_200)]
        add(copy, item(5, "a"), item(2**64, "b"), item(7, "c", state="deleted"), {"@type": "Event"}, *many)
        copy.start(FEED, later)
        # The feed may have numbered its items anew.
        add(copy, item(1, "a"), cursor="there")
    with Copy(path) as copy:
        assert copy.start(FEED, later) == "there"
        assert not next(copied for copied in copy.items() if copied.id == "b").deleted
        add(copy, cursor="there", current_at=later)
        found = {copied.id: (copied.deleted, data(copied)["modified"]) for copied in copy.items()}
        assert data(next(copied for copied in copy.items() if copied.id == "b")) == {
            "state": "deleted", "kind": "Event", "id": "b", "modified": 2**64,
        }  # fmt: skip
    gone = {f"gone {number}": (True, 9) for number in range(1_200)}
    assert found == {"a": (False, 1), "b": (True, 2**64), "c": (True, 7)} | gone


def test_a_copy_accepts_other_spellings_of_its_url_and_no_other_feed(path: Path) -> None:
    with Copy(path) as copy:
        copy.start(f"{FEED}?a=1&b=2", NOW)
        add(copy, cursor="there")
        assert copy.start(f"{FEED}?b=2&a=1".replace("https://", "https://me:secret@"), NOW) == "there"
        with pytest.raises(CopyError, match=r"feed\.copy is a copy of another feed: .*\?a=1&b=2$"):
            copy.start(f"{FEED}?a=1&b=3", NOW)
    assert b"secret" not in path.read_bytes()


def test_a_copy_is_locked_for_one_process(path: Path) -> None:
    with Copy(path) as copy:
        copy.start(FEED, NOW)
        with pytest.raises(CopyError, match="locked"):
            Copy(path)
    with Copy(path), pytest.raises(CopyError, match="locked"):
        Copy(path)
    with Copy(path):
        pass


def test_a_database_of_another_application_is_not_changed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE booking (uuid)")
    before = path.read_bytes()
    with pytest.raises(CopyError, match="is no copy of a feed"):
        Copy(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 20, None])
def test_a_file_that_is_no_database_and_a_missing_folder_are_refused(path: Path, content: bytes | None) -> None:
    if content:
        path.write_bytes(content)
    else:
        path = path / "nowhere" / "copy"
    with pytest.raises(CopyError, match="cannot be used"):
        Copy(path)


@pytest.mark.parametrize("is_former", [False, True], ids=["new", "index of an earlier version"])
def test_changed_and_unchanged_items_come_in_the_order_of_their_last_change(path: Path, is_former: bool) -> None:
    with Copy(path) as copy:
        if is_former:
            copy._db.execute("DROP INDEX harvest_item_position")
            copy._db.execute("CREATE UNIQUE INDEX harvest_item_position ON harvest_item (position)")
        copy.start(FEED, NOW)
        add(copy, item(1, "a"), item(2, "b"), cursor="first")
        add(copy, item(3, "a"), item(4, "c"), item(5, "d"), cursor="second")
        add(copy, item(6, "c"), item(7, "e"), cursor="third")
        assert [found.id for found in copy.items()] == ["b", "a", "d", "c", "e"]
        plan = copy._db.execute(f"EXPLAIN QUERY PLAN {after_position('id')}", (0, 0)).fetchall()
        assert [step for step in plan if "TEMP B-TREE" in step[-1]] == []
