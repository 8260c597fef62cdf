"""The steps of a purchase: each calls the Booking System or a hook, and returns its outcome.

A step does not write to the journal. Before it begins, the journal has its state.
"""

import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from openbooking.broker.api.endpoints import BookingApi
from openbooking.broker.api.retries import Retries
from openbooking.broker.flow import Flow, NoAnswerError, Request, call_hook, pause
from openbooking.broker.money import bodies
from openbooking.broker.money.amounts import amount_of, is_total
from openbooking.broker.money.errors import NoPaymentsError, PriceChangedError, PurchaseError
from openbooking.broker.money.journal import Purchase
from openbooking.broker.money.payments import Charge, DeclinedError, PaymentError, Payments, TemporaryPaymentError
from openbooking.broker.money.purchase import MOST_RESTARTS, Outcome, State, outcome_of_refusal
from openbooking.openactive.errors import OrderProposalVersionOutdatedError
from openbooking.openactive.messages import Order, OrderProposal, PriceSpecification

Result = TypeVar("Result")
ApiOf = Callable[[str], Flow[BookingApi]]
_SERVER_ERRORS = 500
# A request can succeed later although it was refused: with other credentials, or after a pause.
_NOT_FINAL = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class Done(NamedTuple):
    """The outcome of a step.

    Attributes:
        outcome: The outcome.
        changes: The fields of the purchase that change.
        fault: What went wrong; None if nothing did.
        reply: The Order or the OrderProposal that the Booking System returned.
    """

    outcome: Outcome = Outcome.DONE
    changes: dict[str, Any] = {}  # noqa: RUF012 - never changed
    fault: Exception | None = None
    reply: Order | OrderProposal | None = None


