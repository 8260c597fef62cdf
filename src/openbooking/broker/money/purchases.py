"""Purchases: a basket, its booking with payment, and proposals that the Seller must approve."""

import uuid
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import msgspec

from openbooking.broker.flow import Flow, work
from openbooking.broker.money.amounts import amount_of, currency_of
from openbooking.broker.money.bodies import encode_reply
from openbooking.broker.money.errors import (
    LostPurchaseError,
    NoPaymentsError,
    NoQuoteError,
    NotApprovedError,
    PurchaseError,
    UnfinishedError,
    WrongStateError,
)
from openbooking.broker.money.journal import Journal, Purchase
from openbooking.broker.money.purchase import AT_REST, TRANSITIONS, Outcome, State, is_stale
from openbooking.broker.money.steps import Done, Steps
from openbooking.broker.store.database import DatabaseError
from openbooking.openactive.errors import BrokerError
from openbooking.openactive.messages import Order, OrderProposal, OrderRequest
from openbooking.openactive.terms import Availability, OrderProposalStatus

MOST_FAULT_CHARACTERS = 1_000


class Ending(NamedTuple):
    """Where a purchase has come to rest, or where it cannot go on now.

    Attributes:
        purchase: The purchase, as the journal has it.
        faults: What went wrong, in order.
        reply: The last Order or OrderProposal that the Booking System returned.
    """

    purchase: Purchase
    faults: tuple[Exception, ...]
    reply: Order | OrderProposal | None


class Booked(NamedTuple):
    """A booked Order.

    Attributes:
        order: The Order UUID, which is another one than that of the basket if the Booking System failed meanwhile.
        reply: The Order, as the Booking System returned it.
        paid: The amount that was captured.
        payment_id: The id of the payment at the provider; empty if nothing was paid.
    """

    order: uuid.UUID
    reply: Order
    paid: Decimal
    payment_id: str


class Proposed(NamedTuple):
    """An OrderProposal that waits for the Seller.

    Attributes:
        order: The Order UUID.
        reply: The OrderProposal, as the Booking System returned it.
    """

    order: uuid.UUID
    reply: OrderProposal


