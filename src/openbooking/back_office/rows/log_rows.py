"""The activity log as rows of a table."""

from datetime import datetime
from typing import ClassVar

from openbooking.back_office.history import actor_name
from openbooking.back_office.rows.order_rows import order_reference
from openbooking.back_office.rows.tables import TableContext, TableRow
from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.actor import ActorKind


class LogRow(TableRow, frozen=True, kw_only=True):
    """An entry of the activity log.

    Attributes:
        time: The time of the decision.
        action: The kind of decision.
        by: The name of the actor.
        order: The reference of the Order or OrderProposal, if the entry is about one.
        opportunity: The path of the Opportunity, if the entry is about one.
        entry: The key of the entry of the timetable, if the entry of the log is about one.
        user: The name of the account, if the entry is about one.
        partner: The key of the Booking Partner, if the entry is about its grant.
        items: The numbers of the items whose state has changed.
        actor_kind: The kind of the actor.
        actor: The key of the actor.
    """

    only_for_scripts: ClassVar[frozenset[str]] = frozenset({"actor_kind", "actor"})

    time: datetime | None
    action: Action
    by: str
    order: str
    opportunity: str
    entry: str
    user: str
    partner: str
    items: tuple[int, ...]
    actor_kind: ActorKind
    actor: str


def log_row(entry: Activity, context: TableContext) -> LogRow:
    """Return the row of an entry."""
    return LogRow(
        time=context.local(entry.at),
        action=entry.action,
        by=actor_name(entry.actor, context.partners),
        order=order_reference(entry.order) if entry.order else "",
        opportunity=entry.opportunity or "",
        entry=entry.entry or "",
        user=entry.user or "",
        partner=entry.partner or "",
        items=entry.items,
        actor_kind=entry.actor.kind,
        actor=entry.actor.key,
    )
