"""The form of the front desk: what it offers, what was typed, and the errors at its fields."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from openbooking.booking.model.opportunity import Offer, applicable_offers
from openbooking.booking.model.order import MeansOfPayment, Order, OrderItem, Payment
from openbooking.booking.model.order_request import IntakeAnswer, ItemRequest, OrderRequest
from openbooking.booking.rules.opportunities.bookability import CONDITIONS_AT_DESK, Pair, why_not_bookable
from openbooking.booking.rules.orders.pricing import Pricing, amount_due, tax_treatment
from openbooking.booking.views import Occurrence
from openbooking.openactive.contact_details import is_email
from openbooking.openactive.ids import FormFieldRef, Identifiers
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.money import is_price
from openbooking.openactive.terms import BrokerRole, FormFieldType
from openbooking.web.console.console import ConsoleVisit
from openbooking.web.pages import Form

# A form of a page has at most 50 fields (`pages.parse_fields`), and these are the fields that it always has.
_FIELDS_FOR_ATTENDEES = 50 - 12
_MOST_SPACES = 100
LONGEST_TEXT = 1000
NOT_PAID = "none"

_CUSTOMER_FIELDS = ("givenName", "familyName", "email", "telephone")
_LABELS = {
    "givenName": "First name",
    "familyName": "Last name",
    "email": "E-mail",
    "telephone": "Telephone",
    "birthDate": "Date of birth",
}


class DeskOffer(NamedTuple):
    """An Offer at the front desk, with the price of one space including tax."""

    offer: Offer
    price: Decimal

    @property
    def value(self) -> str:
        """The value of the Offer in the form."""
        return f"{self.offer.owner} {self.offer.key}"

    @property
    def most_spaces(self) -> int:
        """How many spaces one form can book."""
        fields = len(self.offer.attendee_details) + len(self.offer.intake_form)
        return max(_FIELDS_FOR_ATTENDEES // fields, 1) if fields else _MOST_SPACES


class DeskForm(NamedTuple):
    """What was typed into the form; `errors` are the messages by field, the first of them first."""

    fields: Mapping[str, str]
    uuid: str
    offer: DeskOffer | None
    spaces: int
    total: Decimal | None
    errors: Mapping[str, str]

    @property
    def attendees(self) -> int:
        """The number of attendees whose details are asked for: with a wrong number of spaces, those that were typed."""
        if "spaces" not in self.errors:
            return self.spaces
        typed = (re.match(r"(?:attendee|answer)-([0-9]{1,2})-", name) for name in self.fields)
        return max((int(found[1]) for found in typed if found), default=0)

    @property
    def is_paid(self) -> bool:
        """Whether a means of payment is chosen."""
        return self.fields["payment"] in set(MeansOfPayment)


def desk_offers(visit: ConsoleVisit, occurrence: Occurrence) -> list[DeskOffer]:
    """Return the Offers with which the occurrence can be booked at the front desk now, whether or not it is full."""
    policy, seller, opportunity = visit.console.system.settings.policy, visit.seller, occurrence.opportunity
    nobody = OrderRequest(seller_id=seller.key, broker_role=BrokerRole.NO_BROKER, items=())
    pricing = Pricing(seller.tax_mode, tax_treatment(policy.tax, nobody, seller.tax_mode), policy.prepayment)
    return [
        DeskOffer(offer, amount_due(offer, pricing))
        for offer in applicable_offers(opportunity, occurrence.parents)
        if not why_not_bookable(Pair(opportunity, offer, seller, occurrence.parents), visit.now, CONDITIONS_AT_DESK)
    ]


def read_desk_form(form: Form, uuid: str, offers: Sequence[DeskOffer]) -> DeskForm:
    """Return what was typed, with the errors that are known without the state of the session."""
    fields = defaultdict(str, {name: value.strip() for name, value in form.items()})
    offer = next((offered for offered in offers if offered.value == fields["offer"]), None)
    spaces = int(fields["spaces"]) if re.fullmatch(r"[0-9]{1,4}", fields["spaces"]) else 0
    errors = {}
    if offer is None:
        errors["offer"] = "Choose a price."
    if spaces == 0:
        errors["spaces"] = "Enter the number of spaces."
    elif offer and spaces > offer.most_spaces:
        errors["spaces"] = f"Book at most {offer.most_spaces} spaces at once."
    if fields["email"] and not is_email(fields["email"]):
        errors["email"] = "Enter an e-mail address such as name@example.com, or leave it empty."
    long = (name for name, value in fields.items() if len(value) > LONGEST_TEXT)
    errors |= dict.fromkeys(long, f"Use at most {LONGEST_TEXT} characters.")
    return DeskForm(fields, uuid, offer, spaces, read_amount(fields["total"]), errors)


def new_desk_form(uuid: str, offers: Sequence[DeskOffer]) -> DeskForm:
    """Return the form as the page shows it first."""
    return read_desk_form({"offer": offers[0].value if offers else "", "spaces": "1"}, uuid, offers)


def desk_request(form: DeskForm, offer: DeskOffer, path: str, seller: str, ids: Identifiers) -> OrderRequest:
    """Return the request of a form without errors for spaces of the Opportunity at this path."""
    items = tuple(_item(form, offer, path, number, ids) for number in range(1, form.spaces + 1))
    customer = _person({name: form.fields[name] for name in _CUSTOMER_FIELDS})
    paid = Payment(name=form.fields["payment"], identifier=form.fields["reference"] or form.uuid)
    return OrderRequest(
        seller_id=ids.seller(seller),
        seller=seller,
        broker_role=BrokerRole.NO_BROKER,
        customer=customer,
        items=items,
        total_payment_due=form.total,
        total_currency=offer.offer.currency,
        payment=paid if form.is_paid and form.total else None,
    )


def _item(form: DeskForm, offer: DeskOffer, path: str, number: int, ids: Identifiers) -> ItemRequest:
    wanted = (name_of(uri) for uri in offer.offer.attendee_details)
    return ItemRequest(
        position=number - 1,
        opportunity_id=ids.opportunity(path),
        opportunity=path,
        offer_id=ids.offer(offer.offer.ref),
        offer=offer.offer.ref,
        attendee=_person({name: form.fields[attendee_field(number, name)] for name in wanted}),
        intake_answers=tuple(_answers(form, offer.offer, number, ids)),
    )


def _answers(form: DeskForm, offer: Offer, number: int, ids: Identifiers) -> Iterator[IntakeAnswer]:
    for field in offer.intake_form:
        typed = form.fields[answer_field(number, field.key)]
        value = bool(typed) if field.type is FormFieldType.BOOLEAN else typed
        if value or field.type is FormFieldType.BOOLEAN:
            ref = FormFieldRef(offer.ref, field.key)
            sent = {"@type": "PropertyValue", "propertyID": ids.form_field(ref), "value": value}
            yield IntakeAnswer(field=ref, sent=sent)


def _person(details: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a Person with the details that are not empty; None if all are."""
    given = {name: value for name, value in details.items() if value}
    return {"@type": "Person", **given} if given else None


