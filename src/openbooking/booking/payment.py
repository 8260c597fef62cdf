"""Which payment details B expects, and the agreement on what is due (OB 7.6.2)."""

from collections.abc import Iterable

from openbooking.booking.opportunity import Offer
from openbooking.booking.order import OrderRequest, Payment, Totals
from openbooking.booking.policy import Policy, ReconciliationDetails
from openbooking.booking.pricing import prepayment_of_all
from openbooking.spec.errors import (
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
    MissingPaymentDetailsError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.spec.terms import Availability


def check_reconciliation(payment: Payment | None, details: ReconciliationDetails | None) -> None:
    """Raise InvalidPaymentDetailsError if a `payment` is sent that cannot be reconciled, whatever is to be paid."""
    if payment is None or details is None:
        return
    for name in ReconciliationDetails.__struct_fields__:
        wanted = getattr(details, name)
        if wanted is not None and getattr(payment, name) != wanted:
            raise InvalidPaymentDetailsError(f"The payment's {name} is not one agreed with this Seller.")


def reflected_payment(request: OrderRequest, offers: Iterable[Offer], policy: Policy) -> Payment | None:
    """The `payment` as replies show it: none where nothing is paid, and only what this system looks at (OB-PAY-08)."""
    if request.payment is None or prepayment_of_all(offers) is Availability.UNAVAILABLE:
        return None
    return request.payment if policy.reconciliation else Payment(identifier=request.payment.identifier)


def check_payment(request: OrderRequest, offers: Iterable[Offer]) -> None:
    """Raise the error of a `payment` that is missing, unnecessary or incomplete, in this order (AMB-54)."""
    prepayment = prepayment_of_all(offers)
    if request.payment is None:
        if prepayment is Availability.REQUIRED:
            raise MissingPaymentDetailsError
        return
    if prepayment is Availability.UNAVAILABLE:
        raise UnnecessaryPaymentDetailsError
    check_identified(request.payment)


def check_identified(payment: Payment) -> None:
    """Raise IncompletePaymentDetailsError unless the payment has its `identifier` (OB-PAY-03)."""
    if not payment.identifier:
        raise IncompletePaymentDetailsError("The payment lacks its identifier.")


def check_total(request: OrderRequest, totals: Totals) -> None:
    """Raise TotalPaymentDueMismatchError unless the Broker's figure is ours (OB-B-06)."""
    if request.total_payment_due is None:
        raise TotalPaymentDueMismatchError("The totalPaymentDue is missing.")
    if request.total_payment_due != totals.price:
        raise TotalPaymentDueMismatchError(f"The total is {totals.price}, not {request.total_payment_due}.")
