"""The details that a request must have: of Broker, Customer and attendees, and answers to intake forms.

An error in Broker or Customer refuses the request (OB 6, 10.1.5, 10.1.9). An error in an attendee or an answer is an
error of its OrderItem (OB 5.6.2, 5.6.3).
"""

from collections.abc import Mapping
from typing import Any

from openbooking.booking.model.opportunity import FormField, Offer
from openbooking.booking.model.order import Reflected
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest, OrderRequest
from openbooking.openactive.errors import IncompleteBrokerDetailsError, IncompleteCustomerDetailsError
from openbooking.openactive.ids import FormFieldRef
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.terms import BrokerRole, FormFieldType

# An item with these errors only counts in the totals, because the Broker can still send the details (OB 9.2.1).
INCOMPLETE = frozenset({ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS, ItemErrorType.INCOMPLETE_INTAKE_FORM})
_REQUIRED_OF_CUSTOMER = {"Person": ("email",), "Organization": ("email", "name", "address")}
_TEXTS = frozenset({"email", "givenName", "familyName", "telephone"})


def check_broker(request: OrderRequest) -> None:
    """Raise IncompleteBrokerDetailsError unless `broker` fits the role (OB-VAL-06, OB-ROLE-03, OB-ROLE-05)."""
    if request.broker_role is BrokerRole.NO_BROKER:
        if request.broker is not None:
            raise IncompleteBrokerDetailsError("With brokerRole NoBroker there must be no broker.")
        return
    if request.broker is None:
        raise IncompleteBrokerDetailsError("The broker is missing.")
    if request.broker.get("@type") != "Organization" or not _has_text(request.broker, "name"):
        raise IncompleteBrokerDetailsError("The broker must be an Organization with a name.")


def check_customer(request: OrderRequest) -> None:
    """Raise IncompleteCustomerDetailsError unless `customer` is complete; a reseller may omit it."""
    if request.customer is None:
        if request.broker_role is BrokerRole.RESELLER:
            return
        raise IncompleteCustomerDetailsError("The customer is missing.")
    required = _REQUIRED_OF_CUSTOMER.get(str(request.customer.get("@type")))
    if required is None:
        raise IncompleteCustomerDetailsError("The customer must be a Person or an Organization.")
    missing = [name for name in required if not _has_value(request.customer, name)]
    if missing:
        raise IncompleteCustomerDetailsError(f"The customer lacks {', '.join(missing)}.")


def detail_errors(offer: Offer, request: ItemRequest) -> tuple[ItemError, ...]:
    """Return the errors in the attendee and the answers of one requested OrderItem."""
    return (*_attendee_errors(offer, request.attendee), *_form_errors(offer, request))


def missing_details(offer: Offer, answered: Offer, attendee: Reflected | None) -> tuple[ItemError, ...]:
    """Return an error for each detail that a new Offer requires and a booked item lacks.

    Args:
        offer: The new Offer.
        answered: The Offer with which the item was booked. Its required questions were answered at B.
        attendee: The attendee that was sent at B.
    """
    asked = tuple(field for field in offer.intake_form if field not in answered.intake_form)
    return (
        *_attendee_errors(offer, attendee),
        *(error for field in asked if (error := _form_error(field))),
    )


def _attendee_errors(offer: Offer, attendee: Reflected | None) -> list[ItemError]:
    attendee = attendee or {}
    missing = [
        ItemError(
            type=ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
            description=f"The attendee needs {_name_of(uri)}.",
            instance=uri,
        )
        for uri in offer.attendee_details
        if not _has_detail(attendee, _name_of(uri))
    ]
    if attendee.get("@type") in (None, "Person"):
        return missing
    return [ItemError(type=ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS, description="The attendee must be a Person.")]


def _form_errors(offer: Offer, request: ItemRequest) -> list[ItemError]:
    answers: dict[FormFieldRef | None, list[IntakeAnswer]] = {}
    for answer in request.intake_answers:
        answers.setdefault(answer.field, []).append(answer)
    asked = ((field, answers.get(FormFieldRef(offer.ref, field.key), [])) for field in offer.intake_form)
    errors = (_form_error(field, *given) for field, given in asked)
    return [error for error in errors if error]


def _form_error(field: FormField, answer: IntakeAnswer | None = None, *others: IntakeAnswer) -> ItemError | None:
    if others:
        return _error(ItemErrorType.INVALID_INTAKE_FORM, field, f"“{field.name}” wants one answer only.")
    if answer is None or _is_blank(answer.value):
        if not field.required or field.type is FormFieldType.BOOLEAN:
            return None
        return _error(ItemErrorType.INCOMPLETE_INTAKE_FORM, field, f"Please answer “{field.name}”.")
    if field.type is FormFieldType.BOOLEAN:
        wrong = None if isinstance(answer.value, bool) else "yes or no"
    elif field.type is FormFieldType.DROPDOWN:
        wrong = None if answer.value in field.options else f"one of: {', '.join(field.options)}"
    else:
        wrong = None if isinstance(answer.value, str) else "a text"
    return _error(ItemErrorType.INVALID_INTAKE_FORM, field, f"“{field.name}” wants {wrong}.") if wrong else None


def _error(type_: ItemErrorType, field: FormField, description: str) -> ItemError:
    return ItemError(type=type_, description=description, field=field.key)


def _has_detail(attendee: Reflected, name: str) -> bool:
    value = attendee.get(name)
    return not _is_blank(value) and (isinstance(value, str) or name not in _TEXTS)


def _has_text(thing: Reflected, name: str) -> bool:
    value = thing.get(name)
    return isinstance(value, str) and bool(value.strip())


def _has_value(thing: Reflected, name: str) -> bool:
    """Return whether the property is a text that is not blank, or, for `address`, an object that is not empty."""
    value = thing.get(name)
    return bool(value) if name == "address" and isinstance(value, Mapping) else _has_text(thing, name)


def _is_blank(value: Any) -> bool:
    return value in (None, [], {}) or (isinstance(value, str) and not value.strip())


def _name_of(uri: str) -> str:
    return uri.rpartition("/")[2]