def attendee_field(number: int, name: str) -> str:
    """Return the name of the field for a detail of an attendee."""
    return f"attendee-{number}-{name}"


def answer_field(number: int, key: str) -> str:
    """Return the name of the field for an answer of an attendee."""
    return f"answer-{number}-{key}"


def name_of(uri: str) -> str:
    """Return the name of the property with this URI, such as `givenName`."""
    return uri.rpartition("/")[2]


def label_of(name: str) -> str:
    """Return a property in words: `First name` for `givenName`, and `Shoe size` for `shoeSize`."""
    return _LABELS.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def field_errors(order: Order, *, with_details: bool) -> dict[str, str]:
    """Return the errors of the items of an Order or quote, by the fields of the form.

    Args:
        order: The Order or quote.
        with_details: Whether missing details of attendees count; at first they are not typed yet.
    """
    found: dict[str, str] = {}
    for item in order.items:
        for error in item.errors:
            if with_details or error.type not in _DETAILS:
                found.setdefault(*_field_error(item, error))
    return found


_DETAILS = frozenset(
    {
        ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
        ItemErrorType.INCOMPLETE_INTAKE_FORM,
        ItemErrorType.INVALID_INTAKE_FORM,
    }
)


def _field_error(item: OrderItem, error: ItemError) -> tuple[str, str]:
    text = error.description or "This cannot be booked."
    match error.type:
        case ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS:
            name = name_of(error.instance or "")
            return attendee_field(item.number, name), f"{label_of(name)} of attendee {item.number} is missing."
        case ItemErrorType.INCOMPLETE_INTAKE_FORM | ItemErrorType.INVALID_INTAKE_FORM:
            return answer_field(item.number, error.field or ""), text
        case ItemErrorType.OPPORTUNITY_IS_FULL:
            return "spaces", "This session is full."
        case ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY:
            return "spaces", f"Only {item.remaining} {'space is' if item.remaining == 1 else 'spaces are'} left."
        case ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE:
            return "spaces", "Other customers are booking the last spaces now. Try again in some minutes."
        case _:
            return "offer", text


def read_amount(text: str) -> Decimal | None:
    """Return the price in a field; None if it is none."""
    try:
        amount = Decimal(text.strip().removeprefix("£"))
    except InvalidOperation:
        return None
    # A huge exponent would be written with all its digits later.
    return amount if is_price(amount) else None
