"""A small Booking System that lawfully differs from ours. The Broker client is tested against it.

It shares no code with our Booking System, keeps everything in memory, and listens on a loopback address.

    with other_system(order_status=404) as other:
        broker = Broker(other.url, auth=ApiKey(other.api_key), ...)
        other.fail_next("B", "lost after commit")
        ...
        assert list(other.orders) == [uuid]
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec

from support.other_system.access import API_KEY, CLIENT_ID, CLIENT_SECRET
from support.other_system.application import BASE, Application
from support.other_system.bookings import Bookings
from support.other_system.catalogue import Opportunity
from support.other_system.differences import Differences
from support.other_system.faults import Fault, Operation, Request, Script
from support.other_system.orders import (
    ACCEPTED,
    ATTENDED,
    AWAITING,
    SELLER_CANCELLED,
    SELLER_REJECTED,
    Order,
    OrderItem,
)
from support.other_system.server import Server

HOST = "127.0.0.1"


class OtherSystem:
    """The running system, as its Seller and as the author of a test see it.

    Attributes:
        url: The dataset site.
        endpoint: The Base URI of the API, with a slash at its end.
        api_key: The API key of the Broker.
        client_id: The client of the Broker at the OpenID provider.
        client_secret: The secret of that client.
    """

    def __init__(self, site: str, bookings: Bookings, application: Application) -> None:
        self.url, self.endpoint = f"{site}/openactive", f"{site}{BASE}"
        self.api_key, self.client_id, self.client_secret = API_KEY, CLIENT_ID, CLIENT_SECRET
        self._bookings, self._application = bookings, application

    @property
    def differences(self) -> Differences:
        """How the system differs now."""
        return self._bookings.differences

    @property
    def orders(self) -> dict[str, Order]:
        """The Orders that exist, by UUID."""
        return {uuid: order for uuid, order in self._snapshot().items() if order.type == "Order"}

    @property
    def proposals(self) -> dict[str, Order]:
        """The OrderProposals that are not booked, by UUID."""
        return {uuid: order for uuid, order in self._snapshot().items() if order.type == "OrderProposal"}

    @property
    def requests(self) -> list[Request]:
        """The requests so far."""
        return list(self._application.requests)

    def opportunity(self, key: str) -> Opportunity:
        """Return an Opportunity, such as `yoga`, `pilates`, `badminton` or `tennis` (see `catalogue`)."""
        return self._bookings.opportunities[key]

    def differ(self, **changes: Any) -> None:
        """Change the differences, for the requests and changes from now on."""
        with self._application.lock:
            self._bookings.differences = msgspec.structs.replace(self._bookings.differences, **changes)

    def fail_next(self, operation: Operation, fault: Fault, times: int = 1, *, error: str = "") -> None:
        """Let the next requests of an operation fail.

        Args:
            operation: The operation.
            fault: A status, or how the reply gets lost.
            times: The number of requests.
            error: The class of the error that a status comes with, which this system need not know. Without it, the
                body is that of a proxy.
        """
        self._application.faults.add(operation, Script(fault, error), times)

    def fail_no_more(self) -> None:
        """Forget the faults that have not happened yet."""
        self._application.faults.clear()

    def expire_tokens(self) -> None:
        """Let all access tokens end now."""
        self._application.access.expire_tokens()

    def accept(self, uuid: str) -> None:
        """Accept an OrderProposal."""
        self._change(uuid, status=ACCEPTED)

    def reject(self, uuid: str, note: str = "") -> None:
        """Reject an OrderProposal."""
        self._change(uuid, status=SELLER_REJECTED, note=note)

    def amend(self, uuid: str, price: Decimal) -> None:
        """Give all items of an OrderProposal this price, which makes a new version (OB 5.5.5.2)."""
        order = self._snapshot()[uuid]
        version = f"{self.endpoint}order-proposals/{uuid}/versions/{uuid4()}"
        items = tuple(item._replace(price=price, has_changed=True) for item in order.items)
        self._change(uuid, items=items, version=version, status=AWAITING)

    def cancel(self, uuid: str, *positions: int, message: str = "") -> None:
        """Cancel items of an Order by their numbers in the request, from 0; all items if none is named."""
        with self._application.lock:
            order = self._bookings.find(uuid, "Order")
            items = [order.items[position] for position in positions] or order.items
            self._bookings.cancel_items(order, {item.id for item in items}, SELLER_CANCELLED, message)

    def notify(self, uuid: str, notice: str) -> None:
        """Send a notice to the Customer, with all items of an Order."""
        self._change_items(uuid, notice=notice)

    def attend(self, uuid: str) -> None:
        """Report that the Customer came. The status is the one of OB 8.4.11, which our data model lacks (AMB-21)."""
        self._change_items(uuid, status=ATTENDED)

    def move(self, key: str, start: datetime) -> None:
        """Move an Opportunity. Orders show the new time if their feed shows Opportunities in full (AMB-19)."""
        bookings = self._bookings
        with self._application.lock:
            moved = bookings.opportunities[key]._replace(start=start)
            bookings.publish(moved)
            for order in tuple(bookings.orders.values()):
                items = tuple(_moved(item, moved) for item in order.items)
                if items != order.items and self.differences.feed_opportunities == "full":
                    bookings.change(order._replace(items=items))

    def sell_out(self, key: str) -> None:
        """Let others take all spaces that are left."""
        with self._application.lock:
            found = self._bookings.opportunities[key]
            self._bookings.publish(found._replace(taken=found.capacity))

    def set_price(self, key: str, price: Decimal) -> None:
        """Change the price of an Opportunity."""
        with self._application.lock:
            changed = self._bookings.opportunities[key]._replace(price=price)
            self._bookings.publish(changed)
            self._bookings.publish_parent(changed)

    def withdraw(self, key: str) -> None:
        """Delete an Opportunity."""
        with self._application.lock:
            self._bookings.withdraw(key)

    def _snapshot(self) -> dict[str, Order]:
        with self._application.lock:
            return dict(self._bookings.orders)

    def _change(self, uuid: str, **changes: Any) -> None:
        with self._application.lock:
            self._bookings.change(self._bookings.find(uuid)._replace(**changes))

    def _change_items(self, uuid: str, **changes: Any) -> None:
        with self._application.lock:
            items = tuple(item._replace(**changes, has_changed=True) for item in self._bookings.find(uuid).items)
            self._change(uuid, items=items)


def _moved(item: OrderItem, moved: Opportunity) -> OrderItem:
    if item.found is None or item.found.key != moved.key:
        return item
    return item._replace(found=moved, has_changed=True)


@contextmanager
def other_system(now: datetime | None = None, **differences: Any) -> Iterator[OtherSystem]:
    """Run the system on a free port.

    Args:
        now: The time at which the system opens. Its Opportunities begin three days later, at 18:00.
        differences: The attributes of `Differences` that have other values than the default values.
    """
    switches = Differences(**differences)
    server = Server(HOST)
    site = f"http://{HOST}:{server.port}"
    bookings = Bookings(f"{site}{BASE}", now or datetime.now(UTC), switches)
    application = Application(site, bookings, server.drop)
    with server.run(application):
        yield OtherSystem(site, bookings, application)
