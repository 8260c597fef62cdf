"""Checks of requests: the Broker, the Customer, the payment, and the details of attendees."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from support.other_system.catalogue import ATTENDEE_DETAILS, DETAILS, QUESTIONS, SELLERS, Opportunity
from support.other_system.differences import Differences
from support.other_system.orders import Order, seller_id
from support.other_system.refusals import RefusalError, item_error
from support.other_system.spelling import OPENACTIVE, SCHEMA

_ROLES = {f"{OPENACTIVE}{role}" for role in ("AgentBroker", "ResellerBroker", "NoBroker")}


def check_order(sent: dict[str, Any], type_: str, *, needs_customer: bool) -> None:
    """Raise RefusalError if a request has a fault outside its items, as C1, C2, P and B do (OB 9.2)."""
    if sent.get("@type") != type_:
        raise RefusalError("UnexpectedOrderTypeError")
    if seller_id(sent) not in SELLERS:
        raise RefusalError("SellerNotFoundError")
    if sent.get("brokerRole") not in _ROLES:
        raise RefusalError("IncompleteBrokerDetailsError")
    broker = sent.get("broker")
    names_nobody = sent["brokerRole"] == f"{OPENACTIVE}NoBroker"
    if names_nobody is (broker is not None) or (broker is not None and not broker.get("name")):
        raise RefusalError("IncompleteBrokerDetailsError")
    needs_customer = needs_customer and sent["brokerRole"] != f"{OPENACTIVE}ResellerBroker"
    if needs_customer and not (sent.get("customer") or {}).get("email"):
        raise RefusalError("IncompleteCustomerDetailsError", "Bitte eine E-Mail-Adresse angeben: café@example.com.")


def check_payment(order: Order, differences: Differences) -> None:
    """Raise RefusalError if the total or the payment of P or B is wrong."""
    if _amount((order.sent.get("totalPaymentDue") or {}).get("price")) != order.total:
        raise RefusalError("TotalPaymentDueMismatchError")
    payment, needed = order.sent.get("payment"), order.prepayment(differences)
    if needed in ("", "Unavailable") and payment:
        raise RefusalError("UnnecessaryPaymentDetailsError")
    if needed == "Required" and not (payment or {}).get("identifier"):
        raise RefusalError("MissingPaymentDetailsError")


def detail_errors(item: dict[str, Any], found: Opportunity, *, full: bool) -> Iterator[dict[str, Any]]:
    """Yield the errors of an item whose attendee or intake form is incomplete, as C2, P and B do (OB 5.6)."""
    if found.requirements != DETAILS:
        return
    attendee = item.get("attendee") or {}
    for detail in ATTENDEE_DETAILS:
        if not attendee.get(detail.removeprefix(SCHEMA)):
            yield item_error("IncompleteAttendeeDetailsError", instance=detail, full=full)
    answers = {answer.get("propertyID"): answer.get("value") for answer in item.get("orderItemIntakeFormResponse", ())}
    for question in QUESTIONS:
        answer = answers.get(question["@id"])
        if answer is None and question.get("valueRequired"):
            yield item_error("IncompleteIntakeFormError", instance=question["@id"], full=full)
        if answer is not None and not _is_answer(question, answer):
            yield item_error("InvalidIntakeFormError", "So nicht: désolé.", question["@id"], full=full)


def _is_answer(question: dict[str, Any], answer: Any) -> bool:
    if question["@type"].startswith("Boolean"):
        return isinstance(answer, bool)
    return isinstance(answer, str) and answer in question.get("valueOption", (answer,))


def _amount(price: Any) -> Decimal | None:
    try:
        return Decimal(str(price))
    except InvalidOperation:
        return None
