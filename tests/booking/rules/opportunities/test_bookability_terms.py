"""The terms of a grant at C1, C2, P and B. Earlier bookings do not depend on them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import Caller, Order, OrderKey, Payment
from openbooking.booking.model.order_request import OfferOverride, OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.bookability import why_outside_terms
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.openactive.errors import UnacceptableReplacementError
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import Availability, FlowRequirement
from support.builders import (
    ACTIVITY,
    FACILITY_TYPE,
    UUID,
    after,
    book,
    event,
    item,
    offer,
    on_demand_event,
    order_record,
    propose,
    quote,
    request,
    session,
    situation,
    slot,
)
from support.parties import ALICE, CENTRE, MANAGER, STUDIO
from support.proposals import ACCEPT, APPROVAL, b, having

HERE, ELSEWHERE = frozenset({"Riverside Centre, TE5 7AB"}), frozenset({"Elsewhere"})
JETS, COURTS = frozenset({ACTIVITY["@id"]}), frozenset({FACILITY_TYPE["@id"]})
YOGA, COURT, RUN, VIDEO = session("yoga"), slot("court"), event("run"), on_demand_event("video")
ADULT, COURT_ADULT = YOGA[0].offers[0].ref, COURT[-1].offers[0].ref
UNBOOKABLE = ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE
POLICY = Policy(leasing=Leasing.NAMED, offer_overrides=True, dynamic_accounts=frozenset())


def on(terms: GrantTerms) -> Caller:
    """Alice, with these terms with the centre."""
    return replace(ALICE, terms={CENTRE.key: terms})


def errors_of(command: Command[Any], *families: list[Opportunity]) -> list[ItemErrorType | None]:
    reply = command.decide(situation(*families, policy=POLICY)).reply
    assert isinstance(reply, Order)
    return [found.errors[0].type if found.errors else None for found in reply.items]


AT_EVERY_CALL = pytest.mark.parametrize(
    "call",
    [
        lambda asked, caller: quote(asked, Checkpoint.C1, caller),
        lambda asked, caller: quote(asked, Checkpoint.C2, caller),
        propose,
        book,
    ],
    ids=["C1", "C2", "P", "B"],
)


@pytest.mark.spec("OB-VAL-18", "E-28")
@AT_EVERY_CALL
@pytest.mark.parametrize(
    ("terms", "within"),
    [
        (GrantTerms(venues=HERE), [True, True, True, False]),
        (GrantTerms(venues=HERE | ELSEWHERE), [True, True, True, False]),
        (GrantTerms(venues=ELSEWHERE), [False, False, False, False]),
        (GrantTerms(venues=frozenset()), [False, False, False, False]),
        (GrantTerms(activities=JETS), [True, False, True, True]),
        (GrantTerms(activities=COURTS), [False, True, False, False]),
        (GrantTerms(venues=HERE, activities=COURTS), [False, True, False, False]),
        (GrantTerms(offers=frozenset({ADULT})), [True, False, False, False]),
        (GrantTerms(offers=frozenset({ADULT, COURT_ADULT}), activities=JETS), [True, False, False, False]),
    ],
    ids=range(9),
)
def test_an_opportunity_or_offer_outside_the_terms_cannot_be_booked(
    call: Callable[[OrderRequest, Caller], Command[Any]], terms: GrantTerms, within: list[bool]
) -> None:
    families = (YOGA, COURT, RUN, VIDEO)
    asked = request(*(item(family, n) for n, family in enumerate(families)), total_payment_due=Decimal(48))
    if all(within):
        return
    found = errors_of(call(asked, on(terms)), *families)
    assert found == [None if sound else UNBOOKABLE for sound in within]


@pytest.mark.spec("OB-VAL-18")
def test_terms_with_one_seller_do_not_apply_to_another() -> None:
    pilates = session("pilates", seller=STUDIO)
    asked = request(item(pilates), seller=STUDIO.key, seller_id=STUDIO.key, total_payment_due=Decimal("14.40"))
    assert errors_of(book(asked, on(GrantTerms(venues=ELSEWHERE))), pilates) == [None]
    elsewhere = replace(ALICE, terms={CENTRE.key: GrantTerms()}, other_terms=GrantTerms(venues=ELSEWHERE))
    assert errors_of(book(asked, elsewhere), pilates) == [UNBOOKABLE]
    assert errors_of(book(request(item(YOGA)), elsewhere), YOGA) == [None]


@pytest.mark.spec("OB-OVR-01", "OB-OVR-10")
@pytest.mark.parametrize(
    ("offers", "error"),
    [
        (None, None),
        (frozenset({ADULT}), None),
        (frozenset({COURT_ADULT}), UNBOOKABLE),
        (frozenset({OfferRef(YOGA[-1].path, "override")}), UNBOOKABLE),
    ],
    ids=["any Offer", "this Offer", "another Offer", "an override"],
)
def test_an_override_needs_a_published_offer_within_the_terms(
    offers: frozenset[OfferRef] | None, error: ItemErrorType | None
) -> None:
    override = OfferOverride(price=Decimal(5), currency="GBP")
    asked = request(item(YOGA, offer_id=None, offer=None, override=override), total_payment_due=Decimal(5))
    assert errors_of(book(asked, on(GrantTerms(offer_overrides=True, offers=offers))), YOGA) == [error]


def test_an_opportunity_without_offers_can_be_overridden_unless_the_terms_have_offers() -> None:
    bare = [YOGA[0], replace(YOGA[1], offers=())]
    bare[0] = replace(bare[0], offers=())
    override = OfferOverride(price=Decimal(5), currency="GBP")
    wanted = replace(item(YOGA), offer_id=None, offer=None, override=override)
    asked = request(wanted, total_payment_due=Decimal(5))
    assert errors_of(book(asked, on(GrantTerms(offer_overrides=True))), bare) == [None]
    assert errors_of(book(asked, on(GrantTerms(offer_overrides=True, offers=frozenset({ADULT})))), bare) == [UNBOOKABLE]


@pytest.mark.spec("OB-DYN-01", "OB-DYN-05")
def test_a_dynamic_booking_takes_offers_within_the_terms_first() -> None:
    path = "session-series/series-two"
    two = session("two", offers=(offer(path, "adult"), offer(path, "junior"), offer(path, "closed")))
    closed = replace(two[0].offers[2], in_advance=Availability.UNAVAILABLE)
    two[0] = replace(two[0], offers=(*two[0].offers[:2], closed))
    payment = Payment(dynamic=True, identifier="d-1", account_id="MOVE")
    asked = request(item(two, offer_id=None, offer=None), total_payment_due=None, payment=payment)
    for key, error in (("junior", None), ("adult", None), ("closed", UNBOOKABLE), ("other", UNBOOKABLE)):
        terms = GrantTerms(dynamic_accounts=frozenset({"MOVE"}), offers=frozenset({OfferRef(path, key)}))
        reply = book(asked, on(terms)).decide(situation(two, policy=POLICY)).reply
        assert isinstance(reply, Order)
        assert [found.type for found in reply.items[0].errors] == ([error] if error else [])
        if error is None:
            assert reply.items[0].offer is not None
            assert reply.items[0].offer.key == key


@pytest.mark.spec("OB-CAN-01", "OB-APP-25")
def test_earlier_bookings_and_approvals_do_not_depend_on_later_terms() -> None:
    narrowed = on(GrantTerms(venues=ELSEWHERE))
    booked = after(situation(YOGA), book(request(item(YOGA))))
    assert GetOrder(caller=narrowed, uuid=UUID).decide(booked).reply == order_record(booked)
    assert Cancel(caller=narrowed, uuid=UUID, numbers=(1,)).decide(booked).changes
    trip = session("trip", offered={"flow": APPROVAL})
    approved = having(situation(trip), propose(request(item(trip))), ACCEPT)
    assert b(caller=narrowed).decide(approved).changes


@pytest.mark.spec("OB-LEASE-10")
def test_leased_spaces_outside_new_terms_cannot_be_booked() -> None:
    """The Broker can still release the leased spaces."""
    held = after(situation(YOGA, policy=POLICY), quote(request(item(YOGA))))
    reply = book(request(item(YOGA)), on(GrantTerms(venues=ELSEWHERE))).decide(held).reply
    assert isinstance(reply, Order)
    assert [error.type for error in reply.items[0].errors] == [UNBOOKABLE]


@pytest.mark.spec("OB-VAL-18")
@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (GrantTerms(venues=ELSEWHERE), "The Seller has not agreed to bookings at this venue."),
        (GrantTerms(activities=COURTS), "The Seller has not agreed to bookings of this activity."),
        (GrantTerms(offers=frozenset()), "The Seller has not agreed to bookings at this Offer."),
        (GrantTerms(venues=HERE, activities=JETS, offers=frozenset({ADULT})), None),
        (GrantTerms(), None),
    ],
)
def test_the_broker_learns_which_terms_exclude_an_opportunity(terms: GrantTerms, reason: str | None) -> None:
    assert why_outside_terms(terms, YOGA[1], YOGA[:1], YOGA[0].offers[0]) == reason


RESTRICTED: dict[str, Any] = {"in_advance": Availability.UNAVAILABLE, "restricted": True}
MEMBERS = session("members", offered=RESTRICTED)
MEMBER = MEMBERS[0].offers[0].ref


@pytest.mark.spec("OB-BKBL-06")
@AT_EVERY_CALL
@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (GrantTerms(), UNBOOKABLE),
        (GrantTerms(venues=HERE), UNBOOKABLE),
        (GrantTerms(offers=frozenset({ADULT})), UNBOOKABLE),
        (GrantTerms(offers=frozenset({ADULT, MEMBER})), None),
        (GrantTerms(offers=frozenset({MEMBER}), venues=ELSEWHERE), UNBOOKABLE),
    ],
    ids=["no terms", "a venue", "another Offer", "this Offer", "this Offer elsewhere"],
)
def test_a_restricted_offer_is_sold_by_partners_whose_terms_name_it(
    call: Callable[[OrderRequest, Caller], Command[Any]], terms: GrantTerms, error: ItemErrorType | None
) -> None:
    flow = (FlowRequirement.APPROVAL,) if call is propose else ()
    family = session("members", offered={**RESTRICTED, "flow": flow})
    command = call(request(item(family)), on(terms))
    assert errors_of(command, family) == [error]


@pytest.mark.spec("OB-BKBL-06")
def test_terms_open_no_offer_that_nobody_can_book_in_advance() -> None:
    closed = session("closed", offered={"in_advance": Availability.UNAVAILABLE})
    terms = GrantTerms(offers=frozenset({closed[0].offers[0].ref}))
    assert errors_of(book(request(item(closed)), on(terms)), closed) == [UNBOOKABLE]


def test_terms_that_name_an_offer_of_a_facility_include_that_of_its_slots() -> None:
    member = offer(COURT[-1].path, "member", **RESTRICTED)
    family = [*COURT[:-1], replace(COURT[-1], offers=(member,))]
    for parent in family[:-1]:
        terms = GrantTerms(offers=frozenset({OfferRef(parent.path, "member")}))
        assert errors_of(book(request(item(family)), on(terms)), family) == [None]
    other = GrantTerms(offers=frozenset({OfferRef(family[0].path, "adult")}))
    assert errors_of(book(request(item(family)), on(other)), family) == [UNBOOKABLE]


def test_a_dynamic_item_has_a_restricted_offer_only_if_the_terms_name_it() -> None:
    path = MEMBERS[0].path
    family = session("members", offers=(offer(path, "member", **RESTRICTED), offer(path, "guest")))
    payment = Payment(dynamic=True, identifier="d-1", name="Membership", account_id="MOVE")
    asked = request(item(family, offer=None, offer_id=None), payment=payment, total_payment_due=None)
    for terms, key in (
        (GrantTerms(), "guest"),
        (GrantTerms(offers=frozenset({MEMBER._replace(key="member")})), "member"),
    ):
        caller = on(replace(terms, dynamic_accounts=frozenset({"MOVE"})))
        reply = quote(asked, Checkpoint.C2, caller).decide(situation(family, policy=POLICY)).reply
        assert isinstance(reply, Order)
        assert [found.offer.key for found in reply.items if found.offer] == [key]


def test_a_restricted_offer_replaces_another_restricted_offer_only() -> None:
    other = session("other", offered=RESTRICTED)
    ref = other[0].offers[0].ref
    move = Replace(order=OrderKey("alice", UUID), number=1, opportunity=other[-1].path, offer=ref, actor=MANAGER)
    partner = on(GrantTerms(offers=frozenset({MEMBER})))
    moved = after(after(situation(MEMBERS, other), book(request(item(MEMBERS)), partner)), move)
    assert moved.spaces[other[-1].path] == Spaces(booked=1)
    with pytest.raises(UnacceptableReplacementError, match="cannot be booked in advance"):
        move.decide(after(situation(YOGA, other), book(request(item(YOGA)))))
