"""A basket: what a Customer wants to book of one Seller, and what the Booking System says to it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.errors import BasketError, ItemsRefusedError
from openbooking.broker.flow import Flow, work
from openbooking.broker.forms import (
    AnswersError,
    Question,
    faults_of,
    with_answers,
)
from openbooking.broker.money.errors import NoQuoteError
from openbooking.broker.money.purchases import Booked, Proposed, Purchases
from openbooking.broker.ownership import OrderOwners, OwnedOrder
from openbooking.broker.quotes import Quote, quote_of
from openbooking.openactive.messages import (
    JsonObject,
    Message,
    OrderItemRequest,
    OrderQuote,
    OrderRequest,
    Payment,
    PriceSpecification,
)
from openbooking.openactive.terms import OPENACTIVE, Availability, BrokerRole, OrderType

# A struct such as `Person`, or its properties in JSON.
Party = Message | JsonObject


class Bookable(Protocol):
    """What a basket needs of something that was found: the `@id`s of an Opportunity, an Offer and the Seller."""

    @property
    def opportunity_id(self) -> str:
        """The `@id` of the Opportunity."""
        ...

    @property
    def offer_id(self) -> str:
        """The `@id` of the Offer."""
        ...

    @property
    def seller_id(self) -> str:
        """The `@id` of the Seller."""
        ...


class Choice(NamedTuple):
    """One space at an Opportunity, for the price of an Offer.

    Attributes:
        opportunity_id: The `@id` of the Opportunity.
        offer_id: The `@id` of the Offer.
        seller_id: The `@id` of the Seller.
    """

    opportunity_id: str
    offer_id: str
    seller_id: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a basket contains.

    Attributes:
        items: The items by position. The position of an item never changes.
        customer: The Customer; None until the Customer is known.
        answers: The answers by position and by key of the question.
        questions: The questions of the latest quote.
        total: The total of the latest quote; None before the first.
        payment: How the Broker will pay, for quotes; None to send no payment with them (OB-BRK-15).
        requires_approval: Whether the Seller must approve the Order.
        is_quoted: Whether a quote was received since the last change.
        reply: The latest quote; None before the first.
    """

    items: dict[int, OrderItemRequest] = {}
    customer: dict[str, Any] | None = None
    answers: dict[int, dict[str, Any]] = {}
    questions: tuple[Question, ...] = ()
    total: PriceSpecification | None = None
    payment: Payment | None = None
    requires_approval: bool = False
    is_quoted: bool = False
    reply: OrderQuote | None = None

    def __repr__(self) -> str:
        """Return the number of items: the rest is about people."""
        return f"Contents({len(self.items)} items)"


