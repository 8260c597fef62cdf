"""The client of a Broker: `Broker` for blocking callers, `AsyncBroker` for asynchronous callers.

    with Broker("https://booking.example/", access=ApiKey("…"), organization=Organization(name="My App")) as broker:
        basket = broker.basket([choice], customer_key="user-17", customer=Person(email="sam@example.com"))
        quote = basket.quote()

Both classes have the same methods, which `core.py` and `basket.py` write once as flows (see `drivers.py`).
"""

import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Self, Unpack

import httpx2

from openbooking.broker.basket import BasketFlows, Bookable, Contents, Party
from openbooking.broker.catalogue.harvesting import FeedEnd, FeedProgress
from openbooking.broker.catalogue.query import Search, SearchTerms
from openbooking.broker.catalogue.search import Hit
from openbooking.broker.core import BrokerFlows, BrokerOptions
from openbooking.broker.credentials import AnyAccess
from openbooking.broker.drivers import AsyncDriver, BlockingDriver, asynchronous, blocking
from openbooking.broker.flow import pause
from openbooking.broker.money.payments import Payments
from openbooking.broker.orders.changes import Change
from openbooking.broker.orders.feed import DEFAULT_PAUSE, FeedError, check_pause
from openbooking.openactive.messages import Payment


class _KeptBasket:
    """What is known of a basket without a request."""

    _flows: BasketFlows

    @property
    def order(self) -> uuid.UUID:
        """The Order UUID."""
        return self._flows.owned.order

    @property
    def contents(self) -> Contents:
        """What the basket contains."""
        return self._flows.contents


class Basket(_KeptBasket):
    """A basket of a `Broker`. It is kept in the database: `Broker.open_basket` finds it again."""

    def __init__(self, driver: BlockingDriver, flows: BasketFlows) -> None:
        self._driver = driver
        self._flows = flows

    quote = blocking(BasketFlows.quote)
    current_quote = blocking(BasketFlows.current_quote)
    add = blocking(BasketFlows.add)
    remove = blocking(BasketFlows.remove)
    set_customer = blocking(BasketFlows.set_customer)
    answer = blocking(BasketFlows.answer)
    book = blocking(BasketFlows.book)
    propose = blocking(BasketFlows.propose)
    delete = blocking(BasketFlows.delete)


class AsyncBasket(_KeptBasket):
    """A basket of an `AsyncBroker`. It is kept in the database: `AsyncBroker.open_basket` finds it again."""

    def __init__(self, driver: AsyncDriver, flows: BasketFlows) -> None:
        self._driver = driver
        self._flows = flows

    quote = asynchronous(BasketFlows.quote)
    current_quote = asynchronous(BasketFlows.current_quote)
    add = asynchronous(BasketFlows.add)
    remove = asynchronous(BasketFlows.remove)
    set_customer = asynchronous(BasketFlows.set_customer)
    answer = asynchronous(BasketFlows.answer)
    book = asynchronous(BasketFlows.book)
    propose = asynchronous(BasketFlows.propose)
    delete = asynchronous(BasketFlows.delete)


