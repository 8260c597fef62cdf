"""The form with which staff records that a Customer pays after the booking, at the front desk."""

from collections import defaultdict
from decimal import Decimal

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import MEANS_OF_PAYMENT
from openbooking.back_office.rows.order_items import item_rows
from openbooking.booking.commands.orders.record_payment import RecordPayment
from openbooking.booking.model.errors import DueChangedError
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.order import MeansOfPayment, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.desk_account import due_at_desk
from openbooking.openactive.errors import OpenBookingError
from openbooking.web.console.bookings.orders import order_path
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.console.desk.booking_form import LONGEST_TEXT, read_amount
from openbooking.web.console.desk.receipts import pay_path, receipt_path
from openbooking.web.pages import Form, Problem


class DeskPaymentPages:
    """The form, which then leads to the receipt."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the form."""
        return [self._console.route("/desk/pay/{uuid}", self._pay, ("GET", "POST"))]

    async def _pay(self, visit: ConsoleVisit) -> Response:
        record = await visit.views.order(OrderKey(DESK, visit.request.path_params["uuid"]))
        if not isinstance(record, OrderRecord):
            raise NotFoundOnConsoleError
        form = await visit.form() if visit.request.method == "POST" else None
        problem = await _record(visit, record, form) if form is not None else None
        if form is not None and problem is None:
            return visit.redirect(receipt_path(record.uuid), Notice.PAID)
        due = due_at_desk(record)
        return visit.page(
            "desk/payment.html",
            problem=problem,
            record=record,
            customer=record.order.personal.customer if record.order.personal else None,
            names=list(dict.fromkeys(row.name for row in item_rows(record))),
            due=due,
            form=defaultdict(str, form if form is not None else {"amount": f"{due:f}"}),
            payments=MEANS_OF_PAYMENT,
            order_path=order_path(record.key),
            pay_path=pay_path(record.uuid),
        )


async def _record(visit: ConsoleVisit, record: OrderRecord, form: Form) -> Problem | None:
    """Record the payment in the form; return the problem if that is not possible."""
    amount, means, reference = read_amount(form.get("amount", "")), form.get("payment", ""), form.get("reference", "")
    if amount is None:
        return Problem("Enter an amount, such as 12.50.", ("amount",))
    if means not in set(MeansOfPayment):
        return Problem("Choose how the customer pays.", ("payment",))
    if len(reference) > LONGEST_TEXT:
        return Problem(f"Use at most {LONGEST_TEXT} characters.", ("reference",))
    command = RecordPayment(
        order=record.key,
        amount=amount,
        means=MeansOfPayment(means),
        reference=reference.strip(),
        due=read_amount(form.get("due", "")) or Decimal(0),
        actor=visit.actor,
    )
    try:
        await visit.execute(command)
    except DueChangedError as refusal:
        return Problem(refusal.name)
    except OpenBookingError as refusal:
        return Problem(refusal.description or refusal.name, ("amount",))
    return None