class BasketFlows:
    """The flows of a basket. Every change of it asks for another quote (OB-BRK-05).

    Args:
        owned: The Order UUID of the basket, with its Seller and its Customer's key.
        contents: What the basket contains.
        owners: Keeps the basket in the database.
        api: Returns the API with the credentials for the Seller.
        purchases: Books with payment.
        after_booking: Called after an Order was booked.
        broker: The Broker, as the Seller sees it; None for the role NoBroker.
        role: The role of the Broker.
        clock: Returns the time, with a zone.
    """

    def __init__(  # noqa: PLR0913 - the parts of a basket
        self,
        owned: OwnedOrder,
        contents: Contents,
        *,
        owners: OrderOwners,
        api: Callable[[], Flow[BookingApi]],
        purchases: Purchases,
        after_booking: Callable[[], Flow[None]],
        broker: JsonObject | None,
        role: BrokerRole,
        clock: Callable[[], datetime],
    ) -> None:
        self.owned = owned
        self.contents = contents
        self._owners = owners
        self._api = api
        self._purchases = purchases
        self._after_booking = after_booking
        self._broker = broker
        self._role = role
        self._clock = clock

    def quote(self) -> Flow[Quote]:
        """Ask for a quote: C2 if the Customer is known, otherwise C1.

        Errors of items are in the quote. Answers that are not allowed are found before the request is sent. A basket
        whose booking was reversed, for example because the payment was declined, begins again with another Order UUID.

        Raises:
            AnswersError: An answer is not allowed.
            WrongStateError: The basket was booked or proposed before, or is being booked.
        """
        self._check_answers(complete=False)
        order = yield from self._purchases.order_to_quote(self.owned.order)
        self.owned = self.owned._replace(order=order)
        api = yield from self._api()
        try:
            reply = yield from api.quote(self.owned.order, self.request(OrderType.QUOTE))
        except ItemsRefusedError as refusal:
            if not isinstance(refusal.reply, OrderQuote):
                raise
            reply = refusal.reply
        quote = quote_of(reply, self.contents.answers)
        yield from self._keep(
            replace(
                self.contents,
                questions=quote.questions,
                total=None if quote.faults else reply.total_payment_due,
                requires_approval=bool(reply.order_requires_approval),
                is_quoted=True,
                reply=reply,
            )
        )
        return quote

    def current_quote(self) -> Flow[Quote]:
        """Return the latest quote without a request while its Lease lives; otherwise ask for another one.

        Pages show a basket by it, so that the Lease is not renewed each time somebody looks. The errors are those of
        `quote`.
        """
        order, reply = (yield from self._purchases.order_to_quote(self.owned.order)), self.contents.reply
        if order == self.owned.order and self.contents.is_quoted and reply is not None:
            quote = quote_of(reply, self.contents.answers)
            if quote.lease_expires and quote.lease_expires > self._clock():
                return quote
        return (yield from self.quote())

    def add(self, choices: Iterable[Bookable]) -> Flow[Quote]:
        """Add spaces of the same Seller, and ask for another quote.

        Raises:
            BasketError: A choice belongs to another Seller.
        """
        first = max(self.contents.items, default=-1) + 1
        added = items_of(choices, self.owned.seller, first)
        yield from self._keep(replace(self.contents, items={**self.contents.items, **added}, is_quoted=False))
        return (yield from self.quote())

    def remove(self, position: int) -> Flow[Quote]:
        """Remove the item at a position, and ask for another quote.

        Raises:
            BasketError: There is no item at this position, or it is the last item: delete the basket instead.
        """
        items = dict(self.contents.items)
        if items.pop(position, None) is None:
            raise BasketError(f"The basket has no item at the position {position}.")
        if not items:
            raise BasketError("The last item of a basket cannot be removed; delete the basket.")
        answers = {at: given for at, given in self.contents.answers.items() if at != position}
        yield from self._keep(replace(self.contents, items=items, answers=answers, is_quoted=False))
        return (yield from self.quote())

    def set_customer(self, customer: Party) -> Flow[Quote]:
        """Name the Customer, a `Person` or an `Organization`, and ask for another quote, which is C2."""
        yield from self._keep(replace(self.contents, customer=to_json(customer), is_quoted=False))
        return (yield from self.quote())

    def answer(self, answers: Mapping[int, Mapping[str, Any]]) -> Flow[Quote]:
        """Answer questions, by position and key, and ask for another quote. Other answers stay.

        Raises:
            AnswersError: An answer is not allowed. None of the answers is kept.
        """
        merged = dict(self.contents.answers)
        for position, given in answers.items():
            merged[position] = {**merged.get(position, {}), **given}
        self._check_answers(merged, complete=False)
        yield from self._keep(replace(self.contents, answers=merged, is_quoted=False))
        return (yield from self.quote())

    def delete(self) -> Flow[None]:
        """Delete the quote because the Customer leaves, which gives held spaces back (OB-BRK-06)."""
        api = yield from self._api()
        yield from api.delete_quote(self.owned.order)
        yield from work(lambda: self._owners.keep(self.owned.order, b""))

    def book(self, reference: str = "", *, pays: bool = True) -> Flow[Booked]:
        """Authorise the payment, send B and capture the payment. If the booking fails, what was begun is reversed.

        Args:
            reference: A text for the hooks of payment, such as the id of a payment method.
            pays: Whether the Broker takes the payment; otherwise the Customer pays the Seller. The Broker never takes a
                payment if the latest quote says that prepayment is unavailable (OB 7.6).

        Raises:
            AnswersError: A required answer is missing, or an answer is not allowed.
            DeclinedError: The payment was refused. Nothing is booked; the basket remains.
            PriceChangedError: The total has changed. Nothing is booked or paid.
            ItemsRefusedError: Items cannot be booked any more. Nothing is paid; another quote says why.
            NoQuoteError: No quote was received since the last change of the basket. Nothing is booked or paid.
            UnfinishedError: The outcome of a step is not known; `Broker.recover` finishes or reverses the booking.
            WrongStateError: The basket was booked before, or is being booked.
        """
        request = self.booking_request()
        booked = yield from self._purchases.book(
            self.owned.order, request, reference, pays=pays and self._can_be_prepaid
        )
        self.owned = self.owned._replace(order=booked.order)
        yield from self._after_booking()
        return booked

    def propose(self, reference: str = "", *, pays: bool = True) -> Flow[Proposed]:
        """Send P, because the Seller must approve. Nothing is authorised yet. The arguments are those of `book`.

        Once `changes` tells that the Seller has accepted, `Broker.book_proposal` books and pays.
        """
        request = self.booking_request()
        proposed = yield from self._purchases.propose(
            self.owned.order, request, reference, pays=pays and self._can_be_prepaid
        )
        self.owned = self.owned._replace(order=proposed.order)
        return proposed

    def booking_request(self) -> OrderRequest:
        """Return the body of B, or of P if the Seller must approve, as the latest quote stands, without payment.

        Raises:
            AnswersError: A required answer is missing, or an answer is not allowed.
            NoQuoteError: No quote was received since the last change of the basket.
        """
        if not self.contents.is_quoted:
            raise NoQuoteError(self.owned.order)
        self._check_answers(complete=True)
        type_ = OrderType.PROPOSAL if self.contents.requires_approval else OrderType.ORDER
        return self.request(type_)

    def request(self, type_: OrderType) -> OrderRequest:
        """Return the body of a request of this type."""
        contents = self.contents
        items = tuple(contents.items[position] for position in sorted(contents.items))
        is_quote = type_ is OrderType.QUOTE
        knows_customer = contents.customer is not None
        return OrderRequest(
            context=OPENACTIVE,
            type=type_,
            seller=self.owned.seller,
            broker_role=self._role,
            broker=self._broker,
            customer=contents.customer,
            # C1 is asked before the Customer is known, and so without the Customer's answers.
            ordered_item=with_answers(items, contents.questions, contents.answers) if knows_customer else items,
            total_payment_due=None if is_quote else _due(contents.total),
            payment=contents.payment if is_quote else None,
        )

    @property
    def _can_be_prepaid(self) -> bool:
        total = self.contents.total
        return total is None or total.open_booking_prepayment is not Availability.UNAVAILABLE

    def _check_answers(self, answers: dict[int, dict[str, Any]] | None = None, *, complete: bool) -> None:
        given = self.contents.answers if answers is None else answers
        faults = faults_of(self.contents.questions, given, complete=complete)
        if faults:
            raise AnswersError(faults)

    def _keep(self, contents: Contents) -> Flow[None]:
        """Keep what the basket contains, in the database too."""
        encoded = msgspec.json.encode(contents)
        yield from work(lambda: self._owners.keep(self.owned.order, encoded))
        self.contents = contents


