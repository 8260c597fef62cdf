"""What Brokers must not do although it may succeed. Each rule is a pure function of the exchanges of one Broker.

A rule receives the exchanges in their order, and yields remarks. Times are the real seconds at which requests came, so
that a turned clock breaks no rule.
"""

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from openbooking.openactive.terms import OrderProposalStatus
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import BOOKING, FLOW, Operation

# The pause between two reads of the Orders feed, with a second for the way of a request.
LONGEST_PAUSE_SECONDS = 61.0
_EARLY_SECONDS = 0.05
_RETRY_CLASSES = frozenset({"OpportunityHasInsufficientCapacityError", "UnableToProcessOrderItemError"})

Exchanges = Sequence[Exchange]
Rule = Callable[[Exchanges], Iterator[Remark]]


def uuid_used_twice(exchanges: Exchanges) -> Iterator[Remark]:
    """A UUID belongs to one flow: once it is booked or deleted, no other Order uses it (OB-BRK-01)."""
    booked: dict[str, Any] = {}
    for exchange in exchanges:
        uuid = exchange.uuid
        if exchange.operation in FLOW and uuid in booked and not _continues(booked[uuid], exchange):
            text = f"{uuid} has been used for an Order already: use a new UUID for each Order."
            yield Remark("OB-BRK-01", text, exchange.number)
        if exchange.succeeded and exchange.operation is Operation.B and uuid not in booked:
            booked[uuid] = exchange.asked()
        elif exchange.succeeded and exchange.operation is Operation.DELETE_ORDER:
            booked[uuid] = None


def same_uuid_after_500(exchanges: Exchanges) -> Iterator[Remark]:
    """After a 500 the Broker begins again with a new UUID (OB-BRK-02)."""
    failed: dict[str, int] = {}
    for exchange in exchanges:
        if exchange.operation in FLOW and exchange.uuid in failed:
            text = f"Request {failed[exchange.uuid]} was answered with 500: begin again at C1 with a new UUID."
            yield Remark("OB-BRK-02", text, exchange.number)
        if exchange.operation in FLOW and exchange.arrived and exchange.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            failed[exchange.uuid] = exchange.number


def new_uuid_for_a_retry(exchanges: Exchanges) -> Iterator[Remark]:
    """B or P without an answer, or with 503 or 429, is repeated with the same UUID (OB-BRK-03).

    A new UUID is right once the old Order was deleted (OB-BRK-02).
    """
    open_: dict[str, Exchange] = {}
    for exchange in exchanges:
        for uuid, before in list(open_.items()):
            if exchange.operation in FLOW and exchange.uuid != uuid and _is_for_the_same(before, exchange):
                text = (
                    f"Request {before.number} for {uuid} has no certain result: repeat it with the same UUID, or "
                    "delete the Order until the answer is 204 or 404, before you book the same with another UUID."
                )
                yield Remark("OB-BRK-03", text, exchange.number)
                del open_[uuid]
        if exchange.operation in BOOKING and exchange.may_be_repeated:
            open_[exchange.uuid] = exchange
        elif exchange.operation in BOOKING or (_is_deleted(exchange)):
            open_.pop(exchange.uuid, None)


def no_new_quote_after_a_conflict(exchanges: Exchanges) -> Iterator[Remark]:
    """After an error of capacity or of an item at B or P, the Broker sends C2 again (OB-BRK-04)."""
    conflicts: dict[str, int] = {}
    for exchange in exchanges:
        if exchange.operation is Operation.C2:
            conflicts.pop(exchange.uuid, None)
        elif exchange.operation in BOOKING:
            if exchange.uuid in conflicts:
                text = f"Request {conflicts[exchange.uuid]} found too few spaces: send C2 before you book again."
                yield Remark("OB-BRK-04", text, exchange.number)
            if exchange.arrived and _RETRY_CLASSES & set(exchange.errors()):
                conflicts[exchange.uuid] = exchange.number


