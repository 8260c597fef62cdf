"""The confirmation of a decision: its message to Customers, and the typed number of Customers if there are many."""

from typing import NamedTuple

from openbooking.back_office.plans.messages import length_problem
from openbooking.web.console.console import ConsoleVisit
from openbooking.web.pages import Form, Problem


class Confirmation(NamedTuple):
    """The confirmation that a decision needs; the macros in `console/confirmation.html` show its fields.

    Attributes:
        customers: The number of Customers that the decision concerns. Each Order or proposal counts as one.
        must_type: Whether that number must be typed.
    """

    customers: int
    must_type: bool

    def problem(self, form: Form) -> Problem | None:
        """Return the problem with the message and the typed number in a form; None if there is none."""
        if self.must_type and form.get("customers", "").strip() != str(self.customers):
            text = f"Type {self.customers}, the number of customers that this concerns."
            return too_long(form.get("message", ""), "message") or Problem(text, ("customers",))
        return too_long(form.get("message", ""), "message")


def confirmation(visit: ConsoleVisit, customers: int) -> Confirmation:
    """Return the confirmation that a decision about this number of Customers needs."""
    return Confirmation(customers, customers > visit.console.system.settings.confirm_customers)


def too_long(text: str, field: str) -> Problem | None:
    """Return the problem with a text that is too long for its field; None if there is none."""
    fault = length_problem(text.strip())
    return Problem(fault, (field,)) if fault else None
