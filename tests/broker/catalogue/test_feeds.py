"""Feeds in the Broker's database: exact copies although readers are killed, and feeds that are read again."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from openbooking.broker.catalogue.feeds import FeedKeeper, forget_other_feeds
from openbooking.broker.catalogue.index import Index
from openbooking.broker.store.database import Database, open_database
from openbooking.harvest.documents import read_page
from openbooking.harvest.items import MAX_GAP
from support.catalogue.shelf import NOW, SYSTEM, Shelf
from support.feeds.hostile_feed import PATH, Upstream
from support.feeds.readers import Readers
from support.feeds.server import serving
from support.importing.published_items import event, page, rpde

SEED = 3
ITEMS = 600
KILLS = 4
FEED = f"{SYSTEM}/Mixed"


def numbered(number: int) -> dict[str, Any]:
    return event(**{"@id": f"{SYSTEM}/events/{number}"})


@pytest.mark.spec("OB-FEED-07", "OB-FEED-32")
@pytest.mark.usefixtures("unmeasured_processes")
def test_a_catalogue_equals_its_faulty_feed_after_killed_readers(location: str, tmp_path: Path) -> None:
    upstream = Upstream(ITEMS, SEED)
    readers = Readers(KILLS, every=max(2, upstream.pages // KILLS), seed=SEED)
    with closing(open_database(location)) as database:
        Shelf(database)
    with serving(lambda path: readers.maybe_kill(upstream.answer(path)), tmp_path) as site:
        upstream.site = site.url
        readers.run(site.url + PATH, location, str(site.certificate), "catalogue")
    with closing(open_database(location)) as database, database.transaction() as transaction:
        rows = transaction.execute("SELECT id, kind, content FROM harvest_item").fetchall()
    named, nameless = upstream.items()
    assert {(id_, kind): bytes(content) for id_, kind, content in rows if id_} == named
    assert {bytes(content) for id_, _, content in rows if not id_} == nameless
    assert readers.kills == KILLS


def test_a_page_and_its_cursor_are_kept_together(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = FeedKeeper(shelf.database, SYSTEM, "Mixed")
    assert keeper.start(FEED, NOW) == ""
    keeper.add(FEED, read_page(page(rpde(numbered(1)))), "second")

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr("openbooking.harvest.items.FeedItems.find", fail)
        with pytest.raises(OSError, match="disk"):
            keeper.add(FEED, read_page(page(rpde(numbered(2)))), "third")
    assert FeedKeeper(shelf.database, SYSTEM, "Mixed").start(FEED, NOW) == "second"
    shelf.index()
    assert shelf.ids() == ["1"]


@pytest.mark.spec("OB-FEED-19")
def test_items_that_a_second_reading_misses_are_not_found(shelf: Shelf) -> None:
    shelf.put(numbered(1), numbered(2), at_end=True)
    shelf.wait(MAX_GAP + timedelta(hours=1))
    shelf.now = NOW + MAX_GAP + timedelta(hours=1)
    later = {"startDate": "2027-04-01T18:00:00Z"}
    shelf.put(event(**{"@id": f"{SYSTEM}/events/2", **later}))
    assert shelf.ids(starts_from=NOW) == ["1", "2"]
    shelf.put(at_end=True)
    assert shelf.ids(starts_from=NOW) == ["2"]


def test_a_feed_that_moves_is_read_again(shelf: Shelf) -> None:
    shelf.put(numbered(1), at_end=True)
    keeper = FeedKeeper(shelf.database, SYSTEM, "Mixed")
    assert keeper.start(f"{SYSTEM}/elsewhere", NOW) == ""
    keeper.add(f"{SYSTEM}/elsewhere", read_page(page()), "end", current_at=NOW)
    shelf.index()
    assert shelf.ids() == []


def test_items_of_a_feed_that_is_not_published_any_more_are_removed(shelf: Shelf) -> None:
    shelf.put(numbered(1), feed="Event")
    shelf.put(numbered(2), feed="Slot")
    FeedKeeper(shelf.database, "https://other.example.com", "Event").start("https://other.example.com/events", NOW)
    with shelf.database.transaction() as transaction:
        forget_other_feeds(transaction, SYSTEM, ["Slot"])
    shelf.index()
    Index(shelf.database).tidy()
    assert shelf.ids() == ["2"]
    # If the feed comes back, it is read from its first page.
    assert FeedKeeper(shelf.database, SYSTEM, "Event").start(f"{SYSTEM}/Event", NOW) == ""


def test_an_item_with_a_character_that_postgresql_cannot_store_is_kept(database: Database) -> None:
    shelf = Shelf(database)
    shelf.put(numbered(1), id="a\0b")
    assert shelf.ids() == ["1"]
