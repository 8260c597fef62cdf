"""What the other Booking System decides: quotes, proposals, bookings, cancellations and deletions.

This is written from the requirements, without the code of our Booking System. Quotes hold no spaces: there are no
leases (OB-LEASE-01 is a SHOULD).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from support.other_system import catalogue
from support.other_system.catalogue import IDS, Opportunity
from support.other_system.checks import check_order, check_payment, detail_errors
from support.other_system.differences import Differences
from support.other_system.feeds import ORDERS, PROPOSALS, Feeds
from support.other_system.orders import (
    ACCEPTED,
    AWAITING,
    CUSTOMER_CANCELLED,
    CUSTOMER_REJECTED,
    SELLER_REJECTED,
    Order,
    OrderItem,
    feed_document,
    id_of,
    order_document,
    seller_id,
)
from support.other_system.refusals import RefusalError, item_error

Answer = tuple[int, dict[str, Any] | None]


class Bookings:
    """The Opportunities and Orders of the system.

    Attributes:
        differences: How the system differs.
        opportunities: The Opportunities, by key.
        orders: The OrderProposals and Orders, by UUID.
        deleted: The UUIDs of deleted Orders.
        feeds: The feeds.
    """

    def __init__(self, url: str, now: datetime, differences: Differences) -> None:
        self._url = url
        self.differences = differences
        self.opportunities = {found.key: found for found in catalogue.opportunities(now)}
        self.orders: dict[str, Order] = {}
        self.deleted: set[str] = set()
        self.feeds = Feeds()
        self._numbers = 88_000
        for found in tuple(self.opportunities.values()):
            self.publish(found)
            self.publish_parent(found)
        self.feeds.put("lessons", "withdrawn", "ScheduledSession", {})
        self.feeds.delete("lessons", "withdrawn")
        self.feeds.open()

    def quote(self, uuid: str, sent: dict[str, Any], *, checks_details: bool) -> Answer:
        """Answer C1 or C2. The details of the Customer and of attendees are checked at C2 only."""
        self._refuse_deleted(uuid)
        check_order(sent, "OrderQuote", needs_customer=checks_details)
        items = tuple(self._items(sent, checks_details=checks_details))
        order = Order(uuid, "OrderQuote", self._url, sent, items)
        return 409 if any(item.errors for item in items) else 200, order_document(order, self.differences)

    def propose(self, uuid: str, sent: dict[str, Any]) -> Answer:
        """Answer P."""
        former = self.orders.get(uuid)
        if former and former.type == "Order":
            raise RefusalError("OrderAlreadyExistsError")
        return self._repeated(uuid, sent) or self._create(uuid, sent, "OrderProposal")

    def book(self, uuid: str, sent: dict[str, Any]) -> Answer:
        """Answer B, with or without an OrderProposal."""
        former = self.orders.get(uuid)
        if former and former.type == "OrderProposal":
            return self._book_proposal(former, sent)
        return self._repeated(uuid, sent) or self._create(uuid, sent, "Order")

    def cancel(self, uuid: str, sent: dict[str, Any]) -> Answer:
        """Answer the PATCH of an Order: the Customer cancels items (OB 9.2.8)."""
        order = self.find(uuid, "Order")
        if sent.get("@type") != "Order":
            raise RefusalError("UnexpectedOrderTypeError")
        patched = sent.get("orderedItem", [])
        if any(item.get("orderItemStatus") != CUSTOMER_CANCELLED for item in patched):
            raise RefusalError("PatchNotAllowedOnPropertyError")
        wanted = {item.get("@id") for item in patched}
        if not wanted <= {item.id for item in order.items}:
            raise RefusalError("OrderItemIdInvalidError")
        if any(item.id in wanted and item.price == 0 for item in order.items):
            raise RefusalError("CancellationNotPermittedError", "Free places are not given back: désolé.")
        self.cancel_items(order, wanted, CUSTOMER_CANCELLED)
        return 204, None

    def update_proposal(self, uuid: str, sent: dict[str, Any]) -> Answer:
        """Answer the PATCH of an OrderProposal: the Customer withdraws (OB 9.2.5)."""
        order = self.find(uuid, "OrderProposal")
        if sent.get("@type") != "OrderProposal":
            raise RefusalError("UnexpectedOrderTypeError")
        if sent.get("orderProposalStatus") != CUSTOMER_REJECTED:
            raise RefusalError("PatchNotAllowedOnPropertyError")
        if order.status != CUSTOMER_REJECTED:
            self.change(order._replace(status=CUSTOMER_REJECTED))
        return 204, None

    def delete(self, uuid: str) -> Answer:
        """Answer the DELETE of an Order (OB 9.2.7)."""
        if uuid in self.deleted and self.differences.deleted_again == 204:
            return 204, None
        order = self.orders.pop(uuid, None)
        if order is None:
            raise RefusalError("UnknownOrderError")
        self.deleted.add(uuid)
        if order.type == "Order":
            self._take(order.items, -1)
        self.feeds.delete(*self._place(order))
        return 204, None

    def status(self, uuid: str) -> Answer:
        """Answer the GET of an Order (OB 9.2.10), if the system has Order Status."""
        if self.differences.order_status == 405:
            raise RefusalError("MethodNotAllowedError")
        if self.differences.order_status == 404:
            raise RefusalError("UnknownOrIncorrectEndpointError")
        return 200, order_document(self.find(uuid), self.differences, positions=False)

    def find(self, uuid: str, type_: str = "") -> Order:
        """Return an Order, or raise UnknownOrderError or GoneError."""
        if uuid in self.deleted:
            raise RefusalError("GoneError")
        order = self.orders.get(uuid)
        if order is None or (type_ and order.type != type_):
            raise RefusalError("UnknownOrderError")
        return order

    def change(self, order: Order) -> None:
        """Store an Order and show it in its feed."""
        self.orders[order.uuid] = order
        self.feeds.put(*self._place(order), order.type, feed_document(order, self.differences))

    def cancel_items(self, order: Order, ids: set[Any], status: str, message: str = "") -> None:
        """Cancel items that are not cancelled yet, and give their spaces back."""
        cancelled = [item for item in order.items if item.id in ids and not item.is_cancelled]
        if not cancelled:
            return
        self._take(cancelled, -1)
        after = tuple(
            item._replace(status=status, message=message, has_changed=True) if item in cancelled else item
            for item in order.items
        )
        self.change(order._replace(items=after))

    def publish(self, found: Opportunity) -> None:
        """Store an Opportunity and show it in its open feed."""
        self.opportunities[found.key] = found
        self.feeds.put(
            feed_of(found), found.key, found.type, catalogue.opportunity(found, self.differences, published=True)
        )

    def publish_parent(self, found: Opportunity) -> None:
        """Show the parent of an Opportunity in its open feed, unless the Opportunity embeds its parent."""
        if not found.embeds_parent:
            feed = "courts" if found.is_slot else "series"
            self.feeds.put(
                feed, found.key, found.parent_type, catalogue.parent(found, self.differences, published=True)
            )

    def withdraw(self, key: str) -> None:
        """Delete an Opportunity from its open feed. The Opportunity can no longer be booked."""
        found = self.opportunities.pop(key)
        self.feeds.delete(feed_of(found), key)

    def _create(self, uuid: str, sent: dict[str, Any], type_: str) -> Answer:
        self._refuse_deleted(uuid)
        check_order(sent, type_, needs_customer=True)
        items = tuple(self._items(sent, checks_details=True))
        self._numbers += 1
        version = f"{self._url}order-proposals/{uuid}/versions/{uuid4()}" if type_ == "OrderProposal" else ""
        order = Order(uuid, type_, self._url, sent, items, f"Ü-{self._numbers}", version, AWAITING if version else "")
        if any(item.errors for item in items):
            if self.differences.booking_errors == "one":
                raise RefusalError("UnableToProcessOrderItemError")
            return 409, order_document(order, self.differences)
        if type_ == "Order" and order.needs_approval:
            raise RefusalError("OrderCreationFailedError", "These items need the approval of the Seller.")
        check_payment(order, self.differences)
        if type_ == "Order":
            self._take(items, 1)
        order = order._replace(request=sent, reply=order_document(order, self.differences))
        self.orders[uuid] = order
        return 201, order.reply

    def _book_proposal(self, order: Order, sent: dict[str, Any]) -> Answer:
        if sent.get("@type") != "Order":
            raise RefusalError("UnexpectedOrderTypeError")
        if sent.get("orderProposalVersion") != order.version:
            raise RefusalError("OrderProposalVersionOutdatedError")
        if order.status != ACCEPTED:
            raise RefusalError("OrderCreationFailedError", "The Seller has not accepted.")
        wanted = Counter(item.found.key for item in order.items if item.found)
        if any(key not in self.opportunities or self.opportunities[key].spaces < wanted[key] for key in wanted):
            self.change(order._replace(status=SELLER_REJECTED))
            raise RefusalError("OpportunityHasInsufficientCapacityError")
        self.feeds.delete(*self._place(order))
        payment = {"payment": sent["payment"]} if "payment" in sent else {}
        self._take(order.items, 1)
        booked = order._replace(type="Order", sent=order.sent | payment)
        reply = order_document(booked, self.differences, positions=False)
        self.orders[order.uuid] = booked._replace(request=sent, reply=reply)
        return 201, reply

    def _repeated(self, uuid: str, sent: dict[str, Any]) -> Answer | None:
        """Return the first reply if the request is a repeat (OB-B-10); None if the UUID is new."""
        order = self.orders.get(uuid)
        if order is None:
            return None
        if sent != order.request or order.reply is None:
            raise RefusalError("OrderAlreadyExistsError")
        return self.differences.repeated_booking, order.reply

    def _refuse_deleted(self, uuid: str) -> None:
        if uuid in self.deleted:
            raise RefusalError("OrderAlreadyExistsError")

    def _place(self, order: Order) -> tuple[str, str]:
        """Return the feed of an Order and its id there. OrderProposals in a shared feed have other ids (OB-OPF-06)."""
        if order.type == "Order":
            return ORDERS, order.uuid
        shared = self.differences.proposals_feed == "shared"
        return (ORDERS, f"proposal-{order.uuid}") if shared else (PROPOSALS, order.uuid)

    def _take(self, items: Iterable[OrderItem], spaces: int) -> None:
        for item in items:
            found = self.opportunities.get(item.found.key) if item.found else None
            if found and not item.is_cancelled:
                self.publish(found._replace(taken=found.taken + spaces))

    def _items(self, sent: dict[str, Any], *, checks_details: bool) -> Iterator[OrderItem]:
        """Yield the items of a request, with their errors."""
        seller = seller_id(sent)
        wanted = Counter[str]()
        for number, item in enumerate(sent.get("orderedItem", ())):
            id_ = f"{IDS}/bookings/{uuid4().int % 10**9}-{number:04}"
            found = self._find_opportunity(id_of(item.get("orderedItem")))
            if found and found.seller != seller:
                raise RefusalError("SellerMismatchError")
            errors = tuple(self._item_errors(item, found, wanted, checks_details=checks_details))
            yield OrderItem(id_, item, found, found.price if found else Decimal(0), errors=errors)

    def _item_errors(
        self, item: dict[str, Any], found: Opportunity | None, wanted: Counter[str], *, checks_details: bool
    ) -> Iterable[dict[str, Any]]:
        full = self.differences.errors == "full"
        if not {"orderedItem", "acceptedOffer"} <= item.keys():
            return [item_error("IncompleteOrderItemError", full=full)]
        if found is None:
            return [item_error("UnknownOpportunityError", full=full)]
        if id_of(item["acceptedOffer"]) != found.offer_id:
            return [item_error("UnknownOfferError", full=full)]
        if catalogue.WAIVER in found.requirements:
            return [item_error("OpportunityOfferPairNotBookableError", full=full)]
        wanted[found.key] += 1
        if wanted[found.key] > found.spaces:
            short = "OpportunityHasInsufficientCapacityError" if found.spaces else "OpportunityIsFullError"
            return [item_error(short, "Nous sommes désolés.", full=full)]
        return detail_errors(item, found, full=full) if checks_details else []

    def _find_opportunity(self, id_: str) -> Opportunity | None:
        return next((found for found in self.opportunities.values() if found.id == id_), None)


def feed_of(found: Opportunity) -> str:
    """Return the open feed that an Opportunity is in."""
    return "slots" if found.is_slot else "lessons" if found.embeds_parent else "classes"