def items_of(choices: Iterable[Bookable], seller: str, first: int = 0) -> dict[int, OrderItemRequest]:
    """Return the items of a request, by position.

    Raises:
        BasketError: A choice lacks an `@id`, or belongs to another Seller, because an Order has one Seller.
    """
    items = {}
    for position, choice in enumerate(choices, first):
        if not (choice.opportunity_id and choice.offer_id and choice.seller_id):
            raise BasketError(f"{choice.opportunity_id or 'An Opportunity'} lacks an @id, an Offer or a Seller.")
        if choice.seller_id != seller:
            raise BasketError(f"{choice.opportunity_id} belongs to another Seller; make another basket for it.")
        items[position] = OrderItemRequest(
            position=position, ordered_item=choice.opportunity_id, accepted_offer=choice.offer_id
        )
    return items


def read_contents(owned: OwnedOrder) -> Contents:
    """Return what the basket of an Order contains."""
    return msgspec.json.decode(owned.basket, type=Contents)


def to_json(party: Party) -> dict[str, Any]:
    """Return the properties of a party in JSON."""
    written: dict[str, Any] = msgspec.to_builtins(party)
    return written


def _due(total: PriceSpecification | None) -> PriceSpecification | None:
    """Return a total as P and B repeat it. `openBookingPrepayment` is for quotes."""
    return total and replace(total, open_booking_prepayment=None)
