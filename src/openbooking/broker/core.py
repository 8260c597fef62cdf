"""The flows of a Broker at one Booking System: discovery, baskets, Orders and access (see `client.py`)."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from openbooking.broker.api.access import system_clock
from openbooking.broker.api.authorization import Consent
from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.api.openid import Tokens
from openbooking.broker.api.retries import Retries
from openbooking.broker.basket import BasketFlows, Bookable, Contents, Party, items_of, read_contents, to_json
from openbooking.broker.bookings import Booking, Bookings
from openbooking.broker.credentials import AnyAccess, Credentials
from openbooking.broker.errors import BasketError, DiscoveryError, OrderAccessError, Reply
from openbooking.broker.flow import Flow, OnPause, Pause, work
from openbooking.broker.money.journal import Journal
from openbooking.broker.money.payments import Payments
from openbooking.broker.money.purchases import Booked, Purchases
from openbooking.broker.money.recovery import FINISHED_WITHIN_SECONDS, Recovery, Report, Unfinished
from openbooking.broker.money.steps import Steps
from openbooking.broker.open_data import OpenDataFlows
from openbooking.broker.orders.compare import Version
from openbooking.broker.orders.feed import OrderFeed, OrderFeedReading
from openbooking.broker.orders.moves import MovesReading, watch_booked
from openbooking.broker.orders.pages import ChangeReading, Handler, by_application
from openbooking.broker.orders.untold import UntoldChanges
from openbooking.broker.orders.versions import latest
from openbooking.broker.ownership import OrderOwners, OwnedOrder
from openbooking.broker.schema import prepare
from openbooking.broker.store.database import Database, open_database
from openbooking.harvest.client import HarvestOptions
from openbooking.openactive.messages import OrderProposalPatch, Payment
from openbooking.openactive.terms import OPENACTIVE, BrokerRole, OrderProposalStatus, OrderType


class BrokerOptions(NamedTuple):
    """Options of a Broker.

    Attributes:
        role: The role of the Broker in its Orders.
        retries: How requests are repeated after network failures, 503s and 429s.
        clock: Returns the time, with a zone.
        on_pause: Called before each pause after which something that failed is tried again.
    """

    role: BrokerRole = BrokerRole.AGENT
    retries: Retries = Retries()
    clock: Callable[[], datetime] = system_clock
    on_pause: OnPause | None = None

    def harvest_options(self) -> HarvestOptions:
        """Return the options of harvests."""
        told = self.on_pause
        if told is None:
            return HarvestOptions(clock=self.clock)
        return HarvestOptions(
            clock=self.clock, on_wait=lambda wait: told(Pause(wait.seconds, f"{wait.url}: {wait.reason}."))
        )


class BrokerFlows(OpenDataFlows):
    """The flows of a Broker. `Broker` describes the arguments.

    Attributes:
        database: The database.
        credentials: The credentials at the Booking System.
        untold: The changes that are stored and that the application has not handled yet.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a Broker
        self,
        site: str,
        access: AnyAccess,
        database: str | Path,
        organization: Party | None,
        payments: Payments | None,
        options: BrokerOptions | None,
    ) -> None:
        self._options = options or BrokerOptions()
        super().__init__(site, _open(database), self._options.harvest_options())
        self._journal = Journal(self.database, site)
        self._owners = OrderOwners(self.database, self._journal, site)
        self._steps = Steps(self.api, payments, self._options.retries)
        self._purchases = Purchases(self._journal, self._steps)
        self._recovery = Recovery(self._journal, self._purchases, self._steps)
        self._bookings = Bookings(self.database, self._journal, site, self._options.clock)
        self.untold = UntoldChanges(self.database, site)
        self._broker = None if organization is None else to_json(organization)
        self.credentials = Credentials(access, self.discover, self.database, self._options.clock)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def api(self, seller: str) -> Flow[BookingApi]:
        """Return the API with the credentials for a Seller.

        Raises:
            DiscoveryError: The dataset site cannot be read, or names no API.
        """
        system = yield from self.discover()
        if not system.api:
            raise DiscoveryError(f"{system.site} publishes open data only: it names no API to book with.")
        return BookingApi(system.api, (yield from self.credentials.for_seller(seller)), self._options.retries)

    def begin_basket(
        self, choices: Iterable[Bookable], *, customer_key: str, customer: Party | None, payment: Payment | None
    ) -> Flow[BasketFlows]:
        """Begin a basket with a new Order UUID, which is stored before the first request is sent (OB-BRK-01).

        Args:
            choices: What to book, all of one Seller; one entry for each space.
            customer_key: The name of the Customer in the application. Only this Customer may act on the Order.
            customer: The Customer, a `Person` or an `Organization`; None if not known yet.
            payment: How the Broker will pay, for quotes; None to send no payment with them (OB-BRK-15).

        Raises:
            BasketError: There is no choice, or the choices belong to several Sellers.
        """
        chosen = list(choices)
        if not chosen:
            raise BasketError("A basket needs at least one choice.")
        seller = chosen[0].seller_id
        contents = Contents(
            items=items_of(chosen, seller), customer=None if customer is None else to_json(customer), payment=payment
        )
        encoded = msgspec.json.encode(contents)
        owned = yield from work(lambda: self._owners.begin(seller, customer_key, encoded))
        return self._basket(owned, contents)

    def open_basket(self, order: uuid.UUID, customer_key: str) -> Flow[BasketFlows]:
        """Return a basket that was begun before, as another process may have done.

        Raises:
            OrderAccessError: The Customer has no basket with this Order UUID.
        """
        owned = yield from self._owned(order, customer_key)
        if not owned.basket:
            raise OrderAccessError(f"The basket {order} has been deleted.")
        return self._basket(owned, read_contents(owned))

    def orders_of(self, customer_key: str) -> Flow[tuple[OwnedOrder, ...]]:
        """Return the Orders that a Customer has begun at this Booking System, booked or not."""
        return (yield from work(lambda: self._owners.of_customer(customer_key)))

    def booking(self, order: uuid.UUID, customer_key: str) -> Flow[Booking | None]:
        """Return what has become of an Order, with its items as people read them; None for a basket that was deleted.

        No request is sent: the answer is as old as the last harvest and the last reading of changes.

        Raises:
            OrderAccessError: The Customer has no such Order.
        """
        owned = yield from self._owned(order, customer_key)
        return (yield from work(lambda: self._bookings.read(owned)))

    def bookings(self, customer_key: str) -> Flow[tuple[Booking, ...]]:
        """Return the bookings and baskets of a Customer, as `booking` does, the latest first."""

        def read() -> tuple[Booking, ...]:
            found = (self._bookings.read(owned) for owned in reversed(self._owners.of_customer(customer_key)))
            return tuple(booking for booking in found if booking)

        return (yield from work(read))

    def forget_customer(self, customer_key: str) -> Flow[int]:
        """Erase what a Customer has told: the details, answers and baskets. The Orders stay known by their UUIDs.

        Returns:
            The number of purchases that are under way, whose details are still needed.
        """
        return (yield from work(lambda: self._owners.forget(customer_key)))

    def status(self, order: uuid.UUID, customer_key: str) -> Flow[Reply]:
        """Return the present state of an Order, or of its OrderProposal or OrderQuote (OB 9.2.10).

        Raises:
            OrderAccessError: The Customer has no such Order.
            MethodNotAllowedError: The Booking System does not offer this.
        """
        api = yield from self._api_of(order, customer_key)
        return (yield from api.status(order))

    def cancel(self, order: uuid.UUID, customer_key: str, items: Sequence[str]) -> Flow[None]:
        """Cancel items of an Order, named by their `@id`s, for its Customer (OB 9.2.8).

        Raises:
            OrderAccessError: The Customer has no such Order.
            CancellationNotPermittedError: The rules of an Offer forbid it. None of the items is cancelled.
        """
        api = yield from self._api_of(order, customer_key)
        yield from api.cancel(order, items)

    def delete_quote(self, order: uuid.UUID, customer_key: str) -> Flow[None]:
        """Delete a quote because its Customer leaves, which gives held spaces back (OB-BRK-06).

        Raises:
            OrderAccessError: The Customer has no such Order.
        """
        basket = yield from self.open_basket(order, customer_key)
        yield from basket.delete()

    def reject_proposal(self, order: uuid.UUID, customer_key: str, note: str | None = None) -> Flow[None]:
        """Reject an OrderProposal for its Customer, with a note to the Seller if there is one (OB 9.2.5).

        Raises:
            OrderAccessError: The Customer has no such Order.
            OpenBookingError: The OrderProposal is not rejected, for example because the Seller has rejected it before.
        """
        owned = yield from self._owned(order, customer_key)
        yield from self._update_proposal(order, customer_key, OrderProposalStatus.CUSTOMER_REJECTED.value, note)
        yield from work(lambda: self._journal.reject(owned.order))

    def send_note(self, order: uuid.UUID, customer_key: str, note: str) -> Flow[None]:
        """Send a note of the Customer to the Seller of an OrderProposal (OB 9.2.5).

        Raises:
            OrderAccessError: The Customer has no such Order.
        """
        yield from self._update_proposal(order, customer_key, None, note)

    def agree(self, order: uuid.UUID, customer_key: str, version: str) -> Flow[None]:
        """Note that the Customer agrees to a version of an OrderProposal that the Seller has amended.

        Raises:
            OrderAccessError: The Customer has no such Order.
            NotApprovedError: The feed has another version.
        """
        owned = yield from self._owned(order, customer_key)
        yield from self._purchases.agree(owned.order, version)

    def book_proposal(self, order: uuid.UUID, customer_key: str) -> Flow[Booked]:
        """Authorise the payment, send B for an accepted OrderProposal, and capture the payment (OB-BRK-08).

        Raises:
            OrderAccessError: The Customer has no such Order.
            NotApprovedError: The feed does not show that the Seller accepted the version that the Customer agreed to.
        """
        owned = yield from self._owned(order, customer_key)
        booked = yield from self._purchases.book_proposal(owned.order)
        yield from self._watch_booked()
        return booked

    def recover(self, oldest: float = FINISHED_WITHIN_SECONDS) -> Flow[Report]:
        """Finish or reverse every purchase that a crash or a fault left unfinished. Call it at the start, and hourly.

        Afterwards a payment is captured if and only if its Order exists, and no authorisation is forgotten. A purchase
        that another living process carries out is left alone.

        Args:
            oldest: The most seconds after which a booking is finished. An older one is reversed.
        """
        return (yield from self._recovery.recover(oldest))

    def settle(self, *, refused_too: bool = False) -> Flow[Report]:
        """Pay back what the Orders feed shows to be owed. `changes` and `apply_changes` do it at their end.

        Args:
            refused_too: Whether refunds that the payment provider has refused are tried again.
        """
        return (yield from self._recovery.settle(refused_too=refused_too))

    def unfinished(self) -> Flow[tuple[Unfinished, ...]]:
        """Return the purchases that are under way, were left unfinished or need people, the oldest first."""
        return (yield from self._recovery.unfinished())

    def readings(self) -> Flow[tuple[ChangeReading, ...]]:
        """Return readings of the Orders feed, of the OrderProposals feed, and of what was harvested.

        Raises:
            DiscoveryError: The dataset site cannot be read, or names no API.
        """
        system = yield from self.discover()
        if not system.api:
            raise DiscoveryError(f"{system.site} publishes open data only: it has no Orders feed.")
        access = yield from self.credentials.for_feeds()
        feeds = (OrderFeed(system.orders_feed, OrderType.ORDER), OrderFeed(system.proposals_feed, OrderType.PROPOSAL))
        yield from self._watch_booked()
        return (
            *(OrderFeedReading(self.database, feed, access) for feed in feeds),
            MovesReading(self.database, self._site, self._options.clock),
        )

    def apply_changes(self, handle: Handler) -> Flow[int]:
        """Have the application handle what changed since the last call, and return the number of changes (OB 8.4).

        Args:
            handle: Called for each page of changes with the connection of the database and the changes, in the
                transaction that moves the cursor. What it writes with the connection is committed with the cursor. It
                must not commit, roll back or close the connection. If it raises an error, the page comes again. In an
                `AsyncBroker` it runs in the thread of the database.

        Raises:
            FeedError: A feed cannot be read to its end.
            DatabaseError: The handler has committed, or tried to. The page comes again.
        """
        count, handling = 0, by_application(handle)
        # An application may have ended within the loop of `changes`.
        while left := (yield from self.untold.next_page()):
            count += yield from self.untold.commit(left, handling)
        for reading in (yield from self.readings()):
            while page := (yield from reading.next_page()):
                count += yield from page.commit(handling)
        yield from self.settle()
        return count

    def latest(self, order: uuid.UUID, customer_key: str) -> Flow[Version | None]:
        """Return the latest known version of an Order or OrderProposal, without asking the Booking System.

        Raises:
            OrderAccessError: The Customer has no such Order.
        """
        owned = yield from self._owned(order, customer_key)

        def read() -> Version | None:
            with self.database.transaction() as transaction:
                return latest(transaction, owned.order, OrderType.ORDER) or latest(
                    transaction, owned.order, OrderType.PROPOSAL
                )

        return (yield from work(read))

    def start_authorization(self) -> Flow[Consent]:
        """Start the authorization by a Seller: return the page to which the browser of the Seller goes.

        Raises:
            AuthorizationError: The access is not that of an `OpenIdClient` with a redirect URI.
        """
        return (yield from (yield from self.credentials.open_id()).start())

    def finish_authorization(self, url: str, state: str) -> Flow[Tokens]:
        """Finish the authorization by a Seller: keep its tokens, and return them with the `@id` of the Seller.

        Args:
            url: The URL of the application at which the browser arrived, with its query.
            state: The secret of `start_authorization`, from the session of that browser.

        Raises:
            AuthorizationError: The Seller did not consent, or the browser is another one.
        """
        return (yield from (yield from self.credentials.open_id()).finish(url, state))

    def authorized_sellers(self) -> Flow[tuple[str, ...]]:
        """Return the `@id`s of the Sellers that have authorised the Broker."""
        tokens = yield from (yield from self.credentials.open_id()).sellers()
        return tuple(each.seller for each in tokens)

    def _owned(self, order: uuid.UUID, customer_key: str) -> Flow[OwnedOrder]:
        return (yield from work(lambda: self._owners.check(order, customer_key)))

    def _api_of(self, order: uuid.UUID, customer_key: str) -> Flow[BookingApi]:
        """Return the API for an Order, after the check that it belongs to the Customer (OB-BRK-14)."""
        owned = yield from self._owned(order, customer_key)
        return (yield from self.api(owned.seller))

    def _watch_booked(self) -> Flow[None]:
        """Watch the Opportunities of new Orders for changes of time and place."""

        def watch() -> None:
            with self.database.transaction() as transaction:
                watch_booked(transaction, self._site)

        yield from work(watch)

    def _update_proposal(self, order: uuid.UUID, customer_key: str, status: str | None, note: str | None) -> Flow[None]:
        api = yield from self._api_of(order, customer_key)
        patch = OrderProposalPatch(context=OPENACTIVE, order_proposal_status=status, order_customer_note=note)
        yield from api.update_proposal(order, patch)

    def _basket(self, owned: OwnedOrder, contents: Contents) -> BasketFlows:
        return BasketFlows(
            owned,
            contents,
            owners=self._owners,
            api=lambda: self.api(owned.seller),
            purchases=self._purchases,
            after_booking=self._watch_booked,
            broker=self._broker,
            role=self._options.role,
            clock=self._options.clock,
        )


def _open(location: str | Path) -> Database:
    """Open the database, and create or upgrade its tables."""
    database = open_database(location)
    prepare(database)
    return database
