"""The page of the activity log of the Seller, newest first."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.history import ACTIONS, HistoryRow, activity_row
from openbooking.back_office.pages import OccurrencesOnce
from openbooking.booking.commands.opportunities.timetable import GetTimetable
from openbooking.booking.model.activity import Action, Activity
from openbooking.booking.model.timetable import EntryKey, TimetableEntry
from openbooking.web.console.addresses import OpportunityPage, entry_path
from openbooking.web.console.bookings.orders import order_path
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.seller.details import DETAILS_PATH
from openbooking.web.pages import PARTNERS_PATH, Problem

_ROWS = 50
# The log is read in pages of this size while a filter leaves rows out, at most this many for one page of the console.
_READ_ROWS, _READ_PAGES = 200, 10


class LogRow(NamedTuple):
    """A row of the log: what happened, and what the entry is about.

    Attributes:
        row: When, what and by whom.
        about: The name of what the entry is about, for example of an Opportunity or of an account.
        path: The path of its page; empty if it has no page.
    """

    row: HistoryRow
    about: str
    path: str


class _Names(NamedTuple):
    """What has names: the partners by their keys, the occurrences, and the entries of the timetable."""

    partners: Mapping[str, str]
    occurrences: OccurrencesOnce
    timetable: Mapping[EntryKey, TimetableEntry]


class LogPages:
    """The page of the activity log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [self._console.route("/log", self._log, menu="Activity log", managers_only=True)]

    async def _log(self, visit: ConsoleVisit) -> Response:
        chosen = visit.query.get("action", "")
        action = next((action for action in Action if action == chosen), None)
        problem = Problem("Choose an action from the list.", ("action",)) if chosen and not action else None
        found, following = ([], None) if problem else await _read(visit, action)
        names = _Names(await visit.partner_names(), OccurrencesOnce(visit.views), await _timetable(visit, found))
        return visit.page(
            "seller/log.html",
            problem=problem,
            actions={action.value: text for action, text in sorted(ACTIONS.items(), key=lambda pair: pair[1])},
            chosen=chosen,
            rows=[await _row(visit, names, activity) for activity in found],
            next=following and urlencode({"action": chosen, "after": following}),
        )


async def _read(visit: ConsoleVisit, action: Action | None) -> tuple[list[Activity], str | None]:
    """Return the next entries with this action, and the cursor of the entries after them."""
    after = visit.query.get("after", "")
    if action is None:
        page = await visit.views.activity(after, _ROWS)
        return list(page.rows), page.next
    found: list[Activity] = []
    for _ in range(_READ_PAGES):
        page = await visit.views.activity(after, _READ_ROWS)
        found += (entry for entry in page.rows if entry.action is action)
        if page.next is None or len(found) >= _ROWS:
            return found, page.next
        after = page.next
    return found, after


async def _timetable(visit: ConsoleVisit, found: Iterable[Activity]) -> Mapping[EntryKey, TimetableEntry]:
    """Return the timetable if one of the entries of the log is about it."""
    if not any(activity.entry for activity in found):
        return {}
    return await visit.execute(GetTimetable(seller=visit.seller.key, actor=visit.actor))


async def _row(visit: ConsoleVisit, names: _Names, activity: Activity) -> LogRow:
    row = activity_row(activity, names.partners)
    if activity.order:
        return LogRow(row, f"booking {activity.order.uuid}", order_path(activity.order))
    if activity.opportunity:
        occurrence = await names.occurrences.occurrence(activity.opportunity)
        if occurrence is None:
            return LogRow(row, activity.opportunity, "")
        name = opportunity_name(occurrence.opportunity, occurrence.parents)
        return LogRow(row, name, OpportunityPage.REGISTER.path(activity.opportunity))
    if activity.partner:
        return LogRow(row, names.partners.get(activity.partner, activity.partner), PARTNERS_PATH)
    if activity.entry:
        entry = names.timetable.get(EntryKey(visit.seller.key, activity.entry))
        path = entry_path(activity.entry) if entry and not entry.ended else ""
        return LogRow(row, entry.rule.name if entry else activity.entry, path)
    return LogRow(row, activity.user, "") if activity.user else LogRow(row, visit.seller.name, DETAILS_PATH)
