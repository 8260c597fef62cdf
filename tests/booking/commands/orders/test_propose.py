"""P: OrderProposals, their holds, their status and repeats of P (OB 5.5, 9.2.4)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command, Decision
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.proposal_decisions import WriteToCustomer
from openbooking.booking.model.errors import ProposalRejectedError
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import Caller, HoldingBound, OrderKey, Payment, PersonalData, Proposal
from openbooking.booking.model.order_request import ItemRequest, OfferOverride, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.lifecycle import PROPOSAL_TRANSITIONS
from openbooking.openactive.errors import (
    IncompletePaymentDetailsError,
    InvalidAuthorizationDetailsError,
    MissingPaymentDetailsError,
    OpenBookingError,
    OrderAlreadyExistsError,
    OrderCreationFailedError,
    PatchNotAllowedOnPropertyError,
    TotalPaymentDueMismatchError,
    UnknownOrderError,
    UnnecessaryPaymentDetailsError,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import OrderProposalStatus, OrderType
from support.builders import (
    BY_ALICE,
    NOW,
    PRICE,
    UUID,
    VERSION,
    after,
    book,
    changed,
    new_uuid,
    propose,
    quote,
    session,
    situation,
)
from support.parties import AGREED_ALICE, ALICE, BOB, CENTRE, CUSTOMER, MANAGER, STUDIO
from support.proposals import (
    ABORT,
    ACCEPT,
    ACCEPTED,
    APPROVAL,
    AWAITING,
    CUSTOMER_REJECTED,
    FREE,
    HELD,
    KEY,
    LATER_VERSION,
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


@pytest.mark.spec("OB-APP-01", "OB-APP-03", "OB-APP-09")
@pytest.mark.parametrize(
    ("families", "requires"), [((YOGA,), False), ((PILATES,), True), ((YOGA, PILATES), True), ((PILATES, YOGA), True)]
)
def test_an_order_needs_approval_if_one_of_its_items_needs_approval(
    families: tuple[list[Opportunity], ...], requires: bool
) -> None:
    assert order_of(quote(places(*families)).decide(situation(*families))).requires_approval is requires


@pytest.mark.spec("OB-APP-04", "OB-APP-05", "OB-APP-06", "OB-APP-10", "OB-APP-11")
def test_p_makes_a_proposal_that_awaits_acceptance_and_books_no_spaces() -> None:
    decision = propose(places(TRIP, YOGA)).decide(situation(TRIP, YOGA))
    order = order_of(decision)
    made = Proposal(made=NOW, version=VERSION, expires=TRIP[-1].end, status=AWAITING)
    assert (order.type, order.proposal) == (OrderType.PROPOSAL, made)
    assert [found.position for found in order.items] == [0, 1]
    where = proposed(TRIP, YOGA)
    assert record_in(where).kind is RecordKind.PROPOSAL
    assert where.spaces[PATH] == Spaces(booked=0, leased=1)
    assert order.lease_expires == record_in(where).lease_expires


@pytest.mark.spec("OB-APP-04", "OB-APP-17")
def test_p_proposes_all_or_nothing() -> None:
    full = session("full", capacity=0, offered={"flow": APPROVAL})
    decision = propose(places(TRIP, full)).decide(situation(TRIP, full))
    errors = [[error.type for error in found.errors] for found in order_of(decision).items]
    assert errors == [[], [ItemErrorType.OPPORTUNITY_IS_FULL]]
    assert decision.changes == ()


@pytest.mark.spec("OB-APP-12", "OB-APP-13", "OB-LEASE-18")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"total_payment_due": Decimal(1)}, TotalPaymentDueMismatchError),
        ({"total_payment_due": None}, TotalPaymentDueMismatchError),
        ({"payment": None}, MissingPaymentDetailsError),
        ({"payment": Payment()}, IncompletePaymentDetailsError),
    ],
)
def test_total_and_payment_must_be_right_at_p_and_a_refusal_keeps_the_lease(
    changes: dict[str, Any], error: type[OpenBookingError]
) -> None:
    leased = after(situation(TRIP), quote(places(TRIP)))
    with pytest.raises(error):
        propose(replace(places(TRIP), **changes)).decide(leased)
    assert leased.spaces[PATH] == Spaces(leased=1)


@pytest.mark.spec("OB-APP-13")
def test_a_free_proposal_has_no_payment() -> None:
    with pytest.raises(UnnecessaryPaymentDetailsError):
        propose(places(FREE)).decide(situation(FREE))
    assert record_in(proposed(FREE, payment=None)).kind is RecordKind.PROPOSAL


def test_an_order_that_needs_no_approval_cannot_be_proposed() -> None:
    with pytest.raises(OrderCreationFailedError):
        propose(places(YOGA)).decide(situation(YOGA))


@pytest.mark.spec("OB-APP-16")
def test_a_repeat_of_p_gets_the_first_reply_in_any_state_of_the_proposal() -> None:
    first = order_of(propose(places(TRIP, TRIP)).decide(situation(TRIP)))
    where = having(proposed(), WriteToCustomer(order=KEY, note="Hello.", actor=MANAGER), ACCEPT)
    for since in (where, after(where, amend(without=frozenset({1}), prices={2: Decimal(1)})), after(where, REJECT)):
        repeat = propose(places(TRIP, TRIP), version=new_uuid()).decide(since)
        assert (repeat.reply, repeat.changes) == (first, ())


@pytest.mark.spec("OB-APP-16", "OB-APP-18")
@pytest.mark.parametrize(
    "changes",
    [
        {"customer": {"@type": "Person", "email": "someone@else.example.com"}},
        {"customer_note": "Is there a lift?"},
        {"payment": Payment(identifier="payment-2")},
    ],
)
def test_p_with_another_content_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OrderAlreadyExistsError):
        propose(replace(places(TRIP, TRIP), **changes)).decide(proposed())


@pytest.mark.spec("OB-APP-16", "OB-ID-12", "OB-OQD-01", "OB-DEL-06")
def test_a_proposal_cannot_be_quoted_booked_directly_or_deleted() -> None:
    where = proposed()
    for asked in (quote(places(TRIP)), book(places(TRIP, TRIP))):
        with pytest.raises(OrderAlreadyExistsError):
            asked.decide(where)
    assert DeleteQuote(caller=ALICE, uuid=UUID).decide(where).changes == ()
    for refused in (DeleteOrder(caller=ALICE, uuid=UUID), Cancel(caller=ALICE, uuid=UUID, numbers=(1,))):
        with pytest.raises(UnknownOrderError):
            refused.decide(where)


@pytest.mark.spec("OB-LEASE-22", "OB-LEASE-08", "OB-LEASE-09", "OB-APP-26")
@pytest.mark.parametrize("leasing", [Leasing.NAMED, Leasing.ANONYMOUS])
def test_spaces_are_held_for_a_proposal_leased_before_or_not(leasing: Leasing) -> None:
    policy = Policy(leasing=leasing, proposal_duration=timedelta(days=1))
    quoted = after(situation(TRIP, policy=policy), quote(places(TRIP)))
    where = after(quoted, propose(places(TRIP)))
    assert where.spaces[PATH] == Spaces(leased=1)
    assert record_in(where).lease_expires == NOW + timedelta(days=1)


@pytest.mark.spec("OB-LEASE-22", "OB-APP-26")
def test_a_hold_ends_when_the_opportunity_ends() -> None:
    assert POLICY.proposal_duration > timedelta(days=2, hours=1)
    assert standing(proposed(TRIP, YOGA)).expires == TRIP[-1].end == NOW + timedelta(days=2, hours=1)
    soon = session("soon", end=NOW + timedelta(hours=3), start=NOW + timedelta(hours=2), offered={"flow": APPROVAL})
    assert record_in(proposed(soon)).lease_expires == NOW + timedelta(hours=3)


MOVES: dict[OrderProposalStatus, Command[Any]] = {
    AWAITING: amend(),
    ACCEPTED: ACCEPT,
    SELLER_REJECTED: REJECT,
    CUSTOMER_REJECTED: ABORT,
}


@pytest.mark.spec("OB-APP-24", "OB-AMEND-03", "OB-AMEND-07")
@pytest.mark.parametrize("before", OrderProposalStatus)
@pytest.mark.parametrize("status", OrderProposalStatus)
def test_the_commands_change_the_status_of_a_proposal_as_the_table_allows(
    before: OrderProposalStatus, status: OrderProposalStatus
) -> None:
    where = proposed() if before is AWAITING else after(proposed(), MOVES[before])
    if before is status is CUSTOMER_REJECTED:
        assert MOVES[status].decide(where).changes == ()
    elif status in PROPOSAL_TRANSITIONS[before]:
        assert standing(after(where, MOVES[status])).status is status
    else:
        by_customer = status is CUSTOMER_REJECTED
        with pytest.raises(PatchNotAllowedOnPropertyError if by_customer else ProposalRejectedError):
            MOVES[status].decide(where)
    finished = before in (SELLER_REJECTED, CUSTOMER_REJECTED)
    assert bool(PROPOSAL_TRANSITIONS[before]) is not finished


@pytest.mark.spec("OB-APP-26", "OB-LEASE-22")
@pytest.mark.parametrize("command", [REJECT, ABORT])
def test_a_rejected_proposal_releases_its_spaces_as_soon_as_a_quote(command: Command[Any]) -> None:
    where = after(proposed(), command)
    assert record_in(where).lease_expires == NOW + HELD
    assert where.spaces[PATH] == Spaces(leased=2)
    swept = after(replace(where, now=NOW + HELD), ExpireLeases())
    assert record_in(swept).claims() == ()
    assert PATH in swept.touched
    assert standing(swept) == replace(standing(where), expires=None)
    assert ExpireLeases().decide(swept).changes == ()


@pytest.mark.spec("OB-APP-26")
def test_a_proposal_accepted_at_the_last_minute_can_still_be_booked() -> None:
    expires, held_until = standing(proposed()).expires, record_in(proposed()).lease_expires
    assert expires is not None
    assert held_until is not None
    assert held_until < expires
    where = after(replace(proposed(), now=expires - timedelta(minutes=1)), ACCEPT)
    assert standing(where).expires == where.now + HELD
    where = after(replace(proposed(), now=held_until - timedelta(minutes=1)), ACCEPT)
    assert record_in(where).lease_expires == where.now + HELD
    early = after(proposed(), ACCEPT)
    assert (standing(early).expires, record_in(early).lease_expires) == (expires, held_until)


@pytest.mark.spec("OB-APP-16", "OB-AMEND-12")
@pytest.mark.parametrize(
    "commands", [(REJECT,), (ABORT,), (), (ACCEPT,)], ids=["refused", "given up", "late", "unbooked"]
)
def test_a_closed_proposal_has_no_personal_data_and_a_repeat_gets_the_first_reply(
    commands: tuple[Command[Any], ...],
) -> None:
    asked = replace(places(TRIP), customer_note="We are two.")
    first = propose(asked).decide(situation(TRIP, policy=POLICY))
    before = having(changed(situation(TRIP, policy=POLICY), first), *commands)
    told = personal_data_in(before)
    assert told is not None
    assert (told.customer, told.customer_note, told.received_at) == (CUSTOMER, "We are two.", NOW)
    swept = after(replace(before, now=NOW + POLICY.proposal_duration), ExpireLeases())
    assert personal_data_in(swept) is None
    assert standing(swept).status in (SELLER_REJECTED, CUSTOMER_REJECTED)
    assert propose(asked, version=LATER_VERSION).decide(swept) == Decision(reply=first.reply)
    assert replace(ABORT, reject=False, note="It rains.").decide(swept).changes == ()


def test_barcodes_are_erased_with_the_item_that_an_amendment_leaves_out_and_with_the_order() -> None:
    amended = having(proposed(items=_with_passes(places(TRIP, TRIP))), amend(without=frozenset({1})), ACCEPT)
    booked = after(amended, b(LATER_VERSION))
    assert "member-0" not in str(record_in(booked))
    assert "member-1" in str(record_in(booked))
    assert "member-" not in str(record_in(after(booked, DeleteOrder(caller=ALICE, uuid=UUID))))


def _with_passes(asked: OrderRequest) -> tuple[ItemRequest, ...]:
    return tuple(
        replace(item, access_passes=({"@type": "Barcode", "text": f"member-{item.position}"},)) for item in asked.items
    )


@pytest.mark.spec("OB-AMEND-12")
def test_the_personal_data_of_a_rejected_proposal_is_kept_until_it_closes() -> None:
    told = after(proposed(), replace(ABORT, note="It rains."))
    personal = personal_data_in(told)
    assert personal is not None
    assert personal.customer_note == "It rains."


def personal_data_in(where: Situation) -> PersonalData | None:
    order = record_in(where).order
    assert order is not None
    return order.personal


@pytest.mark.spec("OB-OPU-06", "OB-AUTH-09", "OB-AUTH-10")
def test_only_the_partner_that_made_a_proposal_can_update_or_book_it() -> None:
    where = after(proposed(), ACCEPT)
    for command in (replace(ABORT, caller=BOB), b(caller=BOB)):
        with pytest.raises(UnknownOrderError):
            command.decide(where)
    no_more = Caller("alice", frozenset())
    for refused in (replace(ABORT, caller=no_more), b(caller=no_more)):
        with pytest.raises(InvalidAuthorizationDetailsError):
            refused.decide(where)
    with pytest.raises(InvalidAuthorizationDetailsError):
        propose(places(TRIP, TRIP), caller=no_more).decide(where)


@pytest.mark.spec("OB-APP-16", "OB-ID-13")
def test_partners_with_one_uuid_have_a_proposal_each() -> None:
    where = after(proposed(TRIP), propose(places(TRIP), caller=BOB, version=LATER_VERSION))
    mine = after(where, ABORT)
    theirs = mine.records[OrderKey("bob", UUID)].proposal
    assert theirs == Proposal(made=NOW, version=LATER_VERSION, expires=TRIP[-1].end)
    assert standing(mine).status is CUSTOMER_REJECTED


@pytest.mark.spec("OB-APP-16")
def test_after_erasure_another_price_or_seller_is_no_repeat() -> None:
    where = situation(TRIP, policy=replace(POLICY, offer_overrides=True))
    named = replace(places(TRIP).items[0], offer=None, override=OfferOverride(price=PRICE, currency="GBP"))
    asked = replace(places(TRIP), items=(named,), total_payment_due=PRICE)
    closed_ = after(after(where, propose(asked, caller=AGREED_ALICE)), ABORT)
    swept = after(replace(closed_, now=NOW + HELD), ExpireLeases())
    assert propose(asked, caller=AGREED_ALICE).decide(swept).changes == ()
    dearer = replace(asked, items=(replace(named, override=OfferOverride(price=PRICE + 1, currency="GBP")),))
    for other in (dearer, replace(asked, seller="studio"), replace(asked, total_payment_due=PRICE + 1)):
        with pytest.raises(OrderAlreadyExistsError):
            propose(other, caller=AGREED_ALICE).decide(swept)


DYNAMIC = Payment(dynamic=True, identifier="p", account_id="MOVE")
WITHOUT_OFFER = replace(places(TRIP).items[0], offer=None, offer_id=None)


@pytest.mark.spec("OB-APP-16")
@pytest.mark.parametrize(
    ("asked", "other"),
    [
        (replace(places(FREE), payment=None), DYNAMIC),
        (replace(places(TRIP), payment=DYNAMIC, items=(WITHOUT_OFFER,), total_payment_due=None), None),
    ],
    ids=["free", "dynamic"],
)
def test_after_erasure_another_kind_of_payment_is_no_repeat(asked: OrderRequest, other: Payment | None) -> None:
    where = situation(TRIP, FREE, policy=replace(POLICY, dynamic_accounts=frozenset()))
    closed_ = having(where, propose(asked, caller=AGREED_ALICE), ABORT)
    swept = after(replace(closed_, now=NOW + HELD), ExpireLeases())
    assert personal_data_in(swept) is None
    assert propose(asked, caller=AGREED_ALICE).decide(swept).changes == ()
    with pytest.raises(OrderAlreadyExistsError):
        propose(replace(asked, payment=other), caller=AGREED_ALICE).decide(swept)


def test_a_proposal_has_its_uuid_and_stamps_and_shows_no_remaining_spaces() -> None:
    where = proposed()
    order, record = record_in(where).order, record_in(where)
    assert order is not None
    assert (order.uuid, record.proposed, record.changed) == (UUID, BY_ALICE, BY_ALICE)
    assert [found.remaining for found in order.items] == [None, None]


@pytest.mark.parametrize(
    ("seller", "leasing", "bound"),
    [
        (CENTRE, Leasing.NAMED, HoldingBound.OPEN_PROPOSALS),
        (STUDIO, Leasing.NAMED, None),
        (CENTRE, Leasing.OFF, None),
    ],
    ids=["terms with its Seller", "terms with another Seller", "no leasing"],
)
def test_the_terms_with_its_seller_bound_the_proposals_that_hold_spaces(
    seller: Seller, leasing: Leasing, bound: HoldingBound | None
) -> None:
    caller = replace(ALICE, terms={seller.key: GrantTerms(open_proposals=0)})
    order = order_of(propose(places(TRIP), caller).decide(situation(TRIP, policy=Policy(leasing=leasing))))
    assert order.not_held is bound


@pytest.mark.spec("OB-LEASE-10")
def test_a_lease_guarantees_the_price_of_a_proposal_until_its_end() -> None:
    """Only a quote that extends the Lease ends the guarantee of its first terms."""
    where = after(situation(TRIP), quote(places(TRIP)))
    dearer = tuple(replace(offer, price=PRICE + 1) for offer in TRIP[0].offers)
    where = after(where, Publish((replace(TRIP[0], offers=dearer),), actor=MANAGER))
    for minutes in (14, 28):
        where = after(replace(where, now=NOW + timedelta(minutes=minutes)), quote(places(TRIP)))
    late = replace(where, now=NOW + timedelta(minutes=35))
    assert order_of(propose(places(TRIP)).decide(late)).totals.price == PRICE
