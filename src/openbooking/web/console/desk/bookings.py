"""The front desk: staff books for a person at the counter or on the phone, and takes the payment.

All staff sees prices here, also accounts that see no money elsewhere: whoever takes a payment must know the price.
"""

import uuid
from collections.abc import Mapping
from http import HTTPMethod
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import MEANS_OF_PAYMENT
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import Order, OrderKey, desk_caller
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.views import Occurrence
from openbooking.identity.digests import SecretKind, new_secret
from openbooking.openactive.errors import OpenBookingError, OrderAlreadyExistsError, TotalPaymentDueMismatchError
from openbooking.openactive.ids import parse_uuid
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.console.day.occurrences import day_choice, find_occurrences, free_spaces, occurrence_row
from openbooking.web.console.desk.booking_form import (
    NOT_PAID,
    DeskForm,
    DeskOffer,
    answer_field,
    attendee_field,
    desk_offers,
    desk_request,
    field_errors,
    label_of,
    name_of,
    new_desk_form,
    read_desk_form,
)
from openbooking.web.console.desk.receipts import receipt_path
from openbooking.web.pages import BadFormError, Problem

_PAYMENTS: Mapping[str, str] = {**MEANS_OF_PAYMENT, NOT_PAID: "Not paid now"}


class DeskPages:
    """The sessions of a day with their prices, and the form with which one is booked."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes of both pages."""
        return [
            self._console.route("/desk", self._day, menu="Front desk"),
            self._console.route(OpportunityPage.DESK.route, self._book, ("GET", "POST")),
        ]

    async def _day(self, visit: ConsoleVisit) -> Response:
        found = await find_occurrences(visit)
        rows = [
            {
                **occurrence_row(visit, occurrence),
                "free": free_spaces(occurrence),
                "offers": desk_offers(visit, occurrence),
            }
            for occurrence in found.rows
        ]
        return visit.page("desk/desk.html", rows=rows, next=found.next, **day_choice(visit))

    async def _book(self, visit: ConsoleVisit) -> Response:
        if visit.request.method != HTTPMethod.POST:
            occurrence = await visit.occurrence()
            return await self._page(visit, occurrence, new_desk_form(str(uuid.uuid4()), desk_offers(visit, occurrence)))
        form = await visit.form()
        order_uuid = parse_uuid(form.get("uuid", ""))
        if order_uuid is None:
            raise BadFormError
        if await visit.views.order(OrderKey(DESK, order_uuid)):
            return visit.redirect(receipt_path(order_uuid), Notice.BOOKED_BEFORE)
        occurrence = await visit.occurrence()
        asked = read_desk_form(form, order_uuid, desk_offers(visit, occurrence))
        if form.get("step") != "book":
            return await self._page(visit, occurrence, asked, asked.errors)
        return await self._try_to_book(visit, occurrence, asked)

    async def _try_to_book(self, visit: ConsoleVisit, occurrence: Occurrence, asked: DeskForm) -> Response:
        errors = {**asked.errors, **_payment_errors(asked)}
        if asked.offer is None or errors:
            return await self._page(visit, occurrence, asked, errors)
        command = BookAtDesk(
            caller=desk_caller(visit.seller.key),
            uuid=asked.uuid,
            request=self._request(visit, occurrence, asked, asked.offer),
            nonce=new_secret(SecretKind.SESSION),
            actor=visit.actor,
        )
        try:
            order = await visit.execute(command)
        except OrderAlreadyExistsError:
            return visit.redirect(receipt_path(asked.uuid), Notice.BOOKED_BEFORE)
        except TotalPaymentDueMismatchError:
            changed = "The total has changed. Check the new total below, and book again."
            return await self._page(visit, occurrence, asked, {"total": changed})
        except OpenBookingError as refusal:
            return await self._page(visit, occurrence, asked, {"": refusal.description or refusal.name})
        if order.has_errors:
            return await self._page(visit, occurrence, asked, field_errors(order, with_details=True))
        return visit.redirect(receipt_path(asked.uuid), Notice.BOOKED)

    def _request(self, visit: ConsoleVisit, occurrence: Occurrence, asked: DeskForm, offer: DeskOffer) -> OrderRequest:
        return desk_request(asked, offer, occurrence.path, visit.seller.key, self._console.system.ids)

    async def _quote(self, visit: ConsoleVisit, occurrence: Occurrence, asked: DeskForm) -> Order | None:
        """Return the quote of a form; None if the form cannot be quoted."""
        if asked.offer is None or "spaces" in asked.errors:
            return None
        command = Quote(
            caller=desk_caller(visit.seller.key),
            uuid=asked.uuid,
            checkpoint=Checkpoint.C2,
            request=self._request(visit, occurrence, asked, asked.offer),
            holds=False,
        )
        try:
            return await visit.execute(command)
        except OpenBookingError:
            return None

    async def _page(
        self, visit: ConsoleVisit, occurrence: Occurrence, asked: DeskForm, errors: Mapping[str, str] | None = None
    ) -> Response:
        """Return the form with its total and errors.

        Args:
            visit: The visit.
            occurrence: The occurrence that is booked.
            asked: What was typed.
            errors: The errors at the fields; None before anything was typed.
        """
        quote = await self._quote(visit, occurrence, asked)
        refused = field_errors(quote, with_details=False) if quote else {}
        quoted = field_errors(quote, with_details=asked.fields["step"] == "book") if quote else {}
        shown = {} if errors is None else {**refused, **errors, **quoted}
        field, text = next(iter(shown.items()), ("", ""))
        return visit.page(
            "desk/desk_book.html",
            problem=Problem(text, (field,) if field else ()) if shown else None,
            errors=shown,
            warning=next(iter(refused.values()), "") if errors is None else "",
            row=occurrence_row(visit, occurrence),
            free=free_spaces(occurrence),
            offers=desk_offers(visit, occurrence),
            asked=asked,
            quote=None if refused else quote,
            attendees=_attendees(asked),
            is_paid_for=bool(asked.total if refused or quote is None else quote.totals.price),
            payments=_PAYMENTS,
        )


def _payment_errors(asked: DeskForm) -> dict[str, str]:
    is_chosen = asked.is_paid or asked.fields["payment"] == NOT_PAID
    return {"payment": "Choose how the customer pays."} if asked.total and not is_chosen else {}


def _attendees(asked: DeskForm) -> list[dict[str, Any]]:
    """Return the fields of each attendee, if the Offer asks for any."""
    offer = asked.offer.offer if asked.offer else None
    if offer is None or not (offer.attendee_details or offer.intake_form):
        return []
    names = [name_of(uri) for uri in offer.attendee_details]
    return [
        {
            "number": number,
            "details": [(attendee_field(number, name), label_of(name)) for name in names],
            "questions": [(answer_field(number, field.key), field) for field in offer.intake_form],
        }
        for number in range(1, asked.attendees + 1)
    ]