class Steps:
    """The steps of purchases with one Booking System and one payment provider.

    Args:
        api: Returns the Open Booking API with the credentials for a Seller, whose `@id` it gets.
        payments: The hooks of payment; None if only free Orders are booked.
        retries: How a hook is repeated after a `TemporaryPaymentError`.
    """

    def __init__(self, api: ApiOf, payments: Payments | None, retries: Retries) -> None:
        self._api = api
        self._payments = payments
        self._retries = retries
        self._steps: dict[State, Callable[[Purchase], Flow[Done]]] = {
            State.AUTHORISING: self._authorise,
            State.CAPTURING: self._capture,
            State.RESTARTING: self._delete_and_restart,
            State.REQUOTING: self._quote,
            State.RELEASING: self._void,
            State.DELETING: self._delete,
            State.VOIDING: self._void_deleted,
            State.REFUNDING: self._refund,
        }

    @property
    def takes_payments(self) -> bool:
        """Whether there are hooks of payment."""
        return self._payments is not None

    def perform(self, purchase: Purchase, *, unsure: bool) -> Flow[Done]:
        """Do the step that the state of a purchase names.

        Args:
            purchase: The purchase, with its state in the journal.
            unsure: Whether the step was begun before, by a process whose end is all that is known of it.
        """
        if purchase.state is State.PROPOSING:
            return (yield from self._propose(purchase, unsure=unsure))
        if purchase.state is State.BOOKING:
            return (yield from self._book(purchase, unsure=unsure))
        if purchase.state is State.REJECTING:
            return (yield from self._reject(purchase, unsure=unsure))
        return (yield from self._steps[purchase.state](purchase))

    def delete(self, seller: str, order: uuid.UUID) -> Flow[Exception | None]:
        """Delete an Order; return what went wrong, or None if there is no such Order now."""
        api = yield from self._api(seller)
        return (yield from _fault_of(api.delete_order(order)))

    def _book(self, purchase: Purchase, *, unsure: bool) -> Flow[Done]:
        """Send B, and compare the total of the Order with what the Customer agreed to."""
        api = yield from self._api(purchase.seller)
        request = api.book(purchase.order, bodies.booking_request(purchase))
        sent = yield from _sent(request, purchase, unsure=unsure, may_restart=not purchase.agreed_version)
        if not isinstance(sent, Order):
            return sent
        if strange := _strangeness(sent, purchase):
            return Done(Outcome.CHANGED, fault=PurchaseError(strange))
        return _with_total(Done(reply=sent), sent.total_payment_due, purchase)

    def _propose(self, purchase: Purchase, *, unsure: bool) -> Flow[Done]:
        """Send P, and remember the version to which the Customer agrees by it."""
        api = yield from self._api(purchase.seller)
        request = api.propose(purchase.order, bodies.proposal_request(purchase))
        sent = yield from _sent(request, purchase, unsure=unsure, may_restart=True)
        if not isinstance(sent, OrderProposal):
            return sent
        if strange := _strangeness(sent, purchase):
            return Done(Outcome.CHANGED, fault=PurchaseError(strange))
        if sent.order_proposal_version is None:
            return Done(Outcome.CHANGED, fault=PurchaseError("The OrderProposal in the reply to P names no version."))
        changes = {"agreed_version": sent.order_proposal_version}
        return _with_total(Done(changes=changes, reply=sent), sent.total_payment_due, purchase)

    def _quote(self, purchase: Purchase) -> Flow[Done]:
        """Send C2 with the new UUID; the price must be the one that the Customer agreed to."""
        api = yield from self._api(purchase.seller)
        try:
            quote = yield from api.quote(purchase.order, bodies.quote_request(purchase))
        except Exception as fault:
            if _status(fault) is None and not isinstance(fault, NoAnswerError):
                raise
            return Done(Outcome.REFUSED, fault=fault)
        faults = [error.description or error.type for item in quote.ordered_item for error in item.error]
        if faults:
            return Done(Outcome.REFUSED, fault=PurchaseError(f"The items cannot be booked: {'; '.join(faults)}."))
        outcome = Outcome.PROPOSED_AGAIN if purchase.approval else Outcome.DONE
        return _with_total(Done(outcome), quote.total_payment_due, purchase)

    def _delete_and_restart(self, purchase: Purchase) -> Flow[Done]:
        """Delete the Order, reject an OrderProposal, then give the purchase another UUID (OB-BRK-02)."""
        done = yield from self._delete(purchase)
        if done.outcome is Outcome.DONE and purchase.approval:
            done = yield from self._reject(purchase, unsure=False)
        if done.outcome is not Outcome.DONE:
            return done
        return Done(changes={"order": uuid.uuid4(), "restarts": purchase.restarts + 1})

    def _delete(self, purchase: Purchase) -> Flow[Done]:
        """Delete the Order until the Booking System says that there is none."""
        fault = yield from self.delete(purchase.seller, purchase.order)
        return Done() if fault is None else Done(Outcome.UNKNOWN, fault=fault)

    def _reject(self, purchase: Purchase, *, unsure: bool) -> Flow[Done]:
        """Reject an OrderProposal for the Customer. A refusal that recovery gets again is final."""
        api = yield from self._api(purchase.seller)
        fault = yield from _fault_of(api.reject_proposal(purchase.order))
        if fault is None:
            return Done()
        status = _status(fault) or _SERVER_ERRORS
        if not unsure or status in _NOT_FINAL or status >= _SERVER_ERRORS:
            return Done(Outcome.UNKNOWN, fault=fault)
        words = f"The Booking System refuses to reject the OrderProposal, which stays with the Seller: {fault}"
        return Done(Outcome.REFUSED, fault=PurchaseError(words))

    def _void_deleted(self, purchase: Purchase) -> Flow[Done]:
        """Release the payment of an Order that was deleted."""
        done = yield from self._void(purchase)
        is_left = done.outcome is Outcome.DONE and purchase.approval
        return done._replace(outcome=Outcome.PROPOSAL_LEFT) if is_left else done

    def _authorise(self, purchase: Purchase) -> Flow[Done]:
        charge = _charge(purchase, purchase.payment_key, purchase.amount)
        done, payment_id = yield from self._call("authorise", charge)
        if done.outcome is Outcome.REFUSED:
            return done._replace(changes={"payment_key": ""})
        if not done.fault and not (isinstance(payment_id, str) and payment_id):
            fault = PaymentError("The hook `authorise` returned no id of the payment.")
            return Done(Outcome.UNKNOWN, fault=fault)
        return done if done.fault else Done(changes={"payment_id": payment_id})

    def _capture(self, purchase: Purchase) -> Flow[Done]:
        if not purchase.payment_key:
            return Done()
        charge = _charge(purchase, f"{purchase.payment_key}-capture", purchase.amount)
        return (yield from self._call("capture", charge))[0]

    def _void(self, purchase: Purchase) -> Flow[Done]:
        """Release the payment. A provider that refuses keeps the step unfinished, so that people learn of it."""
        if not purchase.payment_key:
            return Done()
        charge = _charge(purchase, f"{purchase.payment_key}-void", purchase.amount)
        done, _ = yield from self._call("void", charge)
        if done.fault:
            return done._replace(outcome=Outcome.UNKNOWN)
        return Done(changes={"payment_key": "", "payment_id": ""})

    def _refund(self, purchase: Purchase) -> Flow[Done]:
        charge = _charge(
            purchase, f"{purchase.payment_key}-refund-{purchase.refunded}-{purchase.refunding}", purchase.refunding
        )
        done, _ = yield from self._call("refund", charge)
        refunded = Decimal(0) if done.fault else purchase.refunding
        return done._replace(changes={"refunded": purchase.refunded + refunded, "refunding": Decimal(0)})

    def _call(self, name: str, charge: Charge) -> Flow[tuple[Done, object]]:
        """Call a hook, again after temporary errors, and return what it returned."""
        if self._payments is None:
            fault = NoPaymentsError(f"The payment of the Order {charge.order} needs hooks of payment.")
            return Done(Outcome.UNKNOWN, fault=fault), None
        hook: Callable[[Charge], object | Awaitable[object]] = getattr(self._payments, name)
        last: Exception | None = None
        for attempt in range(self._retries.attempts):
            if attempt:
                seconds = self._retries.first_pause * 2 ** (attempt - 1)
                yield from pause(min(seconds, self._retries.longest_pause), f"The payment provider: {last}")
            try:
                return Done(), (yield from call_hook(partial(hook, charge)))
            except DeclinedError as fault:
                return Done(Outcome.REFUSED, fault=fault), None
            except TemporaryPaymentError as fault:
                last = fault
            except Exception as fault:  # noqa: BLE001 - hooks are code of the application
                return Done(Outcome.UNKNOWN, fault=fault), None
        return Done(Outcome.UNKNOWN, fault=last), None


