"""Orders, OrderProposals and their items as rows of tables."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from openbooking.back_office.descriptions import opportunity_name, person_name
from openbooking.back_office.history import HistoryRow
from openbooking.back_office.rows.order_items import ItemRow, item_rows
from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.back_office.waiting_proposals import Shortage, time_left
from openbooking.booking.model.order import OrderKey, PersonalData
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.rules.orders.order_lines import OrderStatus, order_status
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.openactive.terms import OrderItemStatus, OrderProposalStatus


class OrderRow(TableRow, frozen=True, kw_only=True):
    """An Order or OrderProposal in a list.

    Attributes:
        order: The reference (`order_reference`).
        customer: The name of the Customer.
        email: The e-mail address of the Customer.
        telephone: The telephone number of the Customer.
        session: The name of the first Opportunity.
        starts: When that starts.
        items: The number of items.
        status: The status.
        total: The total of the items that are not cancelled.
        currency: Its currency.
        partner: The name of the Booking Partner.
        booked: When it was booked; None for an OrderProposal.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"email", "telephone", "booked"})

    order: str
    customer: str
    email: str
    telephone: str
    session: str
    starts: datetime | None
    items: int
    status: OrderStatus | OrderProposalStatus
    total: Decimal
    currency: str | None
    partner: str
    booked: datetime | None


class OrderItemRow(TableRow, frozen=True, kw_only=True):
    """An item of an Order.

    Attributes:
        item: The number of the item.
        session: The name of the Opportunity.
        opportunity: The path of the Opportunity.
        place: The name of its place.
        starts: When it starts.
        attendee: The name of the attendee; empty if the Broker sent none.
        status: The status.
        price: The price with tax.
        tax: The tax in the price, as far as the Order states it.
        currency: The currency.
        code: The access code.
        message: The message of the cancellation, or else the last notice.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"opportunity"})

    item: int
    session: str
    opportunity: str
    place: str
    starts: datetime | None
    attendee: str
    status: OrderItemStatus
    price: Decimal
    tax: Decimal
    currency: str | None
    code: str
    message: str


class HistoryTableRow(TableRow, frozen=True, kw_only=True):
    """An entry of the history of an Order: when, what and by whom; `items` are the numbers of the items concerned."""

    time: datetime | None
    event: str
    by: str
    items: tuple[int, ...]


class OrderDetails(OrderRow, frozen=True, kw_only=True):
    """An Order or OrderProposal with its items and its history.

    Attributes:
        note: The note of the Customer.
        payment_identifier: The identifier of the payment that the Broker stated.
        payment_name: The name of the payment that the Broker stated.
        lines: The items.
        history: The history.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"lines", "history"})

    note: str
    payment_identifier: str
    payment_name: str
    lines: tuple[OrderItemRow, ...]
    history: tuple[HistoryTableRow, ...]


class ProposalRow(TableRow, frozen=True, kw_only=True):
    """An OrderProposal that waits for the Seller.

    Attributes:
        proposal: The reference (`order_reference`).
        customer: The name of the Customer.
        session: The name of the first Opportunity.
        starts: When that starts.
        items: The number of items.
        total: The total.
        currency: Its currency.
        partner: The name of the Booking Partner.
        status: The status.
        ends: The end of the lifetime.
        time_left: The time until then, in words.
        shortage: What is not left for all waiting proposals, in words; empty if all can be accepted.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"ends"})

    proposal: str
    customer: str
    session: str
    starts: datetime | None
    items: int
    total: Decimal
    currency: str | None
    partner: str
    status: OrderProposalStatus
    ends: datetime | None
    time_left: str
    shortage: str


def order_reference(key: OrderKey) -> str:
    """Return the key of a Booking Partner and an Order UUID, joined by a slash: `acme/e11429ea-…`."""
    return f"{key.partner}/{key.uuid}"


def parse_order_reference(text: str) -> OrderKey | None:
    """Return the key of the Order with this reference; None if the text is no reference."""
    partner, slash, uuid = text.rpartition("/")
    return OrderKey(partner, uuid.lower()) if slash and partner else None


def order_row(record: OrderRecord | ProposalRecord, context: TableContext) -> OrderRow:
    """Return the row of an Order or OrderProposal."""
    items = record.items()
    first, totals = items[0][0], current_totals(record)
    customer = (record.order.personal and record.order.personal.customer) or {}
    return OrderRow(
        order=order_reference(record.key),
        customer=person_name(customer),
        email=str(customer.get("email") or ""),
        telephone=str(customer.get("telephone") or ""),
        session=opportunity_name(first.opportunity, first.parents),
        starts=context.local(first.opportunity.start),
        items=len(items),
        status=order_status(record) if isinstance(record, OrderRecord) else record.proposal.status,
        total=totals.price,
        currency=totals.currency,
        partner=context.partner_name(record.partner),
        booked=context.local(record.booked.at if record.booked else None),
    )


def order_details(
    record: OrderRecord | ProposalRecord, history: list[HistoryRow], context: TableContext
) -> OrderDetails:
    """Return an Order or OrderProposal with its items and its history."""
    row = order_row(record, context)
    payment, personal = record.payment, record.order.personal or PersonalData()
    return OrderDetails(
        **{field: getattr(row, field) for field in row.columns()},
        note=personal.customer_note or "",
        payment_identifier=(payment.identifier if payment else None) or "",
        payment_name=(payment.name if payment else None) or "",
        lines=tuple(order_item_row(item, context) for item in item_rows(record)),
        history=tuple(
            HistoryTableRow(time=context.local(entry.at), event=entry.text, by=entry.by, items=entry.items)
            for entry in history
        ),
    )


def order_item_row(row: ItemRow, context: TableContext) -> OrderItemRow:
    """Return the row of an item."""
    return OrderItemRow(
        item=row.item.number,
        session=row.name,
        opportunity=row.item.opportunity.path,
        place=row.place,
        starts=context.local(row.item.opportunity.start),
        attendee=row.attendee,
        status=row.state.status,
        price=row.price,
        tax=row.tax,
        currency=row.item.offer.currency,
        code=(row.item.access.code if row.item.access else None) or "",
        message=row.state.cancellation_message or row.state.customer_notice or "",
    )


def proposal_row(record: ProposalRecord, short: list[Shortage], context: TableContext) -> ProposalRow:
    """Return the row of an OrderProposal.

    Args:
        record: The OrderProposal.
        short: The Opportunities that cannot be sold to all waiting proposals.
        context: The context of the table.
    """
    row = order_row(record, context)
    return ProposalRow(
        proposal=row.order,
        customer=row.customer,
        session=row.session,
        starts=row.starts,
        items=row.items,
        total=row.total,
        currency=row.currency,
        partner=row.partner,
        status=record.proposal.status,
        ends=context.local(record.proposal.expires),
        time_left=time_left(record, context.now),
        shortage="; ".join(describe_shortage(shortage) for shortage in short),
    )


def describe_shortage(shortage: Shortage) -> str:
    """Return a shortage in words."""
    return f"{shortage.name}: {shortage.left} left, {shortage.wanted + shortage.others} wanted"
