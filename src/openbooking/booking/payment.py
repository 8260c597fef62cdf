"""Which payment details B expects, and the agreement on what is due (OB 7.6.2)."""

from collections.abc import Iterable

from openbooking.booking.opportunity import Offer
from openbooking.booking.order import OrderRequest, Totals
from openbooking.booking.pricing import prepayment_of_all
from openbooking.spec.errors import (
    IncompletePaymentDetailsError,
    MissingPaymentDetailsError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.spec.terms import Availability


def check_payment(request: OrderRequest, offers: Iterable[Offer]) -> None:
    """Raise the error of a `payment` that is missing, unnecessary or incomplete, in this order (AMB-54)."""
    prepayment = prepayment_of_all(offers)
    if request.payment is None:
        if prepayment is Availability.REQUIRED:
            raise MissingPaymentDetailsError
        return
    if prepayment is Availability.UNAVAILABLE:
        raise UnnecessaryPaymentDetailsError
    if not request.payment.identifier:
        raise IncompletePaymentDetailsError("The payment lacks its identifier.")


def check_total(request: OrderRequest, totals: Totals) -> None:
    """Raise TotalPaymentDueMismatchError unless the Broker's figure is ours (OB-B-06)."""
    if request.total_payment_due is None:
        raise TotalPaymentDueMismatchError("The totalPaymentDue is missing.")
    if request.total_payment_due != totals.price:
        raise TotalPaymentDueMismatchError(f"The total is {totals.price}, not {request.total_payment_due}.")
