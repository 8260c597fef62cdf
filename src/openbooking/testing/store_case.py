"""The base class of all tests of stores. It opens the store under test, and publishes sessions in it."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.store import FeedWriter, Store
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers
from openbooking.testing.samples import MANAGER, SELLER, Clock, session

POLICY = Policy(leasing=Leasing.ANONYMOUS)
UUID = "e11429ea-467f-4270-ab62-e47368996fe8"


def feed_writer() -> FeedWriter:
    """Return the writer of feed items that the kit passes to stores."""
    return JsonLdFeedWriter(Writer(Identifiers("https://kit.example.com/api")))


class StoreTestCase:
    """The base class of all tests of stores.

    Attributes:
        rounds: The number of attempts of each test with processes. More attempts find rarer faults, and take longer.
    """

    rounds = 3

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> Store | Awaitable[Store]:
        """Open the store under test.

        Args:
            folder: A folder that belongs to the test. Stores that are opened with the same folder use the same
                database, also one after the other and in different processes.
            policy: The policy by which the store decides.
            writer: The writer of the data of feed items.
            clock: The clock of the store, which stands still until a test moves it.
        """
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, folder: Path, clock: Clock, policy: Policy = POLICY) -> AsyncIterator[Store]:
        """Open the store, and close it afterwards."""
        opened = self.open_store(folder, policy=policy, writer=feed_writer(), clock=clock)
        store = await opened if isinstance(opened, Awaitable) else opened
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def stocked(self, folder: Path, clock: Clock, **capacities: int) -> AsyncIterator[Store]:
        """Open the store, and publish a Seller and sessions of these capacities, by key."""
        async with self.opened(folder, clock) as store:
            await store.execute(PublishSeller(SELLER, actor=MANAGER))
            for key, capacity in capacities.items():
                await store.execute(Publish(session(key, capacity), actor=MANAGER))
            yield store