def orders_feed_read_too_late(exchanges: Exchanges) -> Iterator[Remark]:
    """The Orders feed is read at least every 60 seconds, as long as the Broker has Orders (OB-BRK-07).

    The remark is on the first request after 61 seconds without a read.
    """
    last: float | None = None
    is_known = False
    for exchange in exchanges:
        pause = exchange.began - last if last is not None else 0
        if pause > LONGEST_PAUSE_SECONDS and not is_known:
            text = f"The Orders feed was not read for {pause:.0f} seconds: read it at least every 60 seconds."
            yield Remark("OB-BRK-07", text, exchange.number)
            is_known = True
        is_read = exchange.operation is Operation.ORDERS_FEED
        is_booked = exchange.operation in BOOKING and exchange.status == HTTPStatus.CREATED
        if (is_read and last is not None) or (is_booked and last is None):
            last, is_known = exchange.began, False


def booked_before_acceptance(exchanges: Exchanges) -> Iterator[Remark]:
    """B follows P only after the Broker has read that the Seller accepts this version (OB-BRK-08)."""
    accepted: set[str] = set()
    for exchange in exchanges:
        accepted |= _accepted_versions(exchange)
        asked = exchange.asked() if exchange.operation is Operation.B else None
        version = asked.get("orderProposalVersion") if isinstance(asked, dict) else None
        if isinstance(version, str) and version not in accepted:
            text = f"No feed page or status told you that the Seller accepts {version}: wait for SellerAccepted."
            yield Remark("OB-BRK-08", text, exchange.number)


def sent_before_retry_after(exchanges: Exchanges) -> Iterator[Remark]:
    """A request that is answered with Retry-After is not sent again before that time (OB-BRK-09, OB-RATE-04)."""
    waits: dict[tuple[str, str], tuple[float, int]] = {}
    for exchange in exchanges:
        key = (exchange.method, exchange.local_path)
        until, number = waits.get(key, (0.0, 0))
        if exchange.began < until - _EARLY_SECONDS:
            text = f"Request {number} asked you to wait for {until - exchange.began:.1f} seconds more (Retry-After)."
            yield Remark("OB-RATE-04", text, exchange.number)
        if exchange.retry_after:
            waits[key] = (exchange.began + exchange.seconds + exchange.retry_after, exchange.number)


def booked_without_quote(exchanges: Exchanges) -> Iterator[Remark]:
    """B and P follow a C2 with the same UUID, which holds the spaces and returns the exact price (OB-C2-03)."""
    quoted: set[str] = set()
    for exchange in exchanges:
        if exchange.operation is Operation.C2 and exchange.status == HTTPStatus.OK:
            quoted.add(exchange.uuid)
        elif exchange.operation in BOOKING and exchange.uuid not in quoted:
            quoted.add(exchange.uuid)
            text = f"{exchange.operation} came without a C2 before it: only C2 holds the spaces and tells the price."
            yield Remark("OB-C2-03", text, exchange.number)


RULES: tuple[Rule, ...] = (
    uuid_used_twice,
    same_uuid_after_500,
    new_uuid_for_a_retry,
    no_new_quote_after_a_conflict,
    orders_feed_read_too_late,
    booked_before_acceptance,
    sent_before_retry_after,
    booked_without_quote,
)


def _continues(first: Any, exchange: Exchange) -> bool:
    """Return whether a request repeats the B that booked the Order."""
    return first is not None and exchange.operation is Operation.B and exchange.asked() == first


def _is_for_the_same(before: Exchange, exchange: Exchange) -> bool:
    """Return whether two requests are for the same items and Customer."""
    one, other = before.asked(), exchange.asked()
    if not isinstance(one, dict) or not isinstance(other, dict) or not before.ordered():
        return False
    return before.ordered() == exchange.ordered() and one.get("customer") == other.get("customer")


def _is_deleted(exchange: Exchange) -> bool:
    done = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
    return exchange.operation is Operation.DELETE_ORDER and exchange.arrived and exchange.status in done


def _accepted_versions(exchange: Exchange) -> set[str]:
    """Return the versions of OrderProposals that an answer shows as accepted by the Seller."""
    if not exchange.arrived or exchange.operation not in (Operation.PROPOSALS_FEED, Operation.STATUS):
        return set()
    told = exchange.answered()
    shown = [item.get("data") for item in exchange.feed_items()] or [told]
    accepted = OrderProposalStatus.ACCEPTED.value
    return {
        str(each.get("orderProposalVersion"))
        for each in shown
        if isinstance(each, dict) and each.get("orderProposalStatus") == accepted
    }
