"""The pages of the data of one person: all Orders and proposals, as a file, and their erasure.

The e-mail address or telephone number is in forms only, never in the address of a page, because addresses are kept in
logs and in the history of browsers.
"""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.back_office.descriptions import person_name
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData
from openbooking.booking.commands.orders.record_export import RecordExport
from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import ProposalRecord
from openbooking.booking.personal_orders import NoContactError, PersonalRecord, export_orders, orders_of
from openbooking.booking.rules.orders.search_terms import CUSTOMER, numbers_of
from openbooking.web.console.bookings.orders import order_summary
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.pages import Problem

PRIVACY_PATH = f"{CONSOLE_PATH}/privacy"

_JSON_HEADERS = {
    "Content-Disposition": 'attachment; filename="orders-of-one-person.json"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class PrivacyPages:
    """The pages of the data of one person."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes."""
        route = self._console.route
        return [
            route("/privacy", self._find, ("GET", "POST"), menu="Personal data", managers_only=True),
            route("/privacy/export", self._export, ("POST",), managers_only=True),
            route("/privacy/erase", self._erase, ("POST",), managers_only=True),
        ]

    async def _find(self, visit: ConsoleVisit) -> Response:
        if visit.request.method != "POST":
            return visit.page("bookings/privacy.html", contact="", rows=None, typed="")
        return await self._show(visit, (await visit.form()).get("contact", ""))

    async def _export(self, visit: ConsoleVisit) -> Response:
        contact = (await visit.form()).get("contact", "")
        try:
            orders = await orders_of(visit.views, contact)
        except NoContactError:
            return await self._show(visit, contact)
        document = await export_orders(visit.views, orders, contact, self._console.system.clock())
        keys = frozenset(record.key for record in orders)
        if refusal := await visit.try_(RecordExport(orders=keys, actor=visit.actor)):
            return await self._show(visit, contact, refusal)
        return Response(document, headers=_JSON_HEADERS, media_type="application/json")

    async def _erase(self, visit: ConsoleVisit) -> Response:
        form = await visit.form()
        contact, typed = form.get("contact", ""), form.get("number", "").strip()
        try:
            orders = await orders_of(visit.views, contact)
        except NoContactError:
            return await self._show(visit, contact)
        if not orders or typed != str(len(orders)):
            problem = Problem(f"Type {len(orders)}, the number of bookings, to confirm.", ("number",))
            return await self._show(visit, contact, problem, typed)
        keys = frozenset(record.key for record in orders)
        refusal = await visit.try_(EraseOrderData(orders=keys, contact=contact.strip(), actor=visit.actor))
        if refusal:
            return await self._show(visit, contact, refusal, typed)
        return visit.redirect(PRIVACY_PATH, Notice.DATA_ERASED)

    async def _show(
        self, visit: ConsoleVisit, contact: str, problem: Problem | None = None, typed: str = ""
    ) -> Response:
        try:
            orders = await orders_of(visit.views, contact)
        except NoContactError as fault:
            problem = Problem(str(fault), ("contact",))
            return visit.page("bookings/privacy.html", problem=problem, contact=contact, rows=None, typed="")
        partners = await visit.partner_names()
        return visit.page(
            "bookings/privacy.html",
            problem=problem,
            contact=contact.strip(),
            rows=[_row(record, contact.strip(), partners) for record in orders],
            typed=typed,
        )


def _row(record: PersonalRecord, contact: str, partners: dict[str, str]) -> dict[str, Any]:
    """Return the values with which the list shows a record in which a person is the Customer or an attendee."""
    personal = record.order.personal or PersonalData()
    people = {CUSTOMER: personal.customer, **personal.attendees}
    numbers = numbers_of(personal, contact)
    return {
        **order_summary(record, partners),
        "person": person_name(people[min(numbers)]),
        "is_customer": CUSTOMER in numbers,
        "is_proposal": isinstance(record, ProposalRecord),
    }
