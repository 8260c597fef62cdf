"""The catalogue of a Booking System, harvested over HTTP by both clients."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openbooking.broker.catalogue.catalogue import Catalogue
from openbooking.broker.catalogue.harvesting import FeedEnd
from openbooking.broker.catalogue.query import Search
from openbooking.broker.store.database import Database
from openbooking.harvest.client import HarvestOptions, async_client, sync_client
from openbooking.harvest.reader import Limits
from support.catalogue.shelf import NOW, SYSTEM, Shelf
from support.feeds.answers import Answer
from support.feeds.server import Site, serving
from support.importing.published_items import deleted, rpde, series, session

OPTIONS = HarvestOptions(limits=Limits(first_pause=0.001, longest_pause=0.01), clock=lambda: NOW)
SERIES, SESSIONS = "/session-series", "/scheduled-sessions"


class Provider:
    """Feeds that tests change while they are served."""

    def __init__(self) -> None:
        self.pages: dict[str, list[Any]] = {SERIES: [rpde(series())], SESSIONS: [rpde(session(1)), rpde(session(2))]}

    def answer(self, path: str) -> Answer:
        """Return a page of two items."""
        feed, _, query = path.partition("?")
        if feed not in self.pages:
            return Answer(status=404)
        after = int(query.rpartition("=")[2] or 0)
        items = self.pages[feed][after : after + 2]
        following = f"{feed}?afterChangeNumber={after + len(items)}"
        return Answer(json.dumps({"items": items, "next": following}).encode())


def harvest(catalogue: Catalogue) -> list[FeedEnd]:
    with sync_client() as client:
        return catalogue.harvest(client)


def harvest_async(catalogue: Catalogue) -> list[FeedEnd]:
    async def read() -> list[FeedEnd]:
        with ThreadPoolExecutor(1) as worker:
            async with async_client() as client:
                return await catalogue.harvest_async(client, worker)

    return asyncio.run(read())


def catalogue_of(site: Site, database: Database) -> Catalogue:
    urls = {"ScheduledSession": site.url + SESSIONS, "SessionSeries": site.url + SERIES}
    return Catalogue(database, SYSTEM, urls, OPTIONS)


@pytest.mark.parametrize("read", [harvest, harvest_async])
def test_a_harvest_reads_all_feeds_and_resumes(database: Database, read: Callable[[Catalogue], list[FeedEnd]]) -> None:
    Shelf(database)
    provider = Provider()
    with serving(provider.answer) as site:
        catalogue = catalogue_of(site, database)
        assert read(catalogue) == [FeedEnd("SessionSeries", 2, 1, ""), FeedEnd("ScheduledSession", 2, 2, "")]
        assert [(hit.name, hit.id[-1]) for hit in catalogue.search(Search())] == [("Yoga", "1"), ("Yoga", "2")]
        provider.pages[SESSIONS].append(deleted(session(1)))
        provider.pages[SERIES].append(rpde(series(name="Pilates"), modified=2))
        asked = len(site.asked)
        assert [end.items for end in read(catalogue_of(site, database))] == [1, 1]
        assert all("?" in path for path, _ in site.asked[asked:])
        assert [(hit.name, hit.id[-1]) for hit in catalogue.search(Search())] == [("Pilates", "2")]


@pytest.mark.parametrize("read", [harvest, harvest_async])
def test_a_feed_that_fails_does_not_stop_the_others(
    database: Database, read: Callable[[Catalogue], list[FeedEnd]]
) -> None:
    Shelf(database)
    provider = Provider()
    del provider.pages[SERIES]
    with serving(provider.answer) as site:
        ends = read(catalogue_of(site, database))
    assert ["404" in end.fault for end in ends] == [True, False]


def test_following_reads_again_after_a_pause(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    Shelf(database)
    monkeypatch.setattr("openbooking.broker.catalogue.harvesting.PAUSE_SECONDS", 0)
    provider = Provider()

    async def follow(catalogue: Catalogue) -> list[int]:
        found = []
        with ThreadPoolExecutor(1) as worker:
            async with async_client() as client:
                async for ends in catalogue.follow_async(client, worker):
                    found.append(sum(end.items for end in ends))
                    provider.pages[SESSIONS].append(rpde(session(3)))
                    if len(found) == 2:
                        break
        return found

    with serving(provider.answer) as site:
        assert asyncio.run(follow(catalogue_of(site, database))) == [3, 1]
        with sync_client() as client:
            readings = catalogue_of(site, database).follow(client)
            assert [sum(end.items for end in next(readings)) for _ in range(2)] == [1, 0]


def test_concepts_of_a_scheme_widen_searches(database: Database) -> None:
    Shelf(database).put(series(activity=["Badminton"]), session(1))
    catalogue = Catalogue(database, SYSTEM, {}, OPTIONS)
    assert catalogue.search(Search(activity="racket sports")) == []
    badminton = {"id": "https://openactive.io/activity-list#badminton", "prefLabel": "Badminton"}
    rackets = {"id": "https://openactive.io/activity-list#rackets", "prefLabel": "Racket Sports"}
    catalogue.learn_concepts({"concept": [{**badminton, "broader": [rackets["id"]]}, rackets]})
    assert [hit.name for hit in catalogue.search(Search(activity="racket sports"))] == ["Yoga"]
