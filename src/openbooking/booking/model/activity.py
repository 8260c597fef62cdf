"""The activity log: an append-only list of decisions, each with its actor and time.

It holds no personal data of Customers. The names of accounts are those of the Seller's own staff.

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
    PAYMENT_RECORDED = "payment-recorded"
    ORDER_DELETED = "order-deleted"
    PERSONAL_DATA_ERASED = "personal-data-erased"
    PUT_ON_SALE = "put-on-sale"
    TAKEN_OFF_SALE = "taken-off-sale"
    TIMETABLE_CHANGED = "timetable-changed"
    SELLER_CHANGED = "seller-changed"
    PERSONAL_DATA_EXPORTED = "personal-data-exported"
    MANAGER_ADDED = "manager-added"
    STAFF_ADDED = "staff-added"
    MADE_MANAGER = "made-manager"
    MADE_STAFF = "made-staff"
    USER_REMOVED = "user-removed"
    LINK_ISSUED = "link-issued"
    SECOND_FACTOR_RESET = "second-factor-reset"
    PARTNER_ALLOWED = "partner-allowed"
    PARTNER_PAUSED = "partner-paused"
    PARTNER_RESUMED = "partner-resumed"
    PARTNER_STOPPED = "partner-stopped"
    TERMS_CHANGED = "terms-changed"


class Activity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the activity log: the effect of a decision.

    It is about one Order, OrderProposal, Opportunity, account of staff or Booking Partner, or about the details of the
    Seller.

    Attributes:
        at: The time of the decision.
        actor: The actor who gave the command.
        action: The kind of decision.
        seller: The key of the Seller.
        order: The key of the Order or OrderProposal, if the entry is about one.
        opportunity: The path of the Opportunity, if the entry is about one.
        user: The name of the account, if the entry is about one.
        partner: The key of the Booking Partner, if the entry is about its grant.
        items: The numbers of the OrderItems whose state has changed.
        entry: The key of the changed entry of a timetable; None if the decision was about something else.
    """

    at: datetime
    actor: Actor
    action: Action
    seller: str
    order: OrderKey | None = None
    opportunity: str | None = None
    user: str | None = None
    partner: str | None = None
    items: tuple[int, ...] = ()
    entry: str | None = None
