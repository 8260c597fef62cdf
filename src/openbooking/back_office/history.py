"""The history of an Order or OrderProposal: its stamps and its entries in the activity log, oldest first."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.record import Record
from openbooking.booking.views import SellerViews

ACTIONS = {
    Action.CUSTOMER_CANCELLED: "Cancelled by the customer",
    Action.SELLER_CANCELLED: "Cancelled",
    Action.OPPORTUNITY_CANCELLED: "Session cancelled",
    Action.ITEM_REPLACED: "Replaced",
    Action.CUSTOMER_NOTIFIED: "Notice sent",
    Action.ATTENDANCE_RECORDED: "Attendance recorded",
    Action.ATTENDANCE_UNDONE: "Attendance undone",
    Action.ACCESS_RENEWED: "Access renewed",
    Action.LOGISTICS_CHANGED: "Time or place changed",
    Action.PROPOSAL_ACCEPTED: "Proposal accepted",
    Action.PROPOSAL_REJECTED: "Proposal rejected",
    Action.PROPOSAL_AMENDED: "Proposal amended",
    Action.PROPOSAL_UPDATED_BY_CUSTOMER: "Proposal changed by the customer",
    Action.NOTE_WRITTEN: "Note sent",
    Action.PAYMENT_RECORDED: "Payment taken",
    Action.ORDER_DELETED: "Deleted",
    Action.PERSONAL_DATA_ERASED: "Personal data erased",
    Action.PUT_ON_SALE: "Put on sale",
    Action.TAKEN_OFF_SALE: "Taken off sale",
    Action.TIMETABLE_CHANGED: "Timetable changed",
    Action.SELLER_CHANGED: "Your details changed",
    Action.PERSONAL_DATA_EXPORTED: "Personal data exported",
    Action.MANAGER_ADDED: "Manager added",
    Action.STAFF_ADDED: "Member of staff added",
    Action.MADE_MANAGER: "Made a manager",
    Action.MADE_STAFF: "Made a member of staff",
    Action.USER_REMOVED: "Removed from staff",
    Action.LINK_ISSUED: "Link for a password made",
    Action.SECOND_FACTOR_RESET: "Second factor reset",
    Action.PARTNER_ALLOWED: "Partner allowed",
    Action.PARTNER_PAUSED: "Partner paused",
    Action.PARTNER_RESUMED: "Partner resumed",
    Action.PARTNER_STOPPED: "Partner stopped",
    Action.TERMS_CHANGED: "Terms of a partner changed",
}


class HistoryRow(NamedTuple):
    """A row of a history: when, what and by whom; `items` are the numbers of the items concerned."""

    at: datetime
    text: str
    by: str
    items: tuple[int, ...] = ()


async def history_rows(views: SellerViews, record: Record, partners: Mapping[str, str]) -> list[HistoryRow]:
    """Return the history of a record, oldest first. Entries of an unknown time are left out.

    Args:
        views: The views of the Seller.
        record: The Order or OrderProposal.
        partners: The names of the Booking Partners by their keys.
    """
    activities = await views.history(record.key)
    # The retention erases without an entry in the activity log.
    is_logged = any(activity.action is Action.PERSONAL_DATA_ERASED for activity in activities)
    stamps = (
        ("Proposed", record.proposed),
        ("Booked", record.booked),
        (ACTIONS[Action.PERSONAL_DATA_ERASED], None if is_logged else record.erased),
    )
    stamped = [
        HistoryRow(stamp.at, text, actor_name(stamp.actor, partners)) for text, stamp in stamps if stamp and stamp.at
    ]
    logged = [activity_row(activity, partners) for activity in activities]
    return sorted([*stamped, *logged], key=lambda row: row.at)


def activity_row(activity: Activity, partners: Mapping[str, str]) -> HistoryRow:
    """Return the row of an entry of the activity log."""
    return HistoryRow(activity.at, ACTIONS[activity.action], actor_name(activity.actor, partners), activity.items)


def actor_name(actor: Actor, partners: Mapping[str, str]) -> str:
    """Return the name of an actor for people."""
    match actor.kind:
        case ActorKind.PARTNER:
            return partners.get(actor.key, actor.key)
        case ActorKind.STAFF:
            return actor.key
        case ActorKind.ADMINISTRATOR:
            return f"administrator ({actor.key})" if actor.key else "administrator"
        case ActorKind.SYSTEM:
            return "the system"
        case ActorKind.UNKNOWN:
            return "unknown"