class Purchases:
    """The purchases of a Broker at one Booking System, as flows.

    Args:
        journal: The journal.
        steps: What calls the Booking System and the payment provider.
    """

    def __init__(self, journal: Journal, steps: Steps) -> None:
        self._journal = journal
        self._steps = steps

    def begin(self, seller: str, order: uuid.UUID | None = None) -> Flow[uuid.UUID]:
        """Begin a basket, and return its Order UUID, which the journal has before the first request (OB-BRK-01).

        Args:
            seller: The `@id` of the Seller.
            order: An Order UUID that was never used; None for a new one.
        """
        return (yield from work(partial(self._journal.begin, seller, order or uuid.uuid4()))).order

    def book(self, basket: uuid.UUID, order: OrderRequest, reference: str = "", *, pays: bool = True) -> Flow[Booked]:
        """Authorise the payment, send B and capture the payment; if the booking fails, reverse what was begun.

        Args:
            basket: The Order UUID of the basket.
            order: The body of B, with the `totalPaymentDue` that the Customer agreed to. If it has a `payment`, its
                identifier is replaced by the one that the hook `authorise` returns.
            reference: A text for the hooks, such as the id of a payment method.
            pays: Whether the Broker takes the payment. If not, or if the total is 0, no hook is called.

        Raises:
            DeclinedError: The payment was refused. Nothing is booked; the basket remains.
            PriceChangedError: The total has changed. Nothing is booked or paid.
            UnfinishedError: The outcome of a step is not known, and `recover` goes on.
            WrongStateError: The basket was booked before, or is being booked.
            NoQuoteError: The basket has another Order UUID since.
        """
        purchase = yield from self._basket(basket)
        agreed = {**_agreement(order, reference, pays=pays), "approval": False}
        ending = yield from self._pay_and_book(purchase, agreed)
        return _booked(ending)

    def propose(
        self, basket: uuid.UUID, order: OrderRequest, reference: str = "", *, pays: bool = True
    ) -> Flow[Proposed]:
        """Send P. Nothing is authorised before the Seller has accepted; the arguments are those of `book`."""
        purchase = yield from self._basket(basket)
        agreed = {**_agreement(order, reference, pays=pays), "approval": True}
        begun = yield from self.begin_step(purchase, State.PROPOSING, **agreed)
        return _proposed((yield from self.carry_on(begun)))

    def order_to_quote(self, basket: uuid.UUID) -> Flow[uuid.UUID]:
        """Return the Order UUID with which a basket is quoted.

        A basket whose Order was deleted or whose OrderProposal was rejected begins again with another one (OB-BRK-01).

        Args:
            basket: An Order UUID of the basket, now or formerly.

        Raises:
            WrongStateError: The basket was booked or proposed before, or is under way.
        """
        purchase = yield from work(partial(self._journal.find_basket, basket))
        if purchase.state is State.REVERSED or purchase.is_rejected:
            try:
                purchase = yield from work(partial(self._journal.begin_again, purchase))
            except LostPurchaseError:
                # Another flow or process has begun it again, for example for the same page.
                purchase = yield from work(partial(self._journal.find_basket, basket))
        _check_basket(purchase)
        return purchase.order

    def agree(self, proposal: uuid.UUID, version: str) -> Flow[None]:
        """Note that the Customer agrees to a version of the OrderProposal, which the Seller has amended.

        Args:
            proposal: The Order UUID.
            version: The version that the Customer has seen; it must be the latest one in the feed.

        Raises:
            NotApprovedError: The feed has another version.
        """
        purchase = yield from self._open(proposal)
        if not purchase.agreed_version or version != purchase.proposal_version:
            raise NotApprovedError(f"{version} is not the latest version of the OrderProposal {proposal}.")
        changes: dict[str, Any] = {"agreed_version": version}
        if purchase.proposal_total is not None:
            changes |= {"amount": purchase.proposal_total, "currency": purchase.proposal_currency or ""}
        yield from work(partial(self._journal.move, purchase, State.OPEN, **changes))

    def book_proposal(self, proposal: uuid.UUID) -> Flow[Booked]:
        """Authorise the payment, send B for an accepted OrderProposal, and capture the payment (OB-BRK-08).

        Raises:
            NotApprovedError: The feed does not show that the Seller accepted the version that the Customer agreed to.
        """
        purchase = yield from self._open(proposal)
        accepted = purchase.proposal_status == OrderProposalStatus.ACCEPTED
        if not purchase.agreed_version or not accepted or purchase.proposal_version != purchase.agreed_version:
            raise NotApprovedError(
                f"The Seller has not accepted the version of the OrderProposal {proposal} that the Customer agreed to."
            )
        return _booked((yield from self._pay_and_book(purchase, {})))

    def begin_step(self, purchase: Purchase, state: State, **changes: Any) -> Flow[Purchase]:
        """Begin the steps of a purchase that rests; `carry_on` does them.

        Raises:
            LostPurchaseError: Another flow or process has begun them.
        """
        if not self._journal.hold(purchase):
            raise LostPurchaseError(f"Another flow of this process carries out the purchase {purchase.order}.")
        try:
            return (yield from self._move(purchase, state, **changes))
        except BaseException:
            self._journal.drop(purchase)
            raise

    def carry_on(self, purchase: Purchase, *, oldest: float | None = None) -> Flow[Ending]:
        """Do the steps of a purchase that this process owns, until it rests or the outcome of a step is not known.

        Args:
            purchase: The purchase.
            oldest: For a purchase that was found by recovery: how old a booking may be that is finished, in seconds.
        """
        faults = list[Exception]()
        reply: Order | OrderProposal | None = None
        try:
            while purchase.is_unfinished:
                done = yield from self._perform(purchase, oldest)
                oldest = None
                reply = done.reply or reply
                faults.extend([done.fault] if done.fault else [])
                following = TRANSITIONS[purchase.state][done.outcome]
                if following is purchase.state:
                    purchase = yield from work(partial(self._journal.leave, purchase, _words(done.fault)))
                    break
                changes = dict(done.changes)
                if done.fault:
                    changes["fault"] = _words(done.fault)
                if done.reply:
                    changes |= {"reply": encode_reply(done.reply), "reply_type": done.reply.type}
                if following in AT_REST:
                    # The details of the Customer are not needed any more.
                    changes["body"] = b""
                purchase = yield from self._move(purchase, following, **changes)
        except Exception as fault:
            with suppress(DatabaseError):
                yield from work(partial(self._journal.leave, purchase, _words(fault)))
            raise
        finally:
            self._journal.drop(purchase)
        return Ending(purchase, tuple(faults), reply)

    def _perform(self, purchase: Purchase, oldest: float | None) -> Flow[Done]:
        if oldest is not None and is_stale(purchase.state, self._journal.age(purchase), oldest):
            return Done(Outcome.STALE, fault=PurchaseError("A process ended before the purchase was finished."))
        return (yield from self._steps.perform(purchase, unsure=oldest is not None))

    def _open(self, order: uuid.UUID) -> Flow[Purchase]:
        """Return a purchase that is open."""
        purchase = yield from work(partial(self._journal.find, order))
        if purchase.state is not State.OPEN:
            raise WrongStateError(order, purchase.state)
        return purchase

    def _basket(self, order: uuid.UUID) -> Flow[Purchase]:
        """Return a basket that can be booked or proposed with this Order UUID."""
        purchase = yield from work(partial(self._journal.find_basket, order))
        _check_basket(purchase)
        if purchase.order != order:
            raise NoQuoteError(order)
        return purchase

    def _pay_and_book(self, purchase: Purchase, agreed: dict[str, Any]) -> Flow[Ending]:
        """Begin with the payment, or with B if the Broker takes no payment."""
        planned = msgspec.structs.replace(purchase, **agreed)
        if not planned.takes_payment:
            begun = yield from self.begin_step(purchase, State.BOOKING, **agreed)
        else:
            if not planned.currency:
                raise PurchaseError(f"The Order costs {planned.amount}, and the Booking System names no currency.")
            if not self._steps.takes_payments:
                raise NoPaymentsError(f"The Order costs {planned.amount} {planned.currency}; give hooks of payment.")
            number = purchase.payments + 1
            payment = {"payments": number, "payment_key": f"{purchase.id}-{number}"}
            begun = yield from self.begin_step(purchase, State.AUTHORISING, **agreed, **payment)
        return (yield from self.carry_on(begun))

    def _move(self, purchase: Purchase, state: State, **changes: Any) -> Flow[Purchase]:
        return (yield from work(partial(self._journal.move, purchase, state, **changes)))


