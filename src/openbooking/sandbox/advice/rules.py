"""What Brokers must not do although it may succeed. Each rule is a pure function of the exchanges of one Broker.

A rule receives the exchanges in their order, and yields remarks. Times are the real seconds at which requests came, so
that a turned clock breaks no rule.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import BOOKING, FLOW, Operation

# The pause between two reads of the Orders feed, with a second for the way of a request.
LONGEST_PAUSE_SECONDS = 61.0
_EARLY_SECONDS = 0.05
_RETRY_CLASSES = frozenset({"OpportunityHasInsufficientCapacityError", "UnableToProcessOrderItemError"})

_CANCELLED = {status.value for status in OrderItemStatus if status.cancelled}
_REQUIREMENT_OF = {
    "IncompleteAttendeeDetailsError": "OpenBookingAttendeeDetails",
    "IncompleteIntakeFormError": "OpenBookingIntakeForm",
}

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


def quote_left_to_its_end(exchanges: Exchanges) -> Iterator[Remark]:
    """The Broker deletes a quote when the Customer leaves, so that its spaces are free at once (OB-BRK-06).

    The remark is on the last C2 of a quote whose Lease has ended unused.
    """
    held: dict[str, tuple[float, int]] = {}
    for exchange in exchanges:
        for uuid, (ends, number) in list(held.items()):
            if uuid != exchange.uuid and exchange.began > ends:
                text = "The Lease of this quote ended unused: send DELETE to order-quotes when the Customer leaves."
                yield Remark("OB-BRK-06", text, number)
                del held[uuid]
        if exchange.operation in (*FLOW, Operation.DELETE_QUOTE):
            held.pop(exchange.uuid, None)
        lease = _lease_seconds(exchange) if exchange.operation is Operation.C2 and exchange.succeeded else None
        if lease is not None:
            held[exchange.uuid] = (exchange.began + lease, exchange.number)


def cancelled_again(exchanges: Exchanges) -> Iterator[Remark]:
    """The Broker takes Orders from the feed, and cancels no item that the feed has shown as cancelled (OB-BRK-12)."""
    cancelled: set[str] = set()
    for exchange in exchanges:
        if exchange.operation is Operation.ORDERS_FEED and exchange.arrived:
            for item in exchange.feed_items():
                for id_, status in _statuses(item.get("data")):
                    (cancelled.add if status in _CANCELLED else cancelled.discard)(id_)
        elif exchange.operation is Operation.CANCEL:
            for id_ in cancelled & {id_ for id_, _ in _statuses(exchange.asked())}:
                text = f"The Orders feed has shown {id_} as cancelled: keep each Order as its latest version shows it."
                yield Remark("OB-BRK-12", text, exchange.number)


def booked_for_another_customer(exchanges: Exchanges) -> Iterator[Remark]:
    """Only the Customer who has begun an Order goes on with it (OB-BRK-14).

    A Booking System sees no Customers but those whom requests name: P and B name the Customer of the last C2.
    """
    quoted: dict[str, str] = {}
    for exchange in exchanges:
        customer = _customer(exchange)
        if exchange.operation is Operation.C2 and customer:
            quoted[exchange.uuid] = customer
        elif exchange.operation in BOOKING and customer and quoted.get(exchange.uuid, customer) != customer:
            text = (
                f"{exchange.operation} names another Customer than the C2 before it: only the Customer who began "
                "an Order may go on with it."
            )
            yield Remark("OB-BRK-14", text, exchange.number)


def unsupported_offer(exchanges: Exchanges) -> Iterator[Remark]:
    """The Broker leaves out Offers whose `openBookingFlowRequirement` it does not support (OB-BRK-16)."""
    needs_approval: set[str] = set()
    for exchange in exchanges:
        told = exchange.answered() if exchange.arrived else None
        if exchange.operation in (Operation.C1, Operation.C2) and isinstance(told, dict):
            change = needs_approval.add if told.get("orderRequiresApproval") is True else needs_approval.discard
            change(exchange.uuid)
        is_unapproved = exchange.operation is Operation.B and exchange.uuid in needs_approval
        missing = ["OpenBookingApproval"] if is_unapproved else []
        if exchange.operation is Operation.P:
            needs_approval.discard(exchange.uuid)
        if exchange.operation in BOOKING and exchange.arrived:
            missing += [_REQUIREMENT_OF[class_] for class_ in exchange.errors() if class_ in _REQUIREMENT_OF]
        for requirement in dict.fromkeys(missing):
            text = f"The Offer needs {requirement}: support it, or leave such Offers out of what Customers find."
            yield Remark("OB-BRK-16", text, exchange.number)


RULES: tuple[Rule, ...] = (
    uuid_used_twice,
    same_uuid_after_500,
    new_uuid_for_a_retry,
    no_new_quote_after_a_conflict,
    orders_feed_read_too_late,
    booked_before_acceptance,
    sent_before_retry_after,
    booked_without_quote,
    quote_left_to_its_end,
    cancelled_again,
    booked_for_another_customer,
    unsupported_offer,
)


def _lease_seconds(exchange: Exchange) -> float | None:
    """Return for how long the answer to a quote holds its spaces; None if it holds none, or did not arrive."""
    told = exchange.answered() if exchange.arrived else None
    lease = told.get("lease") if isinstance(told, dict) else None
    try:
        ends = datetime.fromisoformat(str(lease.get("leaseExpires"))) if isinstance(lease, dict) else None
        return None if ends is None else (ends - exchange.at).total_seconds()
    except (ValueError, TypeError):
        return None


def _statuses(order: Any) -> Iterator[tuple[str, str]]:
    """Yield the `@id` and the status of each item of an Order."""
    items = order.get("orderedItem") if isinstance(order, dict) else None
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield str(item.get("@id", "")), str(item.get("orderItemStatus", ""))


def _customer(exchange: Exchange) -> str:
    """Return what names the Customer of a request: the e-mail address, or else the name."""
    asked = exchange.asked()
    customer = asked.get("customer") if isinstance(asked, dict) else None
    return str(customer.get("email") or customer.get("name") or "") if isinstance(customer, dict) else ""


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
