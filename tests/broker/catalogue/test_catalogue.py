"""The catalogue of a Booking System, harvested over HTTP by both clients."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from openbooking.broker.catalogue.catalogue import Catalogue
from openbooking.broker.catalogue.harvesting import FeedEnd, FeedProgress
from openbooking.broker.catalogue.query import Search
from openbooking.broker.store.database import Database
from openbooking.harvest.client import HarvestOptions, async_client, sync_client
from openbooking.harvest.reader import Limits, Wait
from openbooking.harvest.urls import LinkError
from openbooking.openactive.terms import FlowRequirement
from support.catalogue.shelf import NOW, SYSTEM, Shelf
from support.feeds.answers import Answer
from support.feeds.server import Site, serving
from support.importing.published_items import OFFER, SELLER, deleted, event, rpde, series, session

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


def test_progress_and_pauses_of_a_harvest_are_told(database: Database) -> None:
    Shelf(database)
    provider, waits = Provider(), list[Wait]()
    busy = {SERIES, SESSIONS}
    told: dict[str, list[FeedProgress]] = {"blocking": [], "asynchronous": []}

    def answer_late(path: str) -> Answer:
        if path in busy:
            busy.remove(path)
            return Answer(status=503)
        return provider.answer(path)

    async def read(catalogue: Catalogue) -> None:
        with ThreadPoolExecutor(1) as worker:
            async with async_client() as client:
                await catalogue.harvest_async(client, worker, told["asynchronous"].append)

    with serving(answer_late) as site:
        urls = {"ScheduledSession": site.url + SESSIONS, "SessionSeries": site.url + SERIES}
        catalogue = Catalogue(database, SYSTEM, urls, OPTIONS._replace(on_wait=waits.append))
        with sync_client() as client:
            catalogue.harvest(client, told["blocking"].append)
        busy |= {f"{SERIES}?afterChangeNumber=1", f"{SESSIONS}?afterChangeNumber=2"}
        asyncio.run(read(catalogue))
    assert told["blocking"][0] == FeedProgress("SessionSeries", 1, 1)
    assert FeedProgress("ScheduledSession", 2, 2) in told["blocking"]
    assert {each.name for each in told["asynchronous"]} == {"ScheduledSession", "SessionSeries"}
    assert [wait.url for wait in waits][:2] == [site.url + SERIES, site.url + SESSIONS]
    assert len(waits) == 4
    assert all("503" in wait.reason for wait in waits)


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


@pytest.mark.parametrize("read", [harvest, harvest_async])
def test_feeds_without_a_web_address_are_refused(
    database: Database, read: Callable[[Catalogue], list[FeedEnd]]
) -> None:
    Shelf(database)
    urls = {"ScheduledSession": "ftp://provider.example.com/sessions", "SessionSeries": "nonsense"}
    with pytest.raises(LinkError):
        read(Catalogue(database, SYSTEM, urls, OPTIONS))


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


def test_opportunity_is_found_by_its_id(shelf: Shelf) -> None:
    catalogue = Catalogue(shelf.database, SYSTEM, {}, HarvestOptions(clock=lambda: shelf.now))
    shelf.put(series(organizer={**SELLER, "isOpenBookingAllowed": True}), session(1))
    hit = catalogue.find(f"{SYSTEM}/sessions/1", frozenset())
    assert hit is not None
    assert (hit.name, [offer.id for offer in hit.offers]) == ("Yoga", [OFFER["@id"]])
    assert catalogue.find(f"{SYSTEM}/sessions/2", frozenset()) is None
    assert Catalogue(shelf.database, "https://other.example.com", {}).find(f"{SYSTEM}/sessions/1", frozenset()) is None
    shelf.wait(timedelta(days=30))
    over = catalogue.find(f"{SYSTEM}/sessions/1", frozenset())
    assert over is not None
    assert over.offers == ()


def test_activities_are_counted_by_what_can_be_booked(shelf: Shelf) -> None:
    catalogue = Catalogue(shelf.database, SYSTEM, {}, HarvestOptions(clock=lambda: shelf.now))
    open_ = {**SELLER, "isOpenBookingAllowed": True}
    twice = [{"@type": "Concept", "@id": "https://example.com/run", "prefLabel": "Run"}, "RUN", "Walk"]
    approval = [{**OFFER, "openBookingFlowRequirement": [FlowRequirement.APPROVAL.value]}]
    published: list[dict[str, Any]] = [
        {"activity": twice},
        {"activity": ["Run"]},
        {"activity": ["Run"], "remainingAttendeeCapacity": 0},
        {"activity": ["Chess"], "offers": approval},
        {"activity": None},
    ]
    for number, changes in enumerate(published):
        shelf.put(event(**{"@id": f"{SYSTEM}/events/{number}", "organizer": open_, "offers": [OFFER], **changes}))
    assert catalogue.activities(frozenset()) == [("run", 2), ("walk", 1)]
    with_approval = catalogue.activities(frozenset({FlowRequirement.APPROVAL.value}))
    assert with_approval == [("chess", 1), ("run", 2), ("walk", 1)]
    shelf.wait(timedelta(days=30))
    assert catalogue.activities(frozenset()) == []