def _check_basket(purchase: Purchase) -> None:
    """Raise WrongStateError unless nothing has become of a basket yet."""
    if purchase.state is not State.OPEN:
        raise WrongStateError(purchase.order, purchase.state)
    if purchase.agreed_version:
        raise WrongStateError(purchase.order, purchase.state, "Its OrderProposal waits for the Seller or to be booked.")


def _words(fault: Exception | None) -> str:
    """Return the text of an error as the journal keeps it. A Booking System may send any characters."""
    return str(fault)[:MOST_FAULT_CHARACTERS].encode(errors="replace").decode()


def _agreement(order: OrderRequest, reference: str, *, pays: bool) -> dict[str, Any]:
    """Return the fields that record what the Customer agreed to."""
    total = order.total_payment_due
    taken = pays and (total is None or total.open_booking_prepayment is not Availability.UNAVAILABLE)
    return {
        "body": msgspec.json.encode(order),
        "amount": amount_of(total),
        "currency": currency_of(total),
        "pays": taken,
        "reference": reference,
        "fault": "",
    }


def _booked(ending: Ending) -> Booked:
    purchase, reply = ending.purchase, ending.reply
    if purchase.state is not State.BOOKED or not isinstance(reply, Order):
        raise _error(ending)
    return Booked(purchase.order, reply, purchase.amount if purchase.payment_key else Decimal(0), purchase.payment_id)


def _proposed(ending: Ending) -> Proposed:
    purchase, reply = ending.purchase, ending.reply
    if purchase.state is not State.OPEN or not purchase.agreed_version or not isinstance(reply, OrderProposal):
        raise _error(ending)
    return Proposed(purchase.order, reply)


def _error(ending: Ending) -> Exception:
    """Return the error that ended a purchase, or that its steps are left to recovery."""
    purchase = ending.purchase
    if not purchase.is_unfinished:
        return ending.faults[-1]
    fault = UnfinishedError(purchase.order, purchase.state, str(ending.faults[-1]))
    fault.request_id = next((each.request_id for each in ending.faults if isinstance(each, BrokerError)), None)
    fault.__cause__ = ending.faults[0]
    return fault
