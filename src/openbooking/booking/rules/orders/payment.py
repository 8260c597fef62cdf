"""Checks of payment details and of `totalPaymentDue` (OB 7.3, 7.6.2)."""

from collections.abc import Iterable

from msgspec.structs import replace

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Offer
from openbooking.booking.model.order import FORMER_SYSTEM, MeansOfPayment, Order, Payment
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Policy, ReconciliationDetails
from openbooking.booking.model.record import Record
from openbooking.booking.rules.orders.prepayment import prepayment_of_all
from openbooking.openactive.errors import (
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
    MissingPaymentDetailsError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.terms import Availability, OrderType


def check_details(payment: Payment | None, policy: Policy, terms: GrantTerms) -> None:
    """Raise InvalidPaymentDetailsError if the `payment` of a request cannot be reconciled.

    A dynamic payment must name an account that the Seller and the partner have agreed on (OB-DYN-01, OB-DYN-07,
    OB-DYN-08).
    """
    if payment is None:
        return
    if payment.dynamic:
        _check_account(payment, policy, terms)
    elif policy.reconciliation:
        _check_reconciliation(payment, policy.reconciliation)


def _check_account(payment: Payment, policy: Policy, terms: GrantTerms) -> None:
    """Raise an error unless the terms of the grant include the account and the setting allows it."""
    allowed, agreed = policy.dynamic_accounts, terms.dynamic_accounts
    if allowed is None or not agreed:
        raise InvalidPaymentDetailsError("No DynamicPayment has been agreed on with the Seller.")
    if not payment.account_id:
        raise IncompletePaymentDetailsError("The DynamicPayment lacks its accountId.")
    if payment.account_id not in agreed or (allowed and payment.account_id not in allowed):
        raise InvalidPaymentDetailsError("No DynamicPayment has been agreed on with this account.")


def _check_reconciliation(payment: Payment, details: ReconciliationDetails) -> None:
    for name in ReconciliationDetails.__struct_fields__:
        wanted = getattr(details, name)
        if wanted is not None and getattr(payment, name) != wanted:
            raise InvalidPaymentDetailsError(f"The payment's {name} is not one agreed with this Seller.")


def check_consistent(payment: Payment | None, own: Record | None) -> None:
    """Raise InvalidPaymentDetailsError if the payments of the request and of its quote are inconsistent (OB-DYN-07).

    Both payments must be dynamic with the same account, or neither payment may be dynamic.
    """
    if own is None:
        return
    quoted = own.payment if own.payment and own.payment.dynamic else None
    dynamic = payment if payment and payment.dynamic else None
    if (quoted and quoted.account_id) != (dynamic and dynamic.account_id):
        raise InvalidPaymentDetailsError("The OrderQuote was made for another kind of payment, or account.")


def reflected_payment(
    payment: Payment | None, offers: Iterable[Offer], policy: Policy, type_: OrderType
) -> Payment | None:
    """Return the `payment` that the reply shows, with the properties that this system checks (OB-PAY-08).

    An Order for which prepayment is Unavailable shows no payment. A quote shows no identifier, and no payment if the
    payment has no other property (OB-C2-05, AMB-33).
    """
    if payment is None or payment.dynamic:
        return payment
    if prepayment_of_all(offers) is Availability.UNAVAILABLE:
        return None
    shown = payment if policy.reconciliation else Payment(identifier=payment.identifier)
    shown = replace(shown, identifier=None) if type_ is OrderType.QUOTE else shown
    return None if shown == Payment() else shown


def check_payment(payment: Payment | None, offers: Iterable[Offer]) -> None:
    """Raise the error of a `payment` that is missing, unnecessary or incomplete, checked in this order (AMB-54)."""
    prepayment = prepayment_of_all(offers)
    if payment is None:
        if prepayment is Availability.REQUIRED:
            raise MissingPaymentDetailsError
        return
    if prepayment is Availability.UNAVAILABLE and not payment.dynamic:
        raise UnnecessaryPaymentDetailsError
    if not payment.identifier:
        raise IncompletePaymentDetailsError("The payment lacks its identifier.")


def check_desk_payment(payment: Payment | None, order: Order) -> None:
    """Raise the error of a `payment` at the front desk. Any Order may be paid there at once, or not at all.

    Raises:
        UnnecessaryPaymentDetailsError: There is nothing to pay.
        InvalidPaymentDetailsError: The name of the payment is not a means of payment.
        IncompletePaymentDetailsError: The payment has no identifier.
    """
    if payment is None:
        return
    if not order.totals.price:
        raise UnnecessaryPaymentDetailsError("There is nothing to pay.")
    if payment.name not in {*MeansOfPayment, FORMER_SYSTEM}:
        raise InvalidPaymentDetailsError("The payment does not say how the Customer paid.")
    if not payment.identifier:
        raise IncompletePaymentDetailsError("The payment lacks its identifier.")


def check_total(request: OrderRequest, order: Order) -> None:
    """Raise TotalPaymentDueMismatchError unless the request has the total of the Order, and its currency (OB-B-06).

    An Order with a dynamic payment has no total. A total of 0 may omit the currency (OB-VAL-40, OB-TAX-13).
    """
    if order.dynamic:
        return
    if request.total_payment_due is None:
        raise TotalPaymentDueMismatchError("The totalPaymentDue is missing, or has no price.")
    if request.total_payment_due != order.totals.price:
        raise TotalPaymentDueMismatchError(f"The total is {order.totals.price:f}, not {request.total_payment_due:f}.")
    may_omit_currency = request.total_currency is None and not order.totals.price
    if order.totals.currency and request.total_currency != order.totals.currency and not may_omit_currency:
        raise TotalPaymentDueMismatchError(f"The total is in {order.totals.currency}.")
