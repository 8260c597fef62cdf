"""The catalogue of one Booking System: its harvest and its searches."""

from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Executor
from datetime import datetime
from typing import Any

import httpx2

from openbooking.broker.catalogue.bookable import Terms
from openbooking.broker.catalogue.harvesting import AsyncHarvest, FeedEnd, Feeds, OnPage, follow_feeds, harvest_feeds
from openbooking.broker.catalogue.index import Index, write_concepts
from openbooking.broker.catalogue.query import Search
from openbooking.broker.catalogue.rows import read_concept
from openbooking.broker.catalogue.search import Activity, Hit, count_activities, find, find_one
from openbooking.broker.store.database import Database
from openbooking.harvest.client import HarvestOptions
from openbooking.openactive.published.values import members


class Catalogue:
    """The open data of one Booking System in the Broker's database, whose tables exist (`tables.TABLES`).

    Args:
        database: The database. It may hold the catalogues of several Booking Systems.
        system: The URL of the Booking System.
        feeds: The URLs of its open feeds by name, which begins with the type of their items.
        options: Headers and limits of the requests, and the clock.
    """

    def __init__(
        self, database: Database, system: str, feeds: Mapping[str, str], options: HarvestOptions | None = None
    ) -> None:
        self._database = database
        self._feeds = Feeds(system, feeds, options or HarvestOptions())
        self._index = Index(database)

    def harvest(self, client: httpx2.Client, on_page: OnPage | None = None) -> list[FeedEnd]:
        """Read all feeds from where the last reading stopped to their ends.

        Args:
            client: The client that sends the requests.
            on_page: Called after each page.

        Raises:
            DatabaseError: The database cannot be used.
            LinkError: The URL of a feed is no valid web address.
        """
        return harvest_feeds(self._database, self._feeds, client, self._index, on_page)

    def follow(self, client: httpx2.Client) -> Iterator[list[FeedEnd]]:
        """Read all feeds again and again, with a pause between, and yield the ends of each reading."""
        return follow_feeds(self._database, self._feeds, client, self._index)

    async def harvest_async(
        self, client: httpx2.AsyncClient, worker: Executor, on_page: OnPage | None = None
    ) -> list[FeedEnd]:
        """Read all feeds at once, as `harvest` does one after the other.

        Args:
            client: The client that sends the requests.
            worker: Runs what blocks, one at a time.
            on_page: Called after each page.

        Raises:
            DatabaseError: The database cannot be used.
            LinkError: The URL of a feed is no valid web address.
        """
        return await self._async_harvest(client, worker).read(on_page)

    def follow_async(self, client: httpx2.AsyncClient, worker: Executor) -> AsyncIterator[list[FeedEnd]]:
        """Read all feeds at once, again and again, and yield the ends of each reading."""
        return self._async_harvest(client, worker).follow()

    def search(self, search: Search) -> list[Hit]:
        """Return the Opportunities that a search finds.

        Raises:
            DatabaseError: The database cannot be used.
            SearchError: The search contradicts itself.
        """
        return find(self._database, self._feeds.system, search, self._now())

    def find(self, id_: str, requirements: frozenset[str]) -> Hit | None:
        """Return the Opportunity with an `@id`; None if no feed has it.

        Raises:
            DatabaseError: The database cannot be used.
        """
        return find_one(self._database, self._feeds.system, id_, Terms(self._now(), requirements))

    def activities(self, requirements: frozenset[str]) -> list[Activity]:
        """Return the activities and facility types of what a Broker can book now, by label.

        Raises:
            DatabaseError: The database cannot be used.
        """
        search = Search(bookable=True, requirements=requirements)
        return count_activities(self._database, self._feeds.system, search, self._now())

    def learn_concepts(self, scheme: Mapping[str, Any]) -> None:
        """Learn which concepts are narrower than others from a concept scheme, such as OpenActive's activity list.

        Args:
            scheme: The concept scheme in JSON-LD.
        """
        published = (member for name in ("concept", "hasTopConcept") for member in members(scheme.get(name)))
        concepts = [concept for member in published if (concept := read_concept(member))]
        with self._database.transaction() as transaction:
            write_concepts(transaction, concepts)

    def _now(self) -> datetime:
        return self._feeds.options.clock()

    def _async_harvest(self, client: httpx2.AsyncClient, worker: Executor) -> AsyncHarvest:
        return AsyncHarvest(self._database, self._feeds, client, self._index, worker)
