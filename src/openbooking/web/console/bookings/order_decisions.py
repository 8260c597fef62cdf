"""The Seller's decisions about one Order: cancel, notify, renew access, replace.

Each has a page that says what it will do. The decision is made by the form of that page.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.plans.replacements import replacement_choices, replacement_day
from openbooking.back_office.rows.order_items import ItemRow, item_rows
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, RenewAccess, SellerCancel
from openbooking.booking.model.record import OrderRecord
from openbooking.identity.digests import SecretKind, new_secret
from openbooking.openactive.ids import OfferRef
from openbooking.web.console.bookings.orders import order_path
from openbooking.web.console.confirmation import too_long
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.pages import Form, Problem

_A_DAY = timedelta(days=1)
_METHODS = ("GET", "POST")


class OrderDecisionPages:
    """The pages of the decisions about one Order."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes."""
        order = "/orders/{partner}/{uuid}"
        return [
            self._console.route(f"{order}/cancel", self._cancel, _METHODS),
            self._console.route(f"{order}/notify", self._notify, _METHODS),
            self._console.route(f"{order}/access", self._renew_access, _METHODS),
            self._console.route(f"{order}/replace/{{number:int}}", self._replace, _METHODS),
        ]

    async def _cancel(self, visit: ConsoleVisit) -> Response:
        record = await visit.order()
        current = [row for row in item_rows(record) if not row.state.status.cancelled]
        rows = [row for row in current if not row.state.status.has_attendance]
        form, problem = await _posted(visit), None
        if form is not None:
            numbers, message = _chosen(form, rows), form.get("message", "").strip()
            problem = _none_chosen(numbers, rows) or too_long(message, "message")
            if problem is None:
                command = SellerCancel(order=record.key, numbers=numbers, message=message or None, actor=visit.actor)
                problem = await visit.try_(command)
            if problem is None:
                told = Notice.CANCELLED_AT_DESK if record.is_of_desk else Notice.CANCELLED
                return visit.redirect(order_path(record.key), told)
        recorded = [row for row in current if row.state.status.has_attendance]
        return await self._form(visit, "bookings/cancel_order.html", record, rows, form, problem, recorded=recorded)

    async def _notify(self, visit: ConsoleVisit) -> Response:
        record = await visit.order()
        rows = [row for row in item_rows(record) if not row.state.status.cancelled]
        form, problem = await _posted(visit), None
        if form is not None:
            numbers, notice = _chosen(form, rows), form.get("message", "").strip()
            problem = _none_chosen(numbers, rows) or too_long(notice, "message")
            if problem is None and bool(notice) == bool(form.get("remove")):
                text = "Either write a notice, or remove the present one." if notice else "Write the notice."
                problem = Problem(text, ("message",))
            if problem is None:
                problem = await visit.try_(Notify(order=record.key, numbers=numbers, notice=notice, actor=visit.actor))
            if problem is None:
                told = Notice.NOTIFIED if notice else Notice.NOTICE_REMOVED
                return visit.redirect(order_path(record.key), _notice(record, told))
        return await self._form(visit, "bookings/notify_order.html", record, rows, form, problem)

    async def _renew_access(self, visit: ConsoleVisit) -> Response:
        record = await visit.order()
        rows = [row for row in item_rows(record) if row.item.access and not row.state.status.cancelled]
        form, problem = await _posted(visit), None
        if form is not None:
            numbers = _chosen(form, rows)
            problem = _none_chosen(numbers, rows)
            if problem is None:
                command = RenewAccess(
                    order=record.key,
                    numbers=numbers,
                    nonce=new_secret(SecretKind.SESSION),
                    code=True,
                    passes=True,
                    channel=True,
                    actor=visit.actor,
                )
                problem = await visit.try_(command)
            if problem is None:
                return visit.redirect(order_path(record.key), Notice.ACCESS_RENEWED)
        return await self._form(visit, "bookings/renew_access.html", record, rows, form, problem)

    async def _replace(self, visit: ConsoleVisit) -> Response:
        record = await visit.order()
        number = visit.request.path_params["number"]
        row = next((row for row in item_rows(record) if row.item.number == number), None)
        if row is None:
            raise NotFoundOnConsoleError
        day = visit.day() if visit.query.get("day") else replacement_day(row, visit.now)
        choices = await replacement_choices(visit.views, record, row, day, visit.now)
        form, problem = await _posted(visit), None
        if form is not None:
            chosen = next((choice for choice in choices if choice.value == form.get("choice")), None)
            if chosen is None:
                problem = Problem("Choose the session that replaces this one.", ("choice",))
            else:
                command = Replace(
                    order=record.key,
                    number=number,
                    opportunity=chosen.occurrence.path,
                    offer=OfferRef(chosen.offer.owner, chosen.offer.key),
                    nonce=new_secret(SecretKind.SESSION),
                    actor=visit.actor,
                )
                problem = await visit.try_(command)
                if problem is None:
                    return visit.redirect(order_path(record.key), _notice(record, Notice.REPLACED))
        return await self._form(
            visit,
            "bookings/replace_item.html",
            record,
            [row],
            form,
            problem,
            choices=choices,
            day=day,
            day_before=day - _A_DAY,
            day_after=day + _A_DAY,
        )

    async def _form(  # noqa: PLR0913, PLR0917 - the values of four pages that are alike
        self,
        visit: ConsoleVisit,
        template: str,
        record: OrderRecord,
        rows: Sequence[ItemRow],
        form: Form | None,
        problem: Problem | None,
        **values: Any,
    ) -> Response:
        partners = await visit.partner_names()
        return visit.page(
            template,
            problem=problem,
            record=record,
            path=order_path(record.key),
            partner=partners.get(record.partner, record.partner),
            customer=record.order.personal.customer if record.order.personal else None,
            rows=rows,
            form=defaultdict(str, form or {}),
            is_new=form is None,
            **values,
        )


def _notice(record: OrderRecord, told_by_partner: Notice) -> Notice:
    """Return the notice after a change: no partner tells a Customer of the front desk."""
    return Notice.CHANGED_AT_DESK if record.is_of_desk else told_by_partner


async def _posted(visit: ConsoleVisit) -> Form | None:
    """Return the form that was sent; None if the page is only opened."""
    return await visit.form() if visit.request.method == "POST" else None


def _chosen(form: Form, rows: Sequence[ItemRow]) -> frozenset[int]:
    """Return the numbers of the items that are ticked in the form, as far as the page offers them."""
    return frozenset(row.item.number for row in rows if form.get(f"item-{row.item.number}"))


def _none_chosen(numbers: frozenset[int], rows: Sequence[ItemRow]) -> Problem | None:
    if not rows:
        return Problem("The booking has changed since you opened this page. Nothing has been done.")
    return None if numbers else Problem("Choose at least one item.", ("items",))