class Broker:
    """A Broker at one Booking System, for blocking callers. Its methods may be called from any thread.

    Args:
        site: The URL of the dataset site.
        access: The credentials: an `ApiKey`, an `OpenIdClient`, `FixedHeaders`, or an `Access` of the application.
        database: The path of an SQLite file, the URL of a PostgreSQL database, or `:memory:`.
        organization: The Broker, as Sellers see it; None for the role NoBroker.
        payments: The hooks of payment; None if the Broker takes no payments.
        options: The role of the Broker, and how requests are repeated.
        client: The HTTP client; by default one that is closed with the Broker.

    Raises:
        DatabaseError: The database cannot be opened.
    """

    def __init__(  # noqa: PLR0913 - the parts of a Broker
        self,
        site: str,
        *,
        access: AnyAccess,
        database: str | Path = "broker.sqlite3",
        organization: Party | None = None,
        payments: Payments | None = None,
        options: BrokerOptions | None = None,
        client: httpx2.Client | None = None,
    ) -> None:
        self._flows = BrokerFlows(site, access, database, organization, payments, options)
        self._driver = BlockingDriver(client, options and options.on_pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and the HTTP client."""
        self._driver.close()
        self._flows.close()

    def basket(
        self,
        choices: Iterable[Bookable],
        *,
        customer_key: str,
        customer: Party | None = None,
        payment: Payment | None = None,
    ) -> Basket:
        """Begin a basket, as `BrokerFlows.begin_basket` says."""
        flow = self._flows.begin_basket(choices, customer_key=customer_key, customer=customer, payment=payment)
        return Basket(self._driver, self._driver.run(flow))

    def open_basket(self, order: uuid.UUID, customer_key: str) -> Basket:
        """Return a basket that was begun before, as `BrokerFlows.open_basket` says."""
        return Basket(self._driver, self._driver.run(self._flows.open_basket(order, customer_key)))

    def harvest(self, on_page: Callable[[FeedProgress], object] | None = None) -> list[FeedEnd]:
        """Read the open feeds to their ends, from where the last harvest stopped.

        Args:
            on_page: Called after each page of a feed.

        Raises:
            DiscoveryError: The dataset site cannot be read.
        """
        return self._driver.run(self._flows.catalogue()).harvest(self._driver.client, on_page)

    def follow_feeds(self) -> Iterator[list[FeedEnd]]:
        """Read the open feeds again and again, with a pause of a minute between, and yield the ends of each reading.

        Raises:
            DiscoveryError: The dataset site cannot be read.
        """
        return self._driver.run(self._flows.catalogue()).follow(self._driver.client)

    def search(self, **terms: Unpack[SearchTerms]) -> list[Hit]:
        """Search what was harvested; `Search` describes the terms.

        Raises:
            SearchError: A term is out of bounds, or hits are to be sorted by the distance from nowhere.
        """
        return self._driver.run(self._flows.search(Search(**terms)))

    def changes(self) -> Iterator[Change]:
        """Yield what changed since the last call, in the Orders feed and the OrderProposals feed (OB 8.4).

        A change is stored before it is yielded: within the loop, `booking`, `latest`, `agree` and `book_proposal` know
        of it. If the application fails before it has handled all changes of a page, the next call yields them first.
        Afterwards what is owed is paid back. Call it at least once a minute (OB-BRK-07).

        Raises:
            FeedError: A feed cannot be read to its end.
        """
        run, untold = self._driver.run, self._flows.untold
        yield from self._untold()
        for reading in run(self._flows.readings()):
            while page := run(reading.next_page()):
                run(page.commit(untold.keep))
                yield from self._untold()
        run(self._flows.settle())

    def _untold(self) -> Iterator[Change]:
        """Yield the changes that are stored and not handled yet, and forget those of each page afterwards."""
        run, untold = self._driver.run, self._flows.untold
        while page := run(untold.next_page()):
            yield from page.changes
            run(untold.told(page))

    def follow_changes(
        self, pause_seconds: float = DEFAULT_PAUSE, on_fault: Callable[[FeedError], object] | None = None
    ) -> Iterator[Change]:
        """Yield changes for ever, as `changes` does (OB-BRK-07).

        Args:
            pause_seconds: The pause between two readings: at most 60 seconds.
            on_fault: Called if a feed cannot be read to its end; the reading is then tried again. None to raise.

        Raises:
            ValueError: The pause is longer than the specification allows.
            FeedError: A feed cannot be read to its end.
        """
        check_pause(pause_seconds)
        while True:
            try:
                yield from self.changes()
            except FeedError as fault:
                if on_fault is None:
                    raise
                on_fault(fault)
            self._driver.run(pause(pause_seconds))

    discover = blocking(BrokerFlows.discover)
    orders_of = blocking(BrokerFlows.orders_of)
    booking = blocking(BrokerFlows.booking)
    bookings = blocking(BrokerFlows.bookings)
    forget_customer = blocking(BrokerFlows.forget_customer)
    status = blocking(BrokerFlows.status)
    cancel = blocking(BrokerFlows.cancel)
    delete_quote = blocking(BrokerFlows.delete_quote)
    reject_proposal = blocking(BrokerFlows.reject_proposal)
    send_note = blocking(BrokerFlows.send_note)
    agree = blocking(BrokerFlows.agree)
    book_proposal = blocking(BrokerFlows.book_proposal)
    recover = blocking(BrokerFlows.recover)
    settle = blocking(BrokerFlows.settle)
    unfinished = blocking(BrokerFlows.unfinished)
    apply_changes = blocking(BrokerFlows.apply_changes)
    latest = blocking(BrokerFlows.latest)
    find = blocking(BrokerFlows.find)
    activities = blocking(BrokerFlows.activities)
    learn_concepts = blocking(BrokerFlows.learn_concepts)
    start_authorization = blocking(BrokerFlows.start_authorization)
    finish_authorization = blocking(BrokerFlows.finish_authorization)
    authorized_sellers = blocking(BrokerFlows.authorized_sellers)


class AsyncBroker:
    """A Broker at one Booking System, for asynchronous callers. The arguments are those of `Broker`."""

    def __init__(  # noqa: PLR0913 - the parts of a Broker
        self,
        site: str,
        *,
        access: AnyAccess,
        database: str | Path = "broker.sqlite3",
        organization: Party | None = None,
        payments: Payments | None = None,
        options: BrokerOptions | None = None,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._flows = BrokerFlows(site, access, database, organization, payments, options)
        self._driver = AsyncDriver(client, options and options.on_pause)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the database and the HTTP client."""
        await self._driver.close()
        self._flows.close()

    async def basket(
        self,
        choices: Iterable[Bookable],
        *,
        customer_key: str,
        customer: Party | None = None,
        payment: Payment | None = None,
    ) -> AsyncBasket:
        """Begin a basket, as `BrokerFlows.begin_basket` says."""
        flow = self._flows.begin_basket(choices, customer_key=customer_key, customer=customer, payment=payment)
        return AsyncBasket(self._driver, await self._driver.run(flow))

    async def open_basket(self, order: uuid.UUID, customer_key: str) -> AsyncBasket:
        """Return a basket that was begun before, as `BrokerFlows.open_basket` says."""
        return AsyncBasket(self._driver, await self._driver.run(self._flows.open_basket(order, customer_key)))

    async def harvest(self, on_page: Callable[[FeedProgress], object] | None = None) -> list[FeedEnd]:
        """Read the open feeds to their ends, several at once, from where the last harvest stopped.

        Args:
            on_page: Called after each page of a feed.

        Raises:
            DiscoveryError: The dataset site cannot be read.
        """
        catalogue = await self._driver.run(self._flows.catalogue())
        return await catalogue.harvest_async(self._driver.client, self._driver.worker, on_page)

    async def follow_feeds(self) -> AsyncIterator[list[FeedEnd]]:
        """Read the open feeds again and again, as `Broker.follow_feeds` does."""
        catalogue = await self._driver.run(self._flows.catalogue())
        async for ends in catalogue.follow_async(self._driver.client, self._driver.worker):
            yield ends

    async def search(self, **terms: Unpack[SearchTerms]) -> list[Hit]:
        """Search what was harvested, as `Broker.search` does."""
        return await self._driver.run(self._flows.search(Search(**terms)))

    async def changes(self) -> AsyncIterator[Change]:
        """Yield what changed since the last call, as `Broker.changes` does."""
        run, untold = self._driver.run, self._flows.untold
        async for change in self._untold():
            yield change
        for reading in await run(self._flows.readings()):
            while page := await run(reading.next_page()):
                await run(page.commit(untold.keep))
                async for change in self._untold():
                    yield change
        await run(self._flows.settle())

    async def _untold(self) -> AsyncIterator[Change]:
        run, untold = self._driver.run, self._flows.untold
        while page := await run(untold.next_page()):
            for change in page.changes:
                yield change
            await run(untold.told(page))

    async def follow_changes(
        self, pause_seconds: float = DEFAULT_PAUSE, on_fault: Callable[[FeedError], object] | None = None
    ) -> AsyncIterator[Change]:
        """Yield changes for ever, as `Broker.follow_changes` does."""
        check_pause(pause_seconds)
        while True:
            try:
                async for change in self.changes():
                    yield change
            except FeedError as fault:
                if on_fault is None:
                    raise
                on_fault(fault)
            await self._driver.run(pause(pause_seconds))

    discover = asynchronous(BrokerFlows.discover)
    orders_of = asynchronous(BrokerFlows.orders_of)
    booking = asynchronous(BrokerFlows.booking)
    bookings = asynchronous(BrokerFlows.bookings)
    forget_customer = asynchronous(BrokerFlows.forget_customer)
    status = asynchronous(BrokerFlows.status)
    cancel = asynchronous(BrokerFlows.cancel)
    delete_quote = asynchronous(BrokerFlows.delete_quote)
    reject_proposal = asynchronous(BrokerFlows.reject_proposal)
    send_note = asynchronous(BrokerFlows.send_note)
    agree = asynchronous(BrokerFlows.agree)
    book_proposal = asynchronous(BrokerFlows.book_proposal)
    recover = asynchronous(BrokerFlows.recover)
    settle = asynchronous(BrokerFlows.settle)
    unfinished = asynchronous(BrokerFlows.unfinished)
    apply_changes = asynchronous(BrokerFlows.apply_changes)
    latest = asynchronous(BrokerFlows.latest)
    find = asynchronous(BrokerFlows.find)
    activities = asynchronous(BrokerFlows.activities)
    learn_concepts = asynchronous(BrokerFlows.learn_concepts)
    start_authorization = asynchronous(BrokerFlows.start_authorization)
    finish_authorization = asynchronous(BrokerFlows.finish_authorization)
    authorized_sellers = asynchronous(BrokerFlows.authorized_sellers)
