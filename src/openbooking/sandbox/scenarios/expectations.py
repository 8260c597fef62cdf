"""The comparison of what happened in a scenario with what was expected (`unmet`)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from openbooking.booking.model.record import OrderRecord
from openbooking.openactive.terms import OrderItemStatus
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.control.actions import tag_of
from openbooking.sandbox.control.doing import Doing
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.scenarios.scenario import Expectations


class Outcome(NamedTuple):
    """What happened in a scenario.

    Attributes:
        exchanges: The requests of the Broker.
        orders: The Orders of the Broker that exist.
        remarks: The remarks on the requests.
        doings: The actions of the Seller.
    """

    exchanges: Sequence[Exchange]
    orders: Sequence[OrderRecord]
    remarks: Sequence[Remark]
    doings: Sequence[Doing]


def unmet(expect: Expectations, outcome: Outcome) -> Iterator[str]:
    """Yield a sentence for each expectation that is not met, and for each action that was refused or still waits."""
    for doing in outcome.doings:
        if doing.refused:
            yield f"the action {tag_of(doing.action)} was refused: {doing.refused}"
        elif doing.waits:
            yield f"the action {tag_of(doing.action)} was not due before the command ended"
    yield from _unmet_numbers(expect, outcome)
    if expect.orders_feed_within is not None:
        yield from _unread(expect.orders_feed_within, outcome)
    if expect.advice is not None:
        yield from _broken(expect.advice, outcome.remarks)


def _unmet_numbers(expect: Expectations, outcome: Outcome) -> Iterator[str]:
    statuses = [state.status for record in outcome.orders for _, state in record.items()]
    answers = Counter(each.operation for each in outcome.exchanges if each.succeeded)
    numbers = {
        "orders": (expect.orders, len(outcome.orders)),
        "confirmed_items": (expect.confirmed_items, statuses.count(OrderItemStatus.CONFIRMED)),
        "cancelled_items": (expect.cancelled_items, sum(status.cancelled for status in statuses)),
        "deleted": (expect.deleted, answers[Operation.DELETE_ORDER]),
        **{f"answers.{name}": (number, answers[name]) for name, number in expect.answers.items()},
    }
    for name, (expected, found) in numbers.items():
        if expected is not None and expected != found:
            yield f"{name} is {found}, and {expected} was expected"


def _unread(within: float, outcome: Outcome) -> Iterator[str]:
    reads = [each.began for each in outcome.exchanges if each.operation is Operation.ORDERS_FEED and each.succeeded]
    for doing in outcome.doings:
        late = min((read for read in reads if read >= doing.began), default=None)
        if doing.done and (late is None or late > doing.began + within):
            told = "was not read" if late is None else f"was read only {late - doing.began:.0f} seconds"
            yield f"the Orders feed {told} after the action {doing.done} (OB-BRK-07)"


def _broken(allowed: frozenset[str], remarks: Sequence[Remark]) -> Iterator[str]:
    """Errors in answers are no advice: a correct Broker meets them, too."""
    broken = [remark for remark in remarks if not remark.is_error]
    for remark in broken:
        if remark.requirement not in allowed:
            yield f"{remark.requirement} is broken by request {remark.number}: {remark.text}"
    for requirement in sorted(allowed - {remark.requirement for remark in broken}):
        yield f"{requirement} is kept, and was expected to be broken"
