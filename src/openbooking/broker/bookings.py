"""The bookings of a Customer, read from the journal, the Orders feeds and the harvest, without a request."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from openbooking.broker.basket import read_contents
from openbooking.broker.catalogue.lookup import find_opportunity
from openbooking.broker.items import DescribedItem, describe
from openbooking.broker.money.amounts import amount_of
from openbooking.broker.money.journal import Journal, Purchase
from openbooking.broker.money.purchase import BOUGHT, WORDS, State
from openbooking.broker.orders.compare import Version, id_of
from openbooking.broker.orders.versions import latest
from openbooking.broker.ownership import OwnedOrder
from openbooking.broker.store.database import Database, Transaction
from openbooking.openactive.messages import OrderItem, OrderProposalFeedData
from openbooking.openactive.terms import OrderProposalStatus, OrderType


class BookingState(StrEnum):
    """What has become of a basket, in words for the Customer."""

    BASKET = "not booked yet"
    UNDER_WAY = "we are finding out"
    AWAITING = "waiting for approval"
    ACCEPTED = "approved"
    SELLER_REJECTED = "rejected by the organiser"
    CUSTOMER_REJECTED = "withdrawn by you"
    BOOKED = "booked"
    CANCELLED = "cancelled"
    LOST = "no longer booked"


_PROPOSALS = {
    OrderProposalStatus.AWAITING: BookingState.AWAITING,
    OrderProposalStatus.ACCEPTED: BookingState.ACCEPTED,
    OrderProposalStatus.SELLER_REJECTED: BookingState.SELLER_REJECTED,
    OrderProposalStatus.CUSTOMER_REJECTED: BookingState.CUSTOMER_REJECTED,
}
# Nothing is booked, and the basket can be quoted.
_OF_BASKETS = frozenset({State.OPEN, State.REVERSED})


class Booking(NamedTuple):
    """A booking or a basket of a Customer.

    Attributes:
        order: The Order UUID.
        state: What has become of it.
        items: The items; those of the latest quote if nothing is booked.
        total: The total; None if it is not known.
        currency: The currency of the total; empty if there is none.
        paid: The amount that the Broker has captured.
        refunded: The part of it that was paid back.
        under_way: What is being done now, in words; empty if nothing is.
        version: The version of the OrderProposal; empty for an Order.
    """

    order: UUID
    state: BookingState
    items: tuple[DescribedItem, ...] = ()
    total: Decimal | None = None
    currency: str = ""
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    under_way: str = ""
    version: str = ""

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether the Customer can reject the OrderProposal."""
        return self.state in {BookingState.AWAITING, BookingState.ACCEPTED}


class Bookings:
    """Reads the bookings of Customers. The methods block; flows call them as `Work`.

    Args:
        database: The database.
        journal: The journal of purchases.
        site: The URL of the dataset site.
        clock: Returns the time, with a zone.
    """

    def __init__(self, database: Database, journal: Journal, site: str, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._journal = journal
        self._site = site
        self._clock = clock

    def read(self, owned: OwnedOrder) -> Booking | None:
        """Return a booking; None for a basket that was deleted."""
        purchase = self._journal.find(owned.order)
        with self._database.reading() as transaction:
            version = latest(transaction, owned.order, OrderType.ORDER) or latest(
                transaction, owned.order, OrderType.PROPOSAL
            )
            items = self._items(transaction, owned, purchase, version)
        state = _state(purchase, version, items)
        if state is BookingState.BASKET and not owned.basket:
            return None
        due = version.total_payment_due if version else None
        is_bought = bool(purchase.payment_key) and purchase.state in BOUGHT
        return Booking(
            order=owned.order,
            state=state,
            items=items,
            total=None if due is None else amount_of(due),
            # A total of 0 may have no currency.
            currency=(due and due.price_currency) or purchase.currency,
            paid=purchase.amount if is_bought else Decimal(0),
            refunded=purchase.refunded,
            under_way=WORDS[purchase.state] if state is BookingState.UNDER_WAY else "",
            version=version.order_proposal_version if isinstance(version, OrderProposalFeedData) else "",
        )

    def _items(
        self, transaction: Transaction, owned: OwnedOrder, purchase: Purchase, version: Version | None
    ) -> tuple[DescribedItem, ...]:
        quote = read_contents(owned).reply if owned.basket else None
        if version is None:
            return tuple(describe(str(index), item) for index, item in enumerate(quote.ordered_item if quote else ()))
        known = {
            id_of(reference): reference
            for item in (*(quote.ordered_item if quote else ()), *_replied(purchase))
            for reference in (item.ordered_item, item.accepted_offer)
            if isinstance(reference, dict)
        }

        def whole(reference: object) -> Mapping[str, Any]:
            """Return an object that feeds may name by its `@id` alone. What was harvested is the newest."""
            stated = reference if isinstance(reference, dict) else {}
            id_ = reference if isinstance(reference, str) else id_of(stated)
            harvested = find_opportunity(transaction, self._site, id_) if id_ else None
            return {**known.get(id_, {}), **stated, **(harvested or {})}

        now = self._clock()
        return tuple(describe(item.id or "", item, whole, now) for item in version.ordered_item)


class _Reply(msgspec.Struct, rename="camel"):
    ordered_item: tuple[OrderItem, ...] = ()


def _replied(purchase: Purchase) -> tuple[OrderItem, ...]:
    """Return the items of the latest reply to P or B."""
    return msgspec.json.decode(purchase.reply, type=_Reply).ordered_item if purchase.reply else ()


def _state(purchase: Purchase, version: Version | None, items: tuple[DescribedItem, ...]) -> BookingState:
    if purchase.is_unfinished and purchase.state not in BOUGHT:
        return BookingState.UNDER_WAY
    if version is None:
        return BookingState.BASKET if purchase.state in _OF_BASKETS else BookingState.LOST
    if isinstance(version, OrderProposalFeedData):
        # The Customer may have rejected it since the feed was read.
        is_withdrawn = purchase.proposal_status == OrderProposalStatus.CUSTOMER_REJECTED
        return BookingState.CUSTOMER_REJECTED if is_withdrawn else _PROPOSALS[version.order_proposal_status]
    is_cancelled = bool(items) and all(item.is_cancelled for item in items)
    return BookingState.CANCELLED if is_cancelled else BookingState.BOOKED
