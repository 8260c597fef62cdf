"""B after P: an accepted proposal becomes an Order (OB 5.5.6, 9.2.6)."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.model.errors import UnacceptableAmendmentError
from openbooking.booking.model.opportunity import AccessRules
from openbooking.booking.model.order import Payment
from openbooking.booking.model.policy import Policy, ReconciliationDetails
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.fingerprint import matches_fingerprint
from openbooking.openactive.errors import (
    IncompletePaymentDetailsError,
    InvalidPaymentDetailsError,
    OpportunityHasInsufficientCapacityError,
    OrderAlreadyExistsError,
    OrderCreationFailedError,
    OrderProposalVersionOutdatedError,
    UnknownOrderError,
)
from openbooking.openactive.terms import EventStatus, OrderType
from support.builders import NOW, PRICE, UUID, VERSION, after, book, item, propose, quote, request, session, situation
from support.parties import AGREED, AGREED_ALICE, ALICE, CENTRE, CUSTOMER, MANAGER, STUDIO
from support.proposals import (
    ABORT,
    ACCEPT,
    APPROVAL,
    LATER_VERSION,
    NEGOTIATED,
    PATH,
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


@pytest.mark.spec("OB-APP-29", "OB-APP-30", "OB-APP-34", "OB-APP-36")
def test_b_makes_an_order_of_the_proposal() -> None:
    before = after(proposed(), ACCEPT)
    decision = b().decide(before)
    order = order_of(decision)
    proposal = record_in(before).order
    assert proposal is not None
    assert (order.type, order.proposal, order.lease_expires) == (OrderType.ORDER, None, None)
    assert order.personal is not None
    assert proposal.personal is not None
    assert (order.personal.customer, order.broker, order.totals) == (CUSTOMER, proposal.broker, proposal.totals)
    assert (order.personal.received_at, proposal.personal.customer) == (NOW, CUSTOMER)
    assert (order.payment, [found.position for found in order.items]) == (Payment(identifier="payment-1"), [None, None])
    where = after(before, b())
    assert where.spaces[PATH] == Spaces(booked=2, leased=0)
    assert (record_in(where).kind, record_in(where).updated) == (RecordKind.ORDER, False)


@pytest.mark.spec("OB-APP-35", "OB-B-10")
def test_a_repeat_of_b_gets_the_first_reply_and_a_repeat_of_p_is_refused() -> None:
    payment = Payment(identifier="payment-2")
    before = after(proposed(), ACCEPT)
    first = order_of(b(payment=payment).decide(before))
    where = having(before, b(payment=payment), Cancel(caller=ALICE, uuid=UUID, numbers=(1,)))
    repeat = b(payment=payment).decide(where)
    assert (repeat.reply, repeat.changes) == (first, ())
    others = (b(), b(payment=Payment(identifier="payment-3")), b(LATER_VERSION, payment=payment), b(None))
    for command in (*others, propose(places(TRIP, TRIP)), book(places(TRIP, TRIP))):
        with pytest.raises(OrderAlreadyExistsError):
            command.decide(where)


@pytest.mark.spec("OB-APP-35", "OB-B-10")
@pytest.mark.parametrize(
    ("payment", "told"), [(None, "null"), (Payment(identifier="payment-2"), '{"identifier":"payment-2"}')]
)
def test_the_fingerprint_of_a_repeat_does_not_depend_on_python(payment: Payment | None, told: str) -> None:
    where = having(proposed(), ACCEPT, b(payment=payment))
    record = record_in(where)
    assert matches_fingerprint(record, hashlib.sha256(f'["{VERSION}",{told}]'.encode()).hexdigest())
    assert not matches_fingerprint(record, hashlib.sha256(f'["{LATER_VERSION}",{told}]'.encode()).hexdigest())


@pytest.mark.spec("OB-APP-32", "OB-APP-24")
@pytest.mark.parametrize("commands", [(), (REJECT,), (ABORT,), (ACCEPT, REJECT), (ACCEPT, ABORT)])
def test_b_fails_unless_the_seller_has_accepted(commands: tuple[Command[Any], ...]) -> None:
    where = having(proposed(), *commands)
    with pytest.raises(OrderCreationFailedError):
        b().decide(where)


@pytest.mark.spec("OB-APP-31", "OB-AMEND-04")
@pytest.mark.parametrize("version", [None, LATER_VERSION, UUID])
def test_b_of_an_unknown_version_is_outdated(version: str | None) -> None:
    with pytest.raises(OrderProposalVersionOutdatedError):
        b(version).decide(after(proposed(), ACCEPT))


def test_b_without_a_proposal_is_unknown_and_an_order_is_no_proposal() -> None:
    for where in (situation(TRIP), after(situation(TRIP), quote(places(TRIP)))):
        with pytest.raises(UnknownOrderError):
            b().decide(where)
    with pytest.raises(OrderAlreadyExistsError):
        b().decide(after(situation(YOGA), book(places(YOGA))))


@pytest.mark.spec("OB-APP-29", "OB-PAY-05")
def test_b_can_have_new_payment_details_of_the_same_kind() -> None:
    accepted = after(proposed(), ACCEPT)
    anew = Payment(identifier="payment-2")
    assert order_of(b(payment=anew).decide(accepted)).payment == anew
    with pytest.raises(IncompletePaymentDetailsError):
        b(payment=Payment()).decide(accepted)
    strict = Policy(reconciliation=ReconciliationDetails(account_id="acme"))
    agreed = Payment(identifier="payment-1", account_id="acme")
    where = having(situation(TRIP, policy=strict), propose(replace(places(TRIP), payment=agreed)), ACCEPT)
    assert order_of(b().decide(where)).payment == agreed
    with pytest.raises(InvalidPaymentDetailsError):
        b(payment=anew).decide(where)


@pytest.mark.spec("OB-DYN-07", "OB-APP-29")
def test_a_dynamic_proposal_is_booked_with_the_same_account() -> None:
    policy = Policy(dynamic_accounts=frozenset())
    dynamic = Payment(dynamic=True, identifier="p", account_id="MOVE")
    asked = request(item(TRIP, offer_id=None, offer=None), total_payment_due=None, payment=dynamic)
    where = having(situation(TRIP, policy=policy), propose(asked, AGREED_ALICE), ACCEPT)
    assert order_of(b().decide(where)).payment == dynamic
    for payment in (replace(dynamic, account_id="OTHER"), Payment(identifier="p")):
        with pytest.raises(InvalidPaymentDetailsError):
            b(payment=payment, caller=AGREED_ALICE).decide(where)
    with pytest.raises(InvalidPaymentDetailsError):
        b(payment=replace(dynamic, identifier="p2")).decide(where)
    assert order_of(b(payment=replace(dynamic, identifier="p2"), caller=AGREED_ALICE).decide(where)).dynamic
    with pytest.raises(UnacceptableAmendmentError):
        amend(prices={1: PRICE}).decide(where)


@pytest.mark.spec("OB-APP-26", "OB-APP-33", "OB-LEASE-09")
def test_an_accepted_proposal_is_booked_after_its_hold_has_ended_if_spaces_are_left() -> None:
    expires = standing(proposed()).expires
    assert expires is not None
    later = session("trip", capacity=3, end=expires + timedelta(days=1), offered={"flow": NEGOTIATED})
    policy = Policy(proposal_duration=timedelta(days=1))
    accepted = having(situation(later, policy=policy), propose(places(later, later)), ACCEPT)
    ended = replace(accepted, now=NOW + timedelta(days=1), spaces={PATH: Spaces(booked=1)})
    assert after(ended, b()).spaces[PATH] == Spaces(booked=3)
    full = replace(ended, spaces={PATH: Spaces(booked=1, leased=1)})
    decision = b().decide(full)
    assert isinstance(decision.reply, OpportunityHasInsufficientCapacityError)
    rejected = after(full, b())
    assert standing(rejected).status is SELLER_REJECTED
    assert standing(rejected).seller_note == "The spaces are no longer available."
    with pytest.raises(OrderCreationFailedError):
        b().decide(rejected)


@pytest.mark.spec("OB-APP-32", "OB-APP-27")
def test_a_proposal_whose_spaces_are_sold_is_rejected_at_b() -> None:
    accepted = after(proposed(), ACCEPT)
    smaller = after(accepted, Publish((replace(TRIP[1], capacity=1),), actor=MANAGER))
    with pytest.raises(OrderCreationFailedError):
        b().decide(smaller)
    assert after(after(accepted, Publish((replace(TRIP[1], capacity=2),), actor=MANAGER)), b()).spaces[PATH] == Spaces(
        booked=2
    )


@pytest.mark.spec("OB-APP-26", "OB-APP-33")
@pytest.mark.parametrize(
    "changes",
    [{"status": EventStatus.POSTPONED}, {"start": NOW - timedelta(hours=2), "end": NOW - timedelta(hours=1)}],
    ids=["postponed", "over"],
)
def test_a_proposal_for_a_cancelled_opportunity_is_rejected_at_b(changes: dict[str, Any]) -> None:
    where = having(proposed(), ACCEPT, Publish((replace(TRIP[1], **changes),), actor=MANAGER))
    assert isinstance(b().decide(where).reply, OrderCreationFailedError)
    assert standing(after(where, b())).status is SELLER_REJECTED


@pytest.mark.spec("OB-APP-26")
def test_an_approved_proposal_can_be_booked_after_its_window_has_closed() -> None:
    closing = session("trip", offered={"flow": APPROVAL, "valid_through_before_start": timedelta(days=1)})
    accepted = having(situation(closing), propose(places(closing)), ACCEPT)
    late = replace(accepted, now=NOW + timedelta(days=1, hours=12))
    assert not order_of(b().decide(late)).has_errors


@pytest.mark.spec("OB-APP-30")
def test_b_shows_the_current_opportunity_at_the_proposed_price() -> None:
    dearer = tuple(replace(offer, price=Decimal(99)) for offer in TRIP[0].offers)
    moved = replace(TRIP[1], start=NOW + timedelta(days=4), end=NOW + timedelta(days=4, hours=1))
    where = having(proposed(), ACCEPT, Publish((replace(TRIP[0], offers=dearer), moved), actor=MANAGER))
    order = order_of(b().decide(where))
    assert [found.opportunity for found in order.items] == [moved, moved]
    assert [found.offer.price for found in order.items if found.offer] == [PRICE, PRICE]


@pytest.mark.spec("OB-DEL-01", "OB-DEL-03", "OB-DEL-11")
def test_an_order_that_was_a_proposal_is_deleted_like_any_other() -> None:
    where = having(proposed(customer_note="Is there a lift?"), ACCEPT, b(), DeleteOrder(caller=ALICE, uuid=UUID))
    assert where.spaces[PATH] == Spaces()
    record = record_in(where)
    assert (record.kind, record.order, record.updated) == (RecordKind.DELETED, None, False)
    for command in (propose(places(TRIP, TRIP)), b()):
        with pytest.raises(OrderAlreadyExistsError):
            command.decide(where)


@pytest.mark.spec("OB-APP-30", "OB-AMEND-02")
def test_personal_data_of_an_item_is_erased_if_an_amendment_leaves_the_item_out() -> None:
    ann, ben = ({"@type": "Person", "givenName": name} for name in ("Ann", "Ben"))
    asked = places(TRIP, TRIP)
    told = replace(
        asked, items=tuple(replace(one, attendee=who) for one, who in zip(asked.items, (ann, ben), strict=True))
    )
    amended = amend(without=frozenset({1}))
    where = having(situation(TRIP), propose(told), amended, ACCEPT)
    personal = order_of(b(amended.version).decide(where)).personal
    assert personal is not None
    assert (personal.customer, personal.attendees) == (CUSTOMER, {2: ben})


@pytest.mark.spec("OB-DYN-01")
def test_a_dynamic_payment_is_authorised_anew_by_an_account_agreed_with_this_seller() -> None:
    dynamic = Payment(dynamic=True, identifier="p", account_id="MOVE")
    asked = request(item(TRIP, offer_id=None, offer=None), total_payment_due=None, payment=dynamic)
    agreed = replace(ALICE, terms={CENTRE.key: AGREED})
    where = having(situation(TRIP, policy=Policy(dynamic_accounts=frozenset())), propose(asked, agreed), ACCEPT)
    anew = replace(dynamic, identifier="p2")
    assert order_of(b(payment=anew, caller=agreed).decide(where)).payment == anew
    with pytest.raises(InvalidPaymentDetailsError):
        b(payment=anew, caller=replace(ALICE, terms={STUDIO.key: AGREED})).decide(where)


def codes(nonce: str) -> list[str | None]:
    """The access codes of two items that are booked with this nonce."""
    guarded = session("guarded", access=AccessRules(code=True), offered={"flow": APPROVAL})
    where = having(situation(guarded), propose(places(guarded, guarded)), ACCEPT)
    return [found.access.code for found in order_of(replace(b(), nonce=nonce).decide(where)).items if found.access]


@pytest.mark.spec("OB-ACC-01")
def test_each_booked_item_has_an_access_code_of_its_own_that_nobody_can_guess() -> None:
    first, second = codes("nonce")
    assert first
    assert second
    assert len({first, second, *codes("other")}) == 4
