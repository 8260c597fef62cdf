"""Recovery: what a crash or a fault left unfinished is finished or reversed, and what is owed is paid back."""

import uuid
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from openbooking.broker.flow import Flow, work
from openbooking.broker.money.errors import LostPurchaseError
from openbooking.broker.money.journal import Journal, Purchase
from openbooking.broker.money.purchase import BOUGHT, DELETED, WORDS, State
from openbooking.broker.money.purchases import Purchases
from openbooking.broker.money.steps import Steps
from openbooking.broker.store.database import DatabaseError

FINISHED_WITHIN_SECONDS = 15 * 60


class Unfinished(NamedTuple):
    """A purchase that is not finished, for operators.

    Attributes:
        order: The Order UUID.
        state: The step whose outcome is not known.
        since: When the step began, in seconds since 1970.
        amount: The amount of the payment.
        currency: The currency of the amount; empty if it is 0.
        words: What is under way, in words for people.
        fault: What went wrong last; empty if a process ended without a word.
    """

    order: uuid.UUID
    state: State
    since: float
    amount: Decimal
    currency: str
    words: str
    fault: str


class Recovered(NamedTuple):
    """A purchase that recovery brought to its end.

    Attributes:
        order: The Order UUID.
        state: `BOOKED`, `REVERSED`, or `OPEN` if nothing was booked and the basket remains.
        fault: What went wrong last, such as that a Booking System refuses to reject an OrderProposal; empty if nothing.
    """

    order: uuid.UUID
    state: State
    fault: str = ""


class Report(NamedTuple):
    """The result of `recover` or `settle`.

    Attributes:
        recovered: The purchases that are finished now.
        left: The purchases that are not; another recovery goes on with them.
        strays: The Order UUIDs of Orders that must not exist and could not be deleted yet.
    """

    recovered: tuple[Recovered, ...] = ()
    left: tuple[Unfinished, ...] = ()
    strays: tuple[uuid.UUID, ...] = ()


class Recovery:
    """The recovery of purchases.

    Args:
        journal: The journal.
        purchases: The flows of purchases.
        steps: What calls the Booking System and the payment provider.
    """

    def __init__(self, journal: Journal, purchases: Purchases, steps: Steps) -> None:
        self._journal = journal
        self._purchases = purchases
        self._steps = steps

    def recover(self, oldest: float = FINISHED_WITHIN_SECONDS) -> Flow[Report]:
        """Finish or reverse every purchase whose process has ended, or whose outcome was not known.

        A purchase that another living process carries out is left alone, and is not in the report.

        Args:
            oldest: The most seconds after which B is repeated. An older Order is deleted, and its payment is released.
        """
        found = yield from work(self._journal.unfinished)
        ends: list[Purchase | None] = []
        for purchase in found:
            if purchase.is_unfinished:
                ends += [(yield from self._carry_on(purchase, oldest))]
        strays = yield from self._delete_strays()
        return _report(ends, strays)

    def settle(self, *, refused_too: bool = False) -> Flow[Report]:
        """Pay back what the Orders feed shows to be owed, each amount once.

        Args:
            refused_too: Ask the payment provider again for refunds that it has refused.
        """
        ends: list[Purchase | None] = []
        for purchase in (yield from work(self._journal.refunds_due)):
            if purchase.state is State.BOOKED or refused_too:
                ends += [(yield from self._refund(purchase))]
        return _report(ends, (yield from self._delete_strays()))

    def unfinished(self) -> Flow[tuple[Unfinished, ...]]:
        """Return the purchases that are under way, were left unfinished or need people, the oldest first."""
        found = yield from work(self._journal.unfinished)
        return tuple(_unfinished(purchase) for purchase in found)

    def _carry_on(self, purchase: Purchase, oldest: float) -> Flow[Purchase | None]:
        """Take a purchase over and carry it on; return None if it is another's."""
        if not self._journal.hold(purchase):
            return None
        adopted: Purchase | None = None
        try:
            adopted = yield from work(partial(self._journal.adopt, purchase))
        finally:
            if adopted is None:
                self._journal.drop(purchase)
        if adopted is None:
            return None
        return (yield from self._end(_given(adopted), oldest))

    def _refund(self, purchase: Purchase) -> Flow[Purchase | None]:
        if not purchase.owed:
            yield from work(partial(self._journal.nothing_owed, purchase))
            return None
        begin = self._purchases.begin_step(purchase, State.REFUNDING, refunding=purchase.owed)
        return (yield from self._end(begin, None))

    def _end(self, begin: Flow[Purchase], oldest: float | None) -> Flow[Purchase | None]:
        """Carry a purchase on, and return it as it is afterwards; None if another flow or process has taken it over."""
        try:
            purchase = yield from begin
        except LostPurchaseError:
            return None
        try:
            return (yield from self._purchases.carry_on(purchase, oldest=oldest)).purchase
        except DatabaseError:
            raise
        except LostPurchaseError:
            return None
        except Exception:  # noqa: BLE001 - the journal keeps the fault; the others must go on
            return (yield from work(partial(self._journal.get, purchase.id)))

    def _delete_strays(self) -> Flow[tuple[uuid.UUID, ...]]:
        """Delete the Orders that the feed shows although they must not exist."""
        left = []
        for order, purchase in (yield from work(self._journal.strays)):
            if purchase.state is State.OPEN and purchase.order == order:
                begin = self._purchases.begin_step(purchase, State.DELETING)
                ended = yield from self._end(begin, None)
                fault = ended is None or ended.is_unfinished
            elif purchase.order == order and purchase.state not in DELETED:
                # The Customer has booked the basket meanwhile, or is booking it.
                if purchase.state in BOUGHT:
                    yield from work(partial(self._journal.stray_booked, order))
                continue
            else:
                fault = not (yield from self._is_deleted(purchase.seller, order))
            if fault:
                left.append(order)
            else:
                yield from work(partial(self._journal.stray_deleted, order))
        return tuple(left)

    def _is_deleted(self, seller: str, order: uuid.UUID) -> Flow[bool]:
        """Delete an Order, and return whether there is no such Order now."""
        try:
            return (yield from self._steps.delete(seller, order)) is None
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - such as the end of a Seller's authorization; the others must go on
            return False


def _given(purchase: Purchase) -> Flow[Purchase]:
    yield from ()
    return purchase


def _report(ends: list[Purchase | None], strays: tuple[uuid.UUID, ...]) -> Report:
    found = [purchase for purchase in ends if purchase is not None]
    unfinished = [purchase for purchase in found if purchase.is_unfinished or purchase.state is State.REFUND_REFUSED]
    return Report(
        tuple(
            Recovered(purchase.order, purchase.state, purchase.fault)
            for purchase in found
            if purchase not in unfinished
        ),
        tuple(map(_unfinished, unfinished)),
        strays,
    )


def _unfinished(purchase: Purchase) -> Unfinished:
    return Unfinished(
        order=purchase.order,
        state=purchase.state,
        since=purchase.since,
        amount=purchase.amount,
        currency=purchase.currency,
        words=WORDS[purchase.state],
        fault=purchase.fault,
    )
