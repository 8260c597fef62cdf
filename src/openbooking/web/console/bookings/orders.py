"""The search for Orders, and the page of one Order."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH, PROPOSALS_PATH
from openbooking.back_office.descriptions import (
    ORDER_STATUSES,
    PAYMENTS,
    PROPOSAL_STATUSES,
    opportunity_name,
    person_name,
)
from openbooking.back_office.formats import day_bounds, parse_date
from openbooking.back_office.history import history_rows
from openbooking.back_office.rows.order_items import item_rows
from openbooking.booking.model.order import OrderKey, PersonalData
from openbooking.booking.model.record import DeletedRecord, OrderRecord, ProposalRecord
from openbooking.booking.rules.orders.desk_account import desk_account, due_at_desk
from openbooking.booking.rules.orders.order_lines import OrderStatus, order_status
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.booking.rules.orders.search_terms import found_attendees
from openbooking.booking.views import OrderQuery, Page
from openbooking.openactive.money import is_price
from openbooking.web.console.bookings.sealed_search import SealedSearch, seal, unseal
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError
from openbooking.web.pages import Form, Problem

T = TypeVar("T")

ORDERS_PATH = f"{CONSOLE_PATH}/orders"

_FILTERS = (
    *("session_from", "session_to", "booked_from", "booked_to"),
    *("status", "partner", "value_from", "value_to"),
)
_LONGEST_TEXT = 254
_SEARCH_ENDED = "This search has ended with the session in which it began. Type it again."


class SearchError(Exception):
    """A field of the search has no valid value."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.problem = Problem(text, (field,))


class OrderPages:
    """The list of Orders, and the page of one Order."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes of both pages."""
        return [
            self._console.route("/orders", self._search, ("GET", "POST"), menu="Bookings"),
            self._console.route("/orders/{partner}/{uuid}", self._order),
        ]

    async def _search(self, visit: ConsoleVisit) -> Response:
        """Show the bookings found. The form is sent with POST, and leads to an address without personal data."""
        if visit.request.method != "POST":
            return await self._found(visit)
        form = await visit.form()
        text = form.get("text", "").strip()
        if len(text) > _LONGEST_TEXT:
            problem = Problem(f"Use at most {_LONGEST_TEXT} characters.", ("text",))
            return await self._page(visit, {**_filters(form), "text": text}, Page(), problem=problem)
        query = _address_query(visit, form, text)
        return visit.redirect(f"{ORDERS_PATH}?{query}" if query else ORDERS_PATH)

    async def _found(self, visit: ConsoleVisit) -> Response:
        sent, token = visit.query, visit.query.get("search", "")
        search = unseal(visit.visit, token) if token else SealedSearch(after=sent.get("after", ""))
        if search is None:
            return await self._page(visit, _filters(sent), Page(), problem=Problem(_SEARCH_ENDED, ("text",)))
        fields = {**_filters(sent), "text": search.text}
        try:
            query = read_query(fields, visit)
        except SearchError as fault:
            return await self._page(visit, fields, Page(), problem=fault.problem)
        proposals: Page[ProposalRecord] = Page()
        if query == OrderQuery(text=query.text) and not search.after:
            proposals = await visit.views.proposals_of(query.text)
        return await self._page(visit, fields, await visit.views.orders(query, search.after), proposals)

    async def _page(
        self,
        visit: ConsoleVisit,
        fields: Form,
        found: Page[OrderRecord],
        proposals: Page[ProposalRecord] = Page(),  # noqa: B008 - frozen
        problem: Problem | None = None,
    ) -> Response:
        partners, text = await visit.partner_names(), fields.get("text", "")
        return visit.page(
            "bookings/orders.html",
            problem=problem,
            fields=defaultdict(str, fields),
            longest=_LONGEST_TEXT,
            partners=partners,
            statuses=ORDER_STATUSES,
            rows=[order_summary(record, partners, text) for record in found.rows],
            proposals=[order_summary(record, partners, text) for record in proposals.rows],
            has_more_proposals=proposals.next is not None,
            next=found.next and _address_query(visit, fields, fields["text"], found.next),
            is_filtered=any(fields.values()),
            shows_filters=bool(_filters(fields)),
        )

    async def _order(self, visit: ConsoleVisit) -> Response:
        record = await visit.views.order(visit.key)
        partners = await visit.partner_names()
        if isinstance(record, ProposalRecord):
            return visit.redirect(f"{PROPOSALS_PATH}/{record.partner}/{record.uuid}")
        if isinstance(record, DeletedRecord):
            return visit.page(
                "bookings/deleted_order.html", record=record, partner=partners.get(record.partner, record.partner)
            )
        if not isinstance(record, OrderRecord):
            raise NotFoundOnConsoleError
        return visit.page(
            "bookings/order.html",
            record=record,
            path=order_path(record.key),
            partner=partners.get(record.partner, record.partner),
            items=item_rows(record),
            order_status=ORDER_STATUSES[order_status(record)],
            totals=current_totals(record),
            due=due_at_desk(record),
            refunds=[
                (PAYMENTS.get(moved.means, moved.means), moved)
                for moved in (desk_account(record) if record.is_of_desk else ())
                if moved.given_back
            ],
            personal=record.order.personal or PersonalData(),
            history=await history_rows(visit.views, record, partners),
        )