def _fault_of(request: Flow[None]) -> Flow[Exception | None]:
    """Send a request, and return the error that the Booking System answers, or None."""
    try:
        yield from request
    except Exception as fault:
        if _status(fault) is None and not isinstance(fault, NoAnswerError):
            raise
        return fault
    return None


def _sent(request: Flow[Result], purchase: Purchase, *, unsure: bool, may_restart: bool) -> Flow[Result | Done]:
    """Send B or P; return the reply, or the outcome if there is none (OB-BRK-02, OB-BRK-03)."""
    answers = list[int | None]()
    try:
        return (yield from _watched(request, str(purchase.order), answers))
    except Exception as fault:
        status = _status(fault)
        if status is None and not isinstance(fault, NoAnswerError):
            raise
        unsure = unsure or any(answer is None or answer >= _SERVER_ERRORS for answer in answers[:-1])
        may_restart = may_restart and purchase.restarts < MOST_RESTARTS
        # This error has the status 500, but another UUID does not help: the Customer must agree to the new version.
        if isinstance(fault, OrderProposalVersionOutdatedError):
            status = HTTPStatus.CONFLICT
        return Done(outcome_of_refusal(status, unsure=unsure, may_restart=may_restart), fault=fault)


def _watched(flow: Flow[Result], url_part: str, answers: list[int | None]) -> Flow[Result]:
    """Carry out a flow, and note the status of each answer to its requests for one URL; None if no answer came."""
    advance: Callable[[], Any] = partial(next, flow)
    while True:
        try:
            step = advance()
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        watched = isinstance(step, Request) and url_part in step.url
        try:
            result = yield step
        except Exception as fault:  # noqa: BLE001 - the flow decides what an error means
            if watched:
                answers.append(None)
            advance = partial(flow.throw, fault)
        else:
            if watched:
                answers.append(result.status)
            advance = partial(flow.send, result)


def _strangeness(reply: Order | OrderProposal, purchase: Purchase) -> str:
    """Return why a reply to B or P is not about what the Customer agreed to; empty if it is.

    The total is compared apart. A reply need not repeat the Order UUID and the Seller.
    """
    with suppress(ValueError):
        if reply.identifier and uuid.UUID(reply.identifier) != purchase.order:
            return f"The Booking System answered with another Order, {reply.identifier}."
    seller = (reply.seller or {}).get("@id")
    if seller and seller != purchase.seller:
        return "The Booking System answered with an Order of another Seller."
    # B names no items if it books an OrderProposal, which the Seller may have amended.
    items = 0 if purchase.agreed_version else len(bodies.order_of(purchase).ordered_item)
    if len(reply.ordered_item) < items:
        return f"The Booking System answered with {len(reply.ordered_item)} of {items} items."
    return ""


def _with_total(done: Done, total: PriceSpecification | None, purchase: Purchase) -> Done:
    """Return the outcome of a step, or that the total is not the one that the Customer agreed to."""
    if is_total(total, purchase.amount, purchase.currency):
        return done
    return Done(Outcome.CHANGED, fault=PriceChangedError(purchase.amount, amount_of(total)))


def _charge(purchase: Purchase, key: str, amount: Decimal) -> Charge:
    return Charge(
        key=key,
        payment=purchase.payment_key,
        amount=amount,
        currency=purchase.currency,
        order=purchase.order,
        reference=purchase.reference,
        payment_id=purchase.payment_id,
    )


def _status(fault: Exception) -> int | None:
    """Return the HTTP status of the reply that an error stands for; None if it stands for none."""
    status = getattr(fault, "reply_status", None) or getattr(fault, "status", None)
    return status if isinstance(status, int) else None
