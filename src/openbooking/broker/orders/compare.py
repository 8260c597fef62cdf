"""The changes between two versions of an Order or OrderProposal (OB 8.4.4).

A version is complete for the properties that feeds have: a property that is absent was removed (OB-BRK-12).
"""

import uuid
from collections.abc import Iterator
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from openbooking.broker.money.amounts import amount_of
from openbooking.broker.orders.changes import (
    AccessChanged,
    AttendanceRecorded,
    Change,
    ItemCancelled,
    ItemReplaced,
    Noticed,
    ProposalAccepted,
    ProposalAmended,
    ProposalRejected,
    SellerNoteChanged,
    TotalChanged,
)
from openbooking.openactive.messages import OrderFeedData, OrderItem, OrderProposalFeedData, PriceSpecification
from openbooking.openactive.messages.base import Reference
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus

Version = OrderFeedData | OrderProposalFeedData

_CANCELLED = {OrderItemStatus.CUSTOMER_CANCELLED, OrderItemStatus.SELLER_CANCELLED}
_ATTENDANCE: dict[str | None, bool] = {OrderItemStatus.ATTENDED: True, OrderItemStatus.ABSENT: False}
# The specification and its data model name one status differently (AMB-21).
_SYNONYMS = {"https://openactive.io/CustomerAttended": OrderItemStatus.ATTENDED.value}


def changes_between(order: uuid.UUID, before: Version, after: Version) -> Iterator[Change]:
    """Yield the changes from one version of an Order or OrderProposal to the next.

    Args:
        order: The Order UUID.
        before: The version that the Broker knows: of the feed, or the reply to B or P.
        after: The new version.
    """
    known = {item.id: item for item in before.ordered_item if item.id}
    all_cancelled = all(_status(item) in _CANCELLED for item in after.ordered_item)
    for item in after.ordered_item:
        if item.id and item.id in known:
            for change in _item_changes(order, item.id, known[item.id], item):
                is_last = isinstance(change, ItemCancelled) and all_cancelled
                yield replace(change, is_last=True) if is_last else change
    if isinstance(before, OrderProposalFeedData) and isinstance(after, OrderProposalFeedData):
        yield from _proposal_changes(order, before, after)
    if total_of(before) != total_of(after):
        currency = _currency(after.total_payment_due) or _currency(before.total_payment_due)
        yield TotalChanged(order=order, previous=total_of(before), total=total_of(after), currency=currency)


def untouched(version: Version) -> Version:
    """Return a version as it was before all changes of its items. It stands for the reply to B or P that was lost."""
    items = tuple(
        replace(item, order_item_status=OrderItemStatus.CONFIRMED.value, customer_notice=None)
        for item in version.ordered_item
    )
    if isinstance(version, OrderProposalFeedData):
        return replace(version, ordered_item=items, order_proposal_status=OrderProposalStatus.AWAITING)
    return replace(version, ordered_item=items)


def total_of(version: Version) -> Decimal:
    """Return the `totalPaymentDue` of a version; zero if it is absent."""
    return amount_of(version.total_payment_due)


def _item_changes(order: uuid.UUID, item: str, before: OrderItem, after: OrderItem) -> Iterator[Change]:
    status, previous = _status(after), _status(before)
    if status in _CANCELLED and previous not in _CANCELLED:
        by_seller = status == OrderItemStatus.SELLER_CANCELLED
        yield ItemCancelled(order=order, item=item, by_seller=by_seller, message=after.cancellation_message or "")
    elif status != previous and (status in _ATTENDANCE or previous in _ATTENDANCE):
        yield AttendanceRecorded(order=order, item=item, attended=_ATTENDANCE.get(status))
    if _is_replaced(before, after):
        yield ItemReplaced(
            order=order,
            item=item,
            previous_opportunity=id_of(before.ordered_item),
            opportunity=id_of(after.ordered_item),
            previous_offer=id_of(before.accepted_offer),
            offer=id_of(after.accepted_offer),
        )
    if after.customer_notice and after.customer_notice != before.customer_notice:
        yield Noticed(order=order, item=item, notice=after.customer_notice)
    if _access(before) != _access(after):
        yield AccessChanged(order=order, item=item)


def _proposal_changes(
    order: uuid.UUID, before: OrderProposalFeedData, after: OrderProposalFeedData
) -> Iterator[Change]:
    status = after.order_proposal_status
    is_new = after.order_proposal_version != before.order_proposal_version
    if is_new:
        yield ProposalAmended(order=order, version=after.order_proposal_version)
    if status == OrderProposalStatus.ACCEPTED and (is_new or status != before.order_proposal_status):
        yield ProposalAccepted(order=order, version=after.order_proposal_version)
    elif status != before.order_proposal_status and status in {
        OrderProposalStatus.SELLER_REJECTED,
        OrderProposalStatus.CUSTOMER_REJECTED,
    }:
        yield ProposalRejected(order=order, by_seller=status == OrderProposalStatus.SELLER_REJECTED)
    if (after.order_seller_note or "") != (before.order_seller_note or ""):
        yield SellerNoteChanged(order=order, note=after.order_seller_note or "")


def _status(item: OrderItem) -> str | None:
    status = item.order_item_status
    return status if status is None else _SYNONYMS.get(status, status)


def _is_replaced(before: OrderItem, after: OrderItem) -> bool:
    """Return whether an item names another Opportunity or Offer. Some systems name neither in feeds (OB-SEL-14)."""
    pairs = ((before.ordered_item, after.ordered_item), (before.accepted_offer, after.accepted_offer))
    return any(id_of(old) and id_of(new) and id_of(old) != id_of(new) for old, new in pairs)


def id_of(reference: Reference | None) -> str:
    """Return the `@id` of an object or of a reference to it; empty if it has none (AMB-07)."""
    if isinstance(reference, str):
        return reference
    id_ = (reference or {}).get("@id", "")
    return id_ if isinstance(id_, str) else ""


def _access(item: OrderItem) -> object:
    return msgspec.to_builtins((item.access_code, item.access_pass, item.access_channel, item.additional_property))


def _currency(due: PriceSpecification | None) -> str:
    return (due.price_currency if due else None) or ""
