"""The front desk books for people at the counter or on the phone: without a Broker, a feed or prepayment."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.keys import DESK, InvalidKeyError, check_key
from openbooking.booking.model.opportunity import FormField, Opportunity
from openbooking.booking.model.order import FORMER_SYSTEM, Caller, MeansOfPayment, Order, OrderKey, Payment, desk_caller
from openbooking.booking.model.order_request import OfferOverride, OrderRequest
from openbooking.booking.model.policy import Policy, ReconciliationDetails, TaxCalculation
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.order_lines import order_lines
from openbooking.openactive.errors import (
    IncompleteCustomerDetailsError,
    IncompletePaymentDetailsError,
    InvalidAuthorizationDetailsError,
    InvalidPaymentDetailsError,
    OpenBookingError,
    OrderAlreadyExistsError,
    SellerMismatchError,
    TotalPaymentDueMismatchError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import Availability, BrokerRole, FlowRequirement, FormFieldType
from support.builders import NOW, PRICE, UUID, after, book, changed, item, quote, request, session, situation
from support.parties import ALICE, BROKER, CENTRE, MANAGER, STUDIO

AT_CENTRE = desk_caller(CENTRE.key)
KEY = OrderKey(DESK, UUID)
YOGA = session("yoga")
PATH = YOGA[-1].path
CARD = Payment(name=MeansOfPayment.CARD, identifier="slip 7")


def asked(family: list[Opportunity] = YOGA, **changes: Any) -> OrderRequest:
    """Return a request of the front desk for one space, without a name and without payment."""
    plain: dict[str, Any] = {
        "broker_role": BrokerRole.NO_BROKER,
        "broker": None,
        "customer": None,
        "payment": None,
    }
    return request(item(family), **{**plain, **changes})


def at_desk(wanted: OrderRequest | None = None, caller: Caller = AT_CENTRE) -> BookAtDesk:
    return BookAtDesk(caller=caller, uuid=UUID, request=wanted or asked(), nonce="nonce", actor=MANAGER)


def booked(where: Situation, command: BookAtDesk) -> OrderRecord:
    record = after(where, command).records[KEY]
    assert isinstance(record, OrderRecord)
    return record


def error_of(where: Situation, command: BookAtDesk) -> ItemErrorType:
    decision = command.decide(where)
    assert decision.changes == ()
    assert isinstance(decision.reply, Order)
    ((error,),) = (each.errors for each in decision.reply.items)
    return error.type


def test_the_desk_books_two_spaces_without_a_name() -> None:
    where = situation(YOGA)
    wanted = replace(asked(), items=(item(YOGA), item(YOGA, 1)), total_payment_due=2 * PRICE)
    left = after(where, at_desk(wanted))
    assert left.spaces[PATH] == Spaces(booked=2)
    record = booked(where, at_desk(wanted))
    assert record.order.personal
    assert record.order.personal.customer is None
    assert record.booked == Stamp(MANAGER, NOW)
    assert record.is_of_desk


@pytest.mark.spec("OB-ROLE-06")
def test_a_partner_without_a_broker_still_needs_a_customer() -> None:
    for command in (book(asked()), quote(asked())):
        with pytest.raises(IncompleteCustomerDetailsError):
            command.decide(situation(YOGA))


def test_the_desk_may_keep_a_name_without_an_e_mail_address() -> None:
    named = {"@type": "Person", "givenName": "Jo"}
    personal = booked(situation(YOGA), at_desk(asked(customer=named))).order.personal
    assert personal
    assert personal.customer == named


def test_the_desk_has_no_broker() -> None:
    with pytest.raises(OpenBookingError, match="no broker"):
        at_desk(asked(broker=BROKER)).decide(situation(YOGA))


def test_the_key_of_the_desk_is_no_key_of_a_partner() -> None:
    with pytest.raises(InvalidKeyError):
        check_key(DESK)


def test_the_desk_of_one_seller_sells_nothing_of_another() -> None:
    other = session("studio-yoga", seller=STUDIO)
    where = situation(YOGA, other)
    with pytest.raises(SellerMismatchError):
        at_desk(asked(other)).decide(where)
    with pytest.raises(InvalidAuthorizationDetailsError):
        at_desk(asked(other, seller=STUDIO.key)).decide(where)


def test_the_desks_of_two_sellers_never_share_an_order() -> None:
    where = after(situation(YOGA), at_desk())
    with pytest.raises(OrderAlreadyExistsError):
        at_desk(asked(seller=STUDIO.key), desk_caller(STUDIO.key)).decide(where)


@pytest.mark.spec("OB-B-10")
def test_a_form_that_is_sent_twice_books_once() -> None:
    where = situation(YOGA)
    first = at_desk().decide(where)
    left = changed(where, first)
    again = at_desk().decide(left)
    assert (again.reply, again.changes) == (first.reply, ())
    with pytest.raises(OrderAlreadyExistsError):
        at_desk(asked(customer={"@type": "Person", "givenName": "Jo"})).decide(left)


def test_a_full_session_is_full_at_the_desk_too() -> None:
    assert error_of(situation(YOGA, spaces={PATH: Spaces(booked=10)}), at_desk()) is ItemErrorType.OPPORTUNITY_IS_FULL


def test_spaces_that_a_quote_of_a_partner_holds_are_not_sold_at_the_desk() -> None:
    where = after(situation(one := session("one", capacity=1)), quote(request(item(one))))
    assert error_of(where, at_desk(asked(one))) is ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE


@pytest.mark.parametrize(
    "offered",
    [
        {"valid_through_before_start": timedelta(days=3)},
        {"valid_from_before_start": timedelta(hours=1)},
        {"in_advance": Availability.UNAVAILABLE},
        {"in_advance": Availability.UNAVAILABLE, "restricted": True},
    ],
)
def test_the_window_in_which_partners_book_does_not_bind_the_desk(offered: dict[str, Any]) -> None:
    family = session("late", offered=offered)
    assert len(booked(situation(family), at_desk(asked(family))).states) == 1
    reply = book(request(item(family))).decide(situation(family)).reply
    assert isinstance(reply, Order)
    assert reply.has_errors


def test_a_seller_that_is_closed_to_partners_books_at_its_desk() -> None:
    where = situation(YOGA)
    closed = replace(where, sellers={CENTRE.key: replace(CENTRE, open_booking_allowed=False)})
    assert len(booked(closed, at_desk()).states) == 1


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({"start": NOW - timedelta(hours=2), "end": NOW - timedelta(hours=1)}, {}),
        ({}, {"valid_through": NOW}),
        ({}, {"max_quantity": 0}),
    ],
)
def test_a_session_that_is_over_and_an_offer_that_does_not_apply_are_refused(
    changes: dict[str, Any], offered: dict[str, Any]
) -> None:
    family = session("over", offered=offered, **changes)
    assert error_of(situation(family), at_desk(asked(family))) is ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE


def test_staff_approves_by_booking() -> None:
    family = session("coach", offered={"flow": (FlowRequirement.APPROVAL,)})
    assert len(booked(situation(family), at_desk(asked(family))).states) == 1


def test_the_answers_that_an_offer_requires_are_required_at_the_desk() -> None:
    level = FormField(key="level", type=FormFieldType.SHORT_ANSWER, name="Level", description="?", required=True)
    family = session("climb", offered={"intake_form": (level,)})
    assert error_of(situation(family), at_desk(asked(family))) is ItemErrorType.INCOMPLETE_INTAKE_FORM


@pytest.mark.parametrize("prepayment", [None, *Availability])
@pytest.mark.parametrize("payment", [None, CARD])
@pytest.mark.parametrize("policy", [Policy(), Policy(reconciliation=ReconciliationDetails(account_id="SN1"))])
def test_payment_is_taken_at_the_desk_or_not_and_kept_as_it_was_taken(
    prepayment: Availability | None, payment: Payment | None, policy: Policy
) -> None:
    """Rules of prepayment and reconciliation are about Brokers."""
    family = session("swim", offered={"prepayment": prepayment})
    assert booked(situation(family, policy=policy), at_desk(asked(family, payment=payment))).payment == payment


@pytest.mark.parametrize(
    ("payment", "error"),
    [
        (replace(CARD, name="shells"), InvalidPaymentDetailsError),
        (replace(CARD, identifier=None), IncompletePaymentDetailsError),
    ],
)
def test_a_payment_without_means_or_identifier_is_refused(payment: Payment, error: type[OpenBookingError]) -> None:
    with pytest.raises(error):
        at_desk(asked(payment=payment)).decide(situation(YOGA))


def test_the_desk_sells_nothing_without_its_price() -> None:
    """A DynamicPayment is for Brokers that have agreed on it."""
    unpriced = replace(item(YOGA), offer=None, offer_id=None)
    wanted = replace(asked(payment=replace(CARD, dynamic=True)), items=(unpriced,))
    with pytest.raises(UnnecessaryPaymentDetailsError):
        at_desk(wanted).decide(situation(YOGA))


def test_a_free_space_is_not_paid_for() -> None:
    free = session("free", price=Decimal("0.00"))
    due = Decimal(0)
    with pytest.raises(UnnecessaryPaymentDetailsError):
        at_desk(asked(free, total_payment_due=due, payment=CARD)).decide(situation(free))
    assert booked(situation(free), at_desk(asked(free, total_payment_due=due))).payment is None


def test_a_price_that_has_changed_since_the_page_was_shown_is_refused() -> None:
    with pytest.raises(TotalPaymentDueMismatchError):
        at_desk(asked(total_payment_due=PRICE - 1, payment=CARD)).decide(situation(YOGA))


def test_a_person_at_the_desk_is_a_consumer() -> None:
    where = situation(YOGA, policy=Policy(tax=TaxCalculation.CONSUMERS))
    (charge,) = booked(where, at_desk()).order.totals.tax
    assert (charge.name, charge.price) == ("VAT at 20%", Decimal("2.00"))


def test_a_quote_of_the_desk_needs_no_customer_and_shows_the_errors_of_each_item() -> None:
    details = session("dive", offered={"attendee_details": ("https://schema.org/givenName",)})
    shown = quote(asked(details), Checkpoint.C2, AT_CENTRE).decide(situation(details)).reply
    assert shown.totals.price == PRICE
    assert [error.type for error in shown.items[0].errors] == [ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS]


@pytest.mark.parametrize(("payment", "refund"), [(CARD, PRICE), (None, Decimal("0.00"))])
def test_a_cancellation_frees_the_space_and_is_in_no_feed(payment: Payment | None, refund: Decimal) -> None:
    where = after(situation(YOGA), at_desk(asked(payment=payment)))
    left = after(where, SellerCancel(order=KEY, actor=MANAGER))
    record = left.records[KEY]
    assert left.spaces[PATH] == Spaces()
    assert [line.refund for line in order_lines(record)] == [refund]
    assert record.updated
    assert not record.in_orders_feed


def test_an_order_of_a_partner_is_not_of_the_desk() -> None:
    where = after(situation(YOGA), book(request(item(YOGA))))
    left = after(where, SellerCancel(order=OrderKey(ALICE.partner, UUID), actor=MANAGER))
    record = left.records[OrderKey(ALICE.partner, UUID)]
    assert not record.is_of_desk
    assert record.in_orders_feed


def test_the_note_of_the_staff_is_personal_data() -> None:
    personal = booked(situation(YOGA), at_desk(asked(customer_note="Uses a wheelchair."))).order.personal
    assert personal is not None
    assert personal.customer_note == "Uses a wheelchair."


def test_a_note_of_a_partner_without_a_proposal_is_not_kept() -> None:
    left = after(situation(YOGA), book(request(item(YOGA), customer_note="Hello.")))
    record = left.records[OrderKey(ALICE.partner, UUID)]
    assert record.order is not None
    assert record.order.personal is not None
    assert record.order.personal.customer_note is None


def test_the_desk_sets_a_price_without_an_agreement() -> None:
    """A Booking Partner needs one."""
    lower = OfferOverride(price=Decimal("5.00"), currency="GBP")
    wanted = replace(item(YOGA), offer_id=None, offer=None, override=lower)
    record = booked(situation(YOGA), at_desk(replace(asked(), items=(wanted,), total_payment_due=Decimal("5.00"))))
    assert record.order.totals.price == Decimal("5.00")
    decision = book(request(wanted, total_payment_due=Decimal("5.00"))).decide(situation(YOGA))
    assert isinstance(decision.reply, Order)
    assert [error.type for error in decision.reply.items[0].errors] == [ItemErrorType.UNACCEPTABLE_OFFER]


def test_a_payment_of_a_former_system_can_be_recorded() -> None:
    earlier = Payment(name=FORMER_SYSTEM, identifier="R-1")
    assert booked(situation(YOGA), at_desk(asked(payment=earlier))).payment == earlier
