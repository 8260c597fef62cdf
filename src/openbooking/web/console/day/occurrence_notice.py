"""The form with which staff send one notice to all who have booked an occurrence."""

from collections import Counter, defaultdict

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.plans.session_notices import notice_commands, notified_orders
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import OrderKey
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.confirmation import confirmation
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.console.day.occurrences import occurrence_row
from openbooking.web.pages import Form, Problem

_NOBODY = "Nobody has booked this session now. Nothing has been sent."


class OccurrenceNoticePages:
    """The form of a notice to all attendees of an occurrence."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the form."""
        return [self._console.route(OpportunityPage.NOTIFY.route, self._notify, ("GET", "POST"))]

    async def _notify(self, visit: ConsoleVisit) -> Response:
        form = await visit.form() if visit.request.method == "POST" else None
        occurrence = await visit.occurrence()
        orders = await notified_orders(visit.views, occurrence.path)
        problem = None
        if form is not None:
            problem = await _send(visit, orders, form)
            if problem is None:
                return visit.redirect(OpportunityPage.REGISTER.path(occurrence.path), Notice.ALL_NOTIFIED)
        names = await visit.partner_names()
        counts = Counter(names.get(key.partner, key.partner) for key in orders)
        return visit.page(
            "day/notify_occurrence.html",
            problem=problem,
            row=occurrence_row(visit, occurrence),
            counts=sorted(counts.items(), key=lambda pair: pair[0].casefold()),
            of_desk=sum(key.partner == DESK for key in orders),
            confirmation=confirmation(visit, len(orders)),
            form=defaultdict(str, form or {}),
        )


async def _send(visit: ConsoleVisit, orders: dict[OrderKey, frozenset[int]], form: Form) -> Problem | None:
    """Send the notice of the form to the Customer of each Order; return the problem if that is not possible."""
    notice = form.get("message", "").strip()
    if not orders:
        return Problem(_NOBODY)
    if not notice:
        return Problem("Write the notice.", ("message",))
    problem = confirmation(visit, len(orders)).problem(form)
    if problem:
        return problem
    for command in notice_commands(orders, notice, visit.actor):
        problem = await visit.try_(command) or problem
    return problem
