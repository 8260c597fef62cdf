"""The activity log: an append-only list of decisions, each with its actor and time; it holds no personal data.

Quotes, bookings and proposals have no entries. Their actors and times are the stamps of the record.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from openbooking.booking.model.actor import Actor
from openbooking.booking.model.order import OrderKey


class Action(StrEnum):
    """The kinds of entries in the activity log; the values are stored."""

    CUSTOMER_CANCELLED = "customer-cancelled"
    SELLER_CANCELLED = "seller-cancelled"
    OPPORTUNITY_CANCELLED = "opportunity-cancelled"
    ITEM_REPLACED = "item-replaced"
    CUSTOMER_NOTIFIED = "customer-notified"
    ATTENDANCE_RECORDED = "attendance-recorded"
    ATTENDANCE_UNDONE = "attendance-undone"
    ACCESS_RENEWED = "access-renewed"
    LOGISTICS_CHANGED = "logistics-changed"
    PROPOSAL_ACCEPTED = "proposal-accepted"
    PROPOSAL_REJECTED = "proposal-rejected"
    PROPOSAL_AMENDED = "proposal-amended"
    PROPOSAL_UPDATED_BY_CUSTOMER = "proposal-updated-by-customer"
    NOTE_WRITTEN = "note-written"
    ORDER_DELETED = "order-deleted"
    PERSONAL_DATA_ERASED = "personal-data-erased"
    PUT_ON_SALE = "put-on-sale"
    TAKEN_OFF_SALE = "taken-off-sale"
    TIMETABLE_CHANGED = "timetable-changed"


class Activity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the activity log: the effect of a decision on one Order, OrderProposal or Opportunity.

    Attributes:
        at: The time of the decision.
        actor: The actor who gave the command.
        action: The kind of decision.
        seller: The key of the Seller.
        order: The key of the Order or OrderProposal; None if the entry is about an Opportunity.
        opportunity: The path of the Opportunity; None if the entry is about an Order.
        items: The numbers of the OrderItems whose state has changed.
        entry: The key of the changed entry of a timetable; None if the decision was about something else.
    """

    at: datetime
    actor: Actor
    action: Action
    seller: str
    order: OrderKey | None = None
    opportunity: str | None = None
    items: tuple[int, ...] = ()
    entry: str | None = None
