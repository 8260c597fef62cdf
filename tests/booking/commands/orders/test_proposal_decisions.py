"""The Seller accepts, rejects or amends an OrderProposal, or writes to the Customer (OB 5.5.5)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, WriteToCustomer
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.errors import (
    NoMessagesError,
    NoNegotiationError,
    NoteTooSoonError,
    ProposalExpiredError,
    UnacceptableAmendmentError,
)
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Payment, Proposal
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.errors import (
    NotFoundError,
    OpenBookingError,
    OrderCreationFailedError,
    OrderItemIdInvalidError,
    OrderProposalVersionOutdatedError,
    UnknownOrderError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.terms import Availability, OrderItemStatus, OrderProposalStatus
from support.builders import (
    BY_ALICE,
    BY_MANAGER,
    NOW,
    PRICE,
    UUID,
    VERSION,
    after,
    new_uuid,
    propose,
    session,
    situation,
)
from support.parties import ALICE, MANAGER
from support.proposals import (
    ABORT,
    ACCEPT,
    ACCEPTED,
    AWAITING,
    CUSTOMER_REJECTED,
    FREE,
    HELD,
    KEY,
    LATER_VERSION,
    NEGOTIATED,
    PATH,
    PILATES,
    POLICY,
    REJECT,
    SELLER_REJECTED,
    TRIP,
    YOGA,
    amend,
    b,
    having,
    order_of,
    places,
    proposed,
    record_in,
    standing,
)


@pytest.mark.spec("OB-APP-18", "OB-AMEND-08", "OB-AMEND-12")
@pytest.mark.parametrize(("family", "taken"), [(TRIP, "Is there a lift?"), (PILATES, None)])
def test_p_takes_a_note_only_if_an_offer_allows_messages(family: list[Opportunity], taken: str | None) -> None:
    order = record_in(proposed(family, customer_note="Is there a lift?")).order
    assert order is not None
    assert order.personal is not None
    assert order.personal.customer_note == taken


@pytest.mark.spec("OB-AMEND-01", "OB-AMEND-02", "OB-AMEND-03", "OB-AMEND-06", "OB-APP-24")
def test_an_amendment_has_a_new_version_that_awaits_acceptance() -> None:
    where = having(proposed(), ACCEPT, amend(note="Only one place is left."))
    assert standing(where).status is AWAITING
    assert standing(where).version == LATER_VERSION
    assert standing(where).seller_note == "Only one place is left."
    with pytest.raises(OrderCreationFailedError):
        b(LATER_VERSION).decide(where)
    accepted = after(where, ACCEPT)
    assert (standing(accepted).status, standing(accepted).version) == (ACCEPTED, LATER_VERSION)


@pytest.mark.spec("OB-AMEND-02", "OB-BKBL-21")
def test_an_offer_amended_to_be_free_has_no_prepayment() -> None:
    trip = session("trip", offered={"flow": NEGOTIATED, "prepayment": Availability.REQUIRED})
    where = having(situation(trip), propose(places(trip)), amend(prices={1: Decimal(0)}))
    ((found, _),) = record_in(where).items()
    assert found.offer is not None
    assert (found.offer.price, found.offer.currency, found.offer.prepayment) == (Decimal(0), None, None)


@pytest.mark.spec("OB-AMEND-06", "OB-AMEND-04", "OB-APP-30", "OB-APP-31")
def test_an_amendment_may_drop_items_and_change_prices_up_and_down() -> None:
    where = after(
        proposed(TRIP, TRIP, TRIP), amend(without=frozenset({1}), prices={2: Decimal(20), 3: Decimal("0.50")})
    )
    assert where.spaces[PATH] == Spaces(leased=2)
    assert PATH in where.touched
    accepted = after(where, ACCEPT)
    with pytest.raises(OrderProposalVersionOutdatedError):
        b(VERSION).decide(accepted)
    order = order_of(b(LATER_VERSION).decide(accepted))
    assert [found.number for found in order.items] == [2, 3]
    assert [found.offer.price for found in order.items if found.offer] == [Decimal(20), Decimal("0.50")]
    assert [charge.price for found in order.items for charge in found.tax] == [Decimal("3.33"), Decimal("0.08")]
    assert (order.totals.price, [charge.price for charge in order.totals.tax]) == (Decimal("20.50"), [Decimal("3.41")])


@pytest.mark.spec("OB-APP-08", "OB-APP-36", "OB-CAN-02", "OB-CAN-14", "OB-AMEND-06")
def test_items_keep_their_numbers_when_others_are_dropped() -> None:
    amended = having(proposed(TRIP, YOGA, TRIP), amend(without=frozenset({1})), ACCEPT)
    booked = after(amended, b(LATER_VERSION))
    where = after(booked, Cancel(caller=ALICE, uuid=UUID, numbers=(3,)))
    assert [(found.number, state.status) for found, state in record_in(where).items()] == [
        (2, OrderItemStatus.CONFIRMED),
        (3, OrderItemStatus.CUSTOMER_CANCELLED),
    ]
    assert where.spaces[PATH] == Spaces()
    with pytest.raises(OrderItemIdInvalidError, match="OrderItem"):
        Cancel(caller=ALICE, uuid=UUID, numbers=(1,)).decide(booked)


@pytest.mark.spec("OB-AMEND-01", "OB-AMEND-06")
def test_an_amendment_may_be_amended_even_without_the_item_that_allowed_negotiation() -> None:
    once = after(proposed(TRIP, YOGA, YOGA), amend(without=frozenset({1})))
    version = new_uuid()
    twice = after(once, amend(version=version, without=frozenset({2})))
    assert [found.number for found, _ in record_in(twice).items()] == [3]
    assert standing(twice).version == version


@pytest.mark.spec("OB-AMEND-01", "OB-BKBL-17")
@pytest.mark.parametrize(
    ("families", "command", "refusal"),
    [
        ((PILATES,), amend(), NoNegotiationError),
        ((TRIP,), amend(without=frozenset({1})), UnacceptableAmendmentError),
        ((TRIP,), amend(without=frozenset({2})), NotFoundError),
        ((TRIP,), amend(prices={0: PRICE}), NotFoundError),
        ((TRIP,), amend(prices={1: Decimal(-1)}), UnacceptableAmendmentError),
        ((TRIP,), amend(prices={1: Decimal("1.005")}), UnacceptableAmendmentError),
    ],
    ids=["no negotiation", "nothing left", "no such item", "no such priced item", "negative", "half a penny"],
)
def test_an_impossible_amendment_is_refused_with_its_own_error(
    families: tuple[list[Opportunity], ...], command: AmendProposal, refusal: type[OpenBookingError]
) -> None:
    with pytest.raises(refusal):
        command.decide(proposed(*families))


def test_a_free_item_gets_a_price_in_the_currency_of_the_other_items() -> None:
    where = after(proposed(FREE, TRIP), amend(prices={1: Decimal(5), 2: Decimal(0)}))
    offers = [found.offer for found, _ in record_in(where).items() if found.offer]
    assert [(offer.price, offer.currency) for offer in offers] == [(Decimal(5), "GBP"), (Decimal(0), None)]
    with pytest.raises(UnacceptableAmendmentError, match="currency"):
        amend(prices={1: Decimal(5)}).decide(proposed(FREE, payment=None))


@pytest.mark.spec("OB-APP-29", "OB-APP-13", "OB-AMEND-06")
def test_the_payment_follows_the_prices_of_the_amendment() -> None:
    dearer = having(proposed(FREE, YOGA), amend(prices={1: Decimal(3)}), ACCEPT)
    assert order_of(b(LATER_VERSION).decide(dearer)).payment == Payment(identifier="payment-1")
    free = having(proposed(TRIP), amend(prices={1: Decimal(0)}), ACCEPT)
    assert order_of(b(LATER_VERSION).decide(free)).payment is None
    with pytest.raises(UnnecessaryPaymentDetailsError):
        b(LATER_VERSION, payment=Payment(identifier="payment-2")).decide(free)


@pytest.mark.spec("OB-AMEND-08", "OB-AMEND-09", "OB-AMEND-10", "OB-AMEND-11")
def test_the_seller_writes_once_in_five_minutes_and_changes_nothing_else() -> None:
    write = WriteToCustomer(order=KEY, note="Bring boots.", actor=MANAGER)
    where = having(proposed(), ACCEPT, write)
    assert standing(where).seller_note == "Bring boots."
    assert (standing(where).status, standing(where).version) == (ACCEPTED, VERSION)
    again = replace(write, note="And a hat.")
    with pytest.raises(NoteTooSoonError, match="five minutes"):
        again.decide(replace(where, now=NOW + timedelta(minutes=5, microseconds=-1)))
    later = after(replace(where, now=NOW + timedelta(minutes=5)), again)
    assert standing(later).seller_note == "And a hat."


@pytest.mark.spec("OB-AMEND-11")
@pytest.mark.parametrize("command", [ACCEPT, REJECT, amend()], ids=["accept", "reject", "amend"])
def test_a_decision_needs_no_note_and_cannot_have_one_too_soon(command: Any) -> None:
    where = after(proposed(), WriteToCustomer(order=KEY, note="Bring boots.", actor=MANAGER))
    with pytest.raises(NoteTooSoonError, match="five minutes"):
        replace(command, note="Sorry.").decide(where)
    assert standing(after(where, command)).seller_note == "Bring boots."
    decided = after(proposed(), replace(command, note="Sorry."))
    with pytest.raises(NoMessagesError if command is REJECT else NoteTooSoonError):
        WriteToCustomer(order=KEY, note="Bring boots.", actor=MANAGER).decide(decided)


def test_an_empty_note_is_refused() -> None:
    with pytest.raises(NoMessagesError):
        WriteToCustomer(order=KEY, note="", actor=MANAGER).decide(proposed())


@pytest.mark.spec("OB-AMEND-11", "OB-APP-28")
def test_a_note_of_the_system_does_not_replace_a_recent_note_of_the_seller() -> None:
    expires = standing(proposed()).expires
    assert expires is not None
    just_before = replace(proposed(), now=expires - timedelta(minutes=1))
    written = after(just_before, WriteToCustomer(order=KEY, note="Book now!", actor=MANAGER))
    swept = after(replace(written, now=expires), ExpireLeases())
    assert (standing(swept).status, standing(swept).seller_note) == (SELLER_REJECTED, "Book now!")


@pytest.mark.spec("OB-AMEND-08")
@pytest.mark.parametrize(
    ("families", "commands"),
    [((PILATES,), ()), ((TRIP,), (REJECT,)), ((TRIP,), (ABORT,)), ((TRIP,), (ACCEPT, b()))],
    ids=["no exchange", "rejected", "aborted", "booked"],
)
def test_no_messages_are_exchanged_about_closed_proposals_or_without_an_offer_that_allows_them(
    families: tuple[list[Opportunity], ...], commands: tuple[Command[Any], ...]
) -> None:
    where = having(proposed(*families), *commands)
    with pytest.raises(UnknownOrderError if len(commands) == 2 else NoMessagesError):
        WriteToCustomer(order=KEY, note="Bring boots.", actor=MANAGER).decide(where)


@pytest.mark.spec("OB-AMEND-09", "OB-AMEND-12", "OB-AMEND-13", "OB-OPU-01", "OB-AMEND-05")
def test_the_note_of_the_customer_is_stored_and_not_published() -> None:
    before = proposed(customer_note="Is there a lift?")
    where = after(before, UpdateProposal(caller=ALICE, uuid=UUID, note="We are three."))
    order = record_in(where).order
    assert order is not None
    assert order.personal is not None
    assert order.personal.customer_note == "We are three."
    assert standing(where) == standing(before)
    assert UpdateProposal(caller=ALICE, uuid=UUID, note="We are three.").decide(where).changes == ()


@pytest.mark.spec("OB-APP-19", "OB-APP-21", "OB-APP-22", "OB-APP-23", "OB-APP-25", "OB-APP-20", "OB-AMEND-07")
@pytest.mark.parametrize(
    ("command", "status", "by"),
    [
        (ACCEPT, ACCEPTED, BY_MANAGER),
        (REJECT, SELLER_REJECTED, BY_MANAGER),
        (ABORT, CUSTOMER_REJECTED, BY_ALICE),
    ],
)
def test_a_decision_keeps_the_version_and_the_items_of_the_proposal(
    command: Command[Any], status: OrderProposalStatus, by: Stamp
) -> None:
    before = proposed()
    assert not standing(before).updated
    where = after(before, command)
    expires = TRIP[-1].end if status is ACCEPTED else NOW + HELD
    expected = Proposal(made=NOW, version=VERSION, expires=expires, status=status, updated=True, decided=by)
    assert standing(where) == expected
    assert record_in(where).items() == record_in(before).items()


@pytest.mark.spec("OB-APP-22")
def test_a_rejection_may_have_a_reason() -> None:
    where = after(proposed(PILATES), replace(REJECT, note="We are closed."))
    assert standing(where).seller_note == "We are closed."


@pytest.mark.spec("OB-APP-24", "OB-APP-28")
@pytest.mark.parametrize("command", [ACCEPT, amend()])
def test_the_seller_cannot_decide_after_the_lifetime_has_ended(command: Command[Any]) -> None:
    late = replace(proposed(), now=NOW + POLICY.proposal_duration)
    with pytest.raises(ProposalExpiredError, match="not been booked in time"):
        command.decide(late)