def order_path(key: OrderKey) -> str:
    """Return the path of the page of an Order below the address of the site."""
    return f"{ORDERS_PATH}/{key.partner}/{key.uuid}"


def _filters(fields: Form) -> Form:
    """Return the fields of the search that are not personal and not empty."""
    return {name: fields[name] for name in _FILTERS if fields.get(name)}


def _address_query(visit: ConsoleVisit, fields: Form, text: str, after: str = "") -> str:
    """Return the query of the address of a page of Orders; the text is encrypted, with the cursor that contains it."""
    if text:
        return urlencode({**_filters(fields), "search": seal(visit.visit, SealedSearch(text, after))})
    return urlencode({**_filters(fields), **({"after": after} if after else {})})


def read_query(fields: Form, visit: ConsoleVisit) -> OrderQuery:
    """Return the query that the fields of the search stand for; dates are days, and the last day counts.

    Raises:
        SearchError: A field has no valid value.
    """
    if not visit.user.role.may_see_money:
        # A search by value would show the value of each Order found.
        fields = {name: text for name, text in fields.items() if name not in ("value_from", "value_to")}
    booked_from, booked_before = _period(fields, "booked", visit)
    session_from, session_before = _period(fields, "session", visit)
    return OrderQuery(
        text=fields.get("text", "").strip(),
        partner=fields.get("partner", ""),
        booked_from=booked_from,
        booked_before=booked_before,
        session_from=session_from,
        session_before=session_before,
        status=_read(fields, "status", OrderStatus, "Choose a status from the list."),
        value_from=_read(fields, "value_from", _amount, "Enter an amount, such as 12.50."),
        value_to=_read(fields, "value_to", _amount, "Enter an amount, such as 12.50."),
    )


def _period(fields: Form, name: str, visit: ConsoleVisit) -> tuple[datetime | None, datetime | None]:
    zone = visit.console.zone
    message = "Enter a date, such as 2026-12-05."
    first = _read(fields, f"{name}_from", _date, message)
    last = _read(fields, f"{name}_to", _date, message)
    if first and last and last < first:
        raise SearchError("The last day is before the first day.", f"{name}_to")
    return day_bounds(first, zone)[0] if first else None, day_bounds(last, zone)[1] if last else None


def _read(fields: Form, name: str, read: Callable[[str], T], message: str) -> T | None:
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        return read(text)
    except (ValueError, InvalidOperation) as fault:
        raise SearchError(message, name) from fault


def _date(text: str) -> date:
    day = parse_date(text)
    if day is None or not date(1970, 1, 2) <= day < date(9999, 1, 1):
        raise ValueError(text)
    return day


def _amount(text: str) -> Decimal:
    amount = Decimal(text.removeprefix("£").replace(",", ""))
    if not is_price(amount):
        raise ValueError(text)
    return amount


def order_summary(record: OrderRecord | ProposalRecord, partners: dict[str, str], text: str = "") -> dict[str, Any]:
    """Return the values with which a list shows an Order or OrderProposal.

    Args:
        record: The Order or OrderProposal.
        partners: The names of the Booking Partners by their keys.
        text: The text of the search that has found it. Attendees are named if it finds them, and not the Customer.
    """
    items = record.items()
    (first, _), others = items[0], len({item.opportunity.path for item, _ in items}) - 1
    personal = record.order.personal
    return {
        "record": record,
        "path": order_path(record.key),
        "customer": person_name(personal.customer if personal else None),
        "partner": partners.get(record.partner, record.partner),
        "name": opportunity_name(first.opportunity, first.parents),
        "starts": first.opportunity.start,
        "others": others,
        "quantity": len(items),
        "status": record_status(record),
        "attendees": [person_name(attendee) for attendee in found_attendees(personal, text)],
        "totals": current_totals(record),
    }


def record_status(record: OrderRecord | ProposalRecord) -> str:
    """Return the status of an Order or OrderProposal in words."""
    if isinstance(record, ProposalRecord):
        return PROPOSAL_STATUSES[record.proposal.status]
    return ORDER_STATUSES[order_status(record)]
