"""The terms that a Lease guarantees, and the bounds on holding spaces."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.book import Book
from openbooking.booking.commands.delete import DeleteQuote
from openbooking.booking.commands.expire_leases import ExpireLeases
from openbooking.booking.commands.get_order import GetOrder
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import FormField, Offer, Opportunity
from openbooking.booking.model.order import (
    HoldingBound,
    Lease,
    LeasedItem,
    LeasedTerms,
    Order,
    OrderItem,
    OrderKey,
    Payment,
)
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.policy import HoldingBounds, Leasing, Policy
from openbooking.booking.model.record import QuoteRecord, Record
from openbooking.booking.model.situation import Holdings, OpportunitySet, Situation, Spaces, evolve
from openbooking.booking.rules.dry_run import Checkpoint
from openbooking.booking.rules.holding import is_spent, lease_of, still_wanted_spaces
from openbooking.openactive.errors import ItemErrorType, OrderCreationFailedError, UnknownOrderError
from openbooking.openactive.terms import BrokerRole, FlowRequirement, FormFieldType, TaxTreatment
from openbooking.store.documents import encode_record
from support.builders import (
    NOW,
    UUID,
    after,
    changed,
    item,
    new_uuid,
    offer,
    propose,
    quote,
    request,
    session,
    situation,
)
from support.parties import ALICE, BOB, BROKER, CENTRE, STUDIO

CHEAP, RIGHT = Decimal("0.12"), Decimal("12.00")
YOGA = session("yoga", capacity=100, price=CHEAP)
PATH = YOGA[-1].path
KEY = OrderKey("alice", UUID)
FREELY = Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(share=1.0))


def spaces(count: int, family: list[Opportunity] = YOGA) -> tuple[ItemRequest, ...]:
    return tuple(item(family, position) for position in range(count))


def order_of(reply: object) -> Order:
    assert isinstance(reply, Order)
    return reply


def prices(reply: object) -> list[Decimal]:
    return [found.offer.price for found in order_of(reply).items if found.offer]


def errors(reply: object) -> list[ItemErrorType | None]:
    return [next((error.type for error in found.errors), None) for found in order_of(reply).items]


def leased(count: int = 1, policy: Policy = FREELY) -> Situation:
    """Yoga with this number of spaces leased at the wrong price."""
    return after(situation(YOGA, policy=policy), quote(request(*spaces(count))))


def offering(where: Situation, *offers: Offer) -> Situation:
    """The same situation after the Seller has replaced the leased Offers by these."""
    return evolve(where, OpportunitySet(replace(YOGA[0], offers=offers)))


def corrected(where: Situation, **changes: Any) -> Situation:
    return offering(where, offer(YOGA[0].path, **{"price": RIGHT, **changes}))


@pytest.mark.spec("OB-LEASE-10")
@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
def test_a_quote_guarantees_the_leased_spaces_alone(checkpoint: Checkpoint) -> None:
    again = quote(request(*spaces(3)), checkpoint).decide(corrected(leased()))
    assert prices(again.reply) == [CHEAP, RIGHT, RIGHT]


@pytest.mark.spec("OB-LEASE-10", "OB-B-06")
def test_b_of_ninety_costs_the_leased_price_once() -> None:
    asked = request(*spaces(90), total_payment_due=CHEAP + 89 * RIGHT)
    booked = Book(caller=ALICE, uuid=UUID, request=asked).decide(corrected(leased()))
    assert order_of(booked.reply).totals.price == CHEAP + 89 * RIGHT
    assert prices(booked.reply) == [CHEAP, *[RIGHT] * 89]


@pytest.mark.spec("OB-LEASE-10")
def test_the_leased_terms_go_to_the_first_items_by_position() -> None:
    asked = request(item(YOGA, 5), item(YOGA, 1), item(YOGA, 3))
    assert prices(quote(asked).decide(corrected(leased())).reply) == [RIGHT, CHEAP, RIGHT]


@pytest.mark.spec("OB-LEASE-10")
def test_terms_of_several_quotes_are_kept_apart() -> None:
    where = after(corrected(leased(2)), quote(request(*spaces(3))))
    dearest = corrected(where, price=Decimal("20.00"))
    assert prices(quote(request(*spaces(4))).decide(dearest).reply) == [CHEAP, CHEAP, RIGHT, Decimal("20.00")]


@pytest.mark.spec("OB-LEASE-10", "OB-VAL-16")
def test_a_withdrawn_offer_is_kept_for_the_leased_spaces_only() -> None:
    where = offering(leased(), offer(YOGA[0].path, "other", RIGHT))
    assert errors(quote(request(*spaces(2))).decide(where).reply) == [None, ItemErrorType.UNKNOWN_OFFER]
    one = Book(caller=ALICE, uuid=UUID, request=request(*spaces(1), total_payment_due=CHEAP)).decide(where)
    assert prices(one.reply) == [CHEAP]


@pytest.mark.spec("OB-LEASE-10", "OB-APP-01", "OB-APP-02")
def test_the_order_needs_approval_if_any_item_does() -> None:
    where = corrected(leased(), flow=(FlowRequirement.APPROVAL,))
    asked = request(*spaces(2), total_payment_due=CHEAP + RIGHT)
    assert order_of(quote(asked).decide(where).reply).requires_approval
    with pytest.raises(OrderCreationFailedError):
        Book(caller=ALICE, uuid=UUID, request=asked).decide(where)
    alone = request(*spaces(1), total_payment_due=CHEAP)
    assert not order_of(quote(alone).decide(where).reply).requires_approval
    assert prices(Book(caller=ALICE, uuid=UUID, request=alone).decide(where).reply) == [CHEAP]


FIELD = FormField(key="age", type=FormFieldType.SHORT_ANSWER, name="Age", description="Yours", required=True)
ASKED_BY_NOW: dict[str, tuple[dict[str, Any], ItemErrorType]] = {
    "attendee details": (
        {"attendee_details": ("https://schema.org/email",)},
        ItemErrorType.INCOMPLETE_ATTENDEE_DETAILS,
    ),
    "an intake form": ({"intake_form": (FIELD,)}, ItemErrorType.INCOMPLETE_INTAKE_FORM),
    "a booking window that has closed": (
        {"valid_through_before_start": timedelta(days=30)},
        ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE,
    ),
}


@pytest.mark.spec("OB-LEASE-10", "OB-CUST-14", "OB-FORM-09", "OB-BKBL-41")
@pytest.mark.parametrize("what", ASKED_BY_NOW)
@pytest.mark.parametrize("checkpoint", [Checkpoint.C2, Checkpoint.B])
def test_new_requirements_apply_to_all_spaces_that_are_not_leased(what: str, checkpoint: Checkpoint) -> None:
    change, error = ASKED_BY_NOW[what]
    where = corrected(leased(), **change)
    asked = request(*spaces(3))
    command = Book(caller=ALICE, uuid=UUID, request=asked) if checkpoint is Checkpoint.B else quote(asked)
    assert errors(command.decide(where).reply) == [None, error, error]


@pytest.mark.spec("OB-LEASE-10")
def test_an_ended_offer_is_kept_for_the_leased_spaces_only() -> None:
    early_bird = session("early", capacity=100, price=CHEAP, offered={"valid_through": NOW + timedelta(minutes=5)})
    held = after(situation(early_bird, policy=FREELY), quote(request(item(early_bird, 0))))
    late = replace(held, now=NOW + timedelta(minutes=5))
    ended = ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE
    assert errors(quote(request(*spaces(2, early_bird))).decide(late).reply) == [None, ended]
    one = Book(caller=ALICE, uuid=UUID, request=request(*spaces(1, early_bird), total_payment_due=CHEAP))
    assert prices(one.decide(late).reply) == [CHEAP]
    late = replace(held, now=NOW + FREELY.lease_duration)
    assert errors(one.decide(late).reply) == [ended]


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-22")
def test_p_takes_the_leased_terms_for_the_leased_spaces_alone() -> None:
    approved = session("approved", capacity=100, price=CHEAP, offered={"flow": (FlowRequirement.APPROVAL,)})
    held = after(situation(approved, policy=FREELY), quote(request(item(approved, 0))))
    dearer = offer(approved[0].path, price=RIGHT, flow=(FlowRequirement.APPROVAL,))
    where = evolve(held, OpportunitySet(replace(approved[0], offers=(dearer,))))
    asked = request(*spaces(2, approved), total_payment_due=CHEAP + RIGHT)
    assert prices(propose(asked).decide(where).reply) == [CHEAP, RIGHT]


@pytest.mark.spec("OB-LEASE-10")
def test_renewals_keep_the_terms_for_a_set_time() -> None:
    policy = replace(FREELY, guarantee_duration=timedelta(minutes=20))
    renewed = after(
        replace(corrected(leased(policy=policy)), now=NOW + timedelta(minutes=10)), quote(request(*spaces(1)))
    )
    late = replace(renewed, now=NOW + timedelta(minutes=20))
    assert prices(quote(request(*spaces(1))).decide(late).reply) == [RIGHT]
    booked = Book(caller=ALICE, uuid=UUID, request=request(*spaces(1), total_payment_due=CHEAP)).decide(late)
    assert prices(booked.reply) == [CHEAP]


@pytest.mark.spec("OB-LEASE-10")
def test_a_lease_of_one_offer_guarantees_nothing_of_another() -> None:
    concession = offer(YOGA[0].path, "concession", Decimal("1.00"))
    adult = offer(YOGA[0].path, price=CHEAP)
    held = after(offering(situation(YOGA, policy=FREELY), adult, concession), quote(request(*spaces(1))))
    where = offering(held, replace(adult, price=RIGHT), replace(concession, price=Decimal("6.00")))
    other = replace(item(YOGA, 0), offer=concession.ref)
    assert prices(quote(request(other)).decide(where).reply) == [Decimal("6.00")]


@pytest.mark.spec("OB-OST-02", "OB-LEASE-10")
def test_order_status_shows_the_current_opportunity_and_the_leased_offer() -> None:
    renamed = replace(YOGA[0], properties={**YOGA[0].properties, "name": "Hot yoga"})
    where = evolve(corrected(leased(2)), OpportunitySet(replace(renamed, offers=(offer(YOGA[0].path, price=RIGHT),))))
    shown = GetOrder(caller=ALICE, uuid=UUID).decide(where).reply
    assert isinstance(shown, Record)
    assert shown.order is not None
    assert shown.order.totals.price == 2 * CHEAP
    assert [found.parents[0].properties["name"] for found in shown.order.items] == ["Hot yoga"] * 2
    assert {found.remaining for found in shown.order.items} == {100}
    assert shown.order.lease_expires == NOW + FREELY.lease_duration


@pytest.mark.spec("OB-LEASE-05", "OB-LEASE-20")
def test_a_partner_that_renews_for_ever_releases_its_spaces() -> None:
    """The partner quotes every ten minutes for three hours while the sweeper runs; then others can book."""
    where = after(situation(YOGA, policy=Policy()), quote(request(*spaces(50))))
    held = []
    for minute in range(10, 181, 10):
        where = replace(where, now=NOW + timedelta(minutes=minute))
        where = replace(where, spaces={PATH: Spaces(leased=_leased_now(where))})
        where = after(where, ExpireLeases())
        reply = quote(request(*spaces(50))).decide(where)
        assert not order_of(reply.reply).has_errors
        where = changed(where, reply)
        held.append(where.spaces[PATH].leased)
    assert held == [*[50] * 5, *[0] * 13]
    assert order_of(reply.reply).not_held is HoldingBound.TIME
    assert order_of(reply.reply).lease_expires is None
    bought = Book(caller=ALICE, uuid=UUID, request=request(*spaces(50), total_payment_due=50 * CHEAP)).decide(where)
    assert not order_of(bought.reply).has_errors


def _leased_now(where: Situation) -> int:
    live = [record for record in where.records.values() if where.holds_spaces(record)]
    return sum(claim.spaces for record in live for claim in record.claims())


def test_the_deletion_of_a_quote_does_not_reset_the_hold_time_of_its_uuid() -> None:
    bounds = replace(FREELY.bounds, quote_duration=FREELY.lease_duration)
    ended = replace(leased(policy=replace(FREELY, bounds=bounds)), now=NOW + FREELY.lease_duration, spaces={})
    swept = after(ended, ExpireLeases())
    assert swept.records[KEY].claims() == ()
    with pytest.raises(UnknownOrderError):
        GetOrder(caller=ALICE, uuid=UUID).decide(swept)
    for where in (ended, swept, changed(swept, DeleteQuote(caller=ALICE, uuid=UUID).decide(swept))):
        again = quote(request(*spaces(1))).decide(where)
        assert (order_of(again.reply).not_held, again.changes) == (HoldingBound.TIME, ())
    assert after(replace(swept, now=NOW + timedelta(days=2)), ExpireLeases()).records == {}


@pytest.mark.parametrize(("capacity", "held"), [(100, 50), (11, 5), (10, 10), (5, 5)])
def test_a_partner_holds_at_most_its_share_of_more_than_ten_spaces(capacity: int, held: int) -> None:
    family = session("shared", capacity=capacity)
    where = situation(family, policy=Policy())
    for _ in range(capacity):
        where = after(where, quote(request(item(family)), uuid=new_uuid()))
    assert where.spaces[family[-1].path].leased == held
    if held < capacity:
        more = quote(request(item(family)), uuid=new_uuid()).decide(where)
        assert (order_of(more.reply).not_held, errors(more.reply)) == (HoldingBound.SHARE, [None])
        assert not order_of(quote(request(item(family)), uuid=new_uuid(), caller=BOB).decide(where).reply).not_held


def test_a_quote_beyond_the_share_keeps_its_earlier_hold() -> None:
    where = leased(40, Policy())
    grown = quote(request(*spaces(60))).decide(where)
    assert order_of(grown.reply).not_held is HoldingBound.SHARE
    assert order_of(grown.reply).lease_expires == NOW + FREELY.lease_duration
    assert changed(where, grown).spaces[PATH] == Spaces(leased=40)


@pytest.mark.parametrize(
    ("holdings", "bound"),
    [
        (Holdings(quotes=2), HoldingBound.OPEN_QUOTES),
        (Holdings(size=1000), HoldingBound.BYTES),
        (Holdings(quotes=1, size=999, proposals=9), None),
    ],
)
def test_open_quotes_and_their_bytes_are_bounded(holdings: Holdings, bound: HoldingBound | None) -> None:
    policy = replace(FREELY, bounds=replace(FREELY.bounds, quotes=2, bytes=1000))
    where = replace(situation(YOGA, policy=policy), holdings={"alice": {"centre": holdings}})
    decision = quote(request(*spaces(1))).decide(where)
    assert order_of(decision.reply).not_held is bound
    assert bool(decision.changes) is (bound is None)
    assert not order_of(decision.reply).has_errors


APPROVED = session("approved", capacity=100, offered={"flow": (FlowRequirement.APPROVAL,)})


def proposed(policy: Policy, count: int = 1, **holdings: int) -> tuple[Situation, Order]:
    where = replace(situation(APPROVED, policy=policy), holdings={"alice": {"centre": Holdings(**holdings)}})
    decision = propose(request(*spaces(count, APPROVED), total_payment_due=count * RIGHT)).decide(where)
    return changed(where, decision), order_of(decision.reply)


@pytest.mark.spec("OB-APP-26", "OB-LEASE-22")
def test_a_proposal_of_fifty_holds_them_for_a_day_and_lives_longer() -> None:
    where, order = proposed(Policy(), 50)
    assert order.lease_expires == NOW + timedelta(days=1)
    ended = replace(where, now=NOW + timedelta(days=1), spaces={APPROVED[-1].path: Spaces()})
    swept = after(ended, ExpireLeases())
    record = swept.records[KEY]
    assert record.proposal is not None
    assert (record.proposal.status, record.lease_expires) == (order.proposal and order.proposal.status, None)
    assert [claim.spaces for claim in record.claims()] == [0]
    assert ExpireLeases().decide(swept).changes == ()


@pytest.mark.parametrize(
    ("policy", "count", "holdings", "bound"),
    [
        (Policy(), 51, {}, HoldingBound.SHARE),
        (Policy(bounds=HoldingBounds(proposals=3)), 1, {"proposals": 3}, HoldingBound.OPEN_PROPOSALS),
    ],
)
def test_beyond_a_bound_a_proposal_is_taken_and_holds_nothing(
    policy: Policy, count: int, holdings: dict[str, int], bound: HoldingBound
) -> None:
    where, order = proposed(policy, count, **holdings)
    assert (order.not_held, order.lease_expires) == (bound, None)
    assert where.spaces.get(APPROVED[-1].path, Spaces()) == Spaces()
    stored = where.records[KEY].order
    assert stored is not None
    assert stored.not_held is None


def test_the_terms_limit_the_open_quotes_and_proposals() -> None:
    few = replace(ALICE, other_terms=GrantTerms(open_quotes=1, open_proposals=0))
    where = replace(situation(YOGA, APPROVED, policy=FREELY), holdings={"alice": {"centre": Holdings(quotes=1)}})
    assert order_of(quote(request(*spaces(1))).decide(where).reply).not_held is None
    assert order_of(quote(request(*spaces(1)), caller=few).decide(where).reply).not_held is HoldingBound.OPEN_QUOTES
    asked = request(*spaces(1, APPROVED), total_payment_due=RIGHT)
    assert order_of(propose(asked, caller=few).decide(where).reply).not_held is HoldingBound.OPEN_PROPOSALS


def test_a_lease_is_smaller_than_its_request() -> None:
    """The size does not depend on the published properties."""
    long = replace(YOGA[0], properties={**YOGA[0].properties, "description": "x" * 50_000})
    family = [long, YOGA[1]]
    asked: OrderRequest = request(*spaces(100, family))
    where = after(situation(family, policy=FREELY), quote(asked))
    stored = msgspec.json.encode(where.records[KEY])
    assert len(stored) < len(msgspec.json.encode(asked))


@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
def test_a_quote_does_not_grow_beyond_the_bytes_of_its_partner(checkpoint: Checkpoint) -> None:
    where = after(situation(YOGA, policy=Policy(bounds=HoldingBounds(bytes=2000))), quote(request(*spaces(1))))
    where = replace(where, holdings={"alice": {"centre": Holdings(quotes=1, size=2000)}})
    large = request(*spaces(1), broker={**BROKER, "description": "x" * 900_000})
    assert len(encode_record(after(where, quote(large, checkpoint)).records[KEY])) < 2000


@pytest.mark.spec("OB-LEASE-10")
def test_terms_stay_with_their_positions_whatever_the_order_of_the_request() -> None:
    asked = request(item(YOGA, 1), item(YOGA, 0))
    first = quote(asked).decide(corrected(leased()))
    again = quote(asked).decide(changed(corrected(leased()), first))
    assert prices(first.reply) == prices(again.reply) == [RIGHT, CHEAP]


CONCESSION = offer(YOGA[0].path, "concession", Decimal(5))
TWO_OFFERS = [replace(YOGA[0], offers=(offer(YOGA[0].path, price=CHEAP), CONCESSION)), YOGA[1]]


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-12")
@pytest.mark.parametrize(
    ("policy", "checkpoint", "others"),
    [(Policy(), Checkpoint.C1, 1), (Policy(leasing=Leasing.ANONYMOUS), Checkpoint.C2, 60)],
    ids=["named", "beyond a bound"],
)
def test_a_reduced_lease_keeps_the_terms_of_its_spaces(policy: Policy, checkpoint: Checkpoint, others: int) -> None:
    where = after(situation(TWO_OFFERS, policy=policy), quote(request(item(TWO_OFFERS, 0))))
    cheaper = (replace(item(TWO_OFFERS, position), offer=CONCESSION.ref) for position in range(others))
    where = after(where, quote(request(*cheaper, item(TWO_OFFERS, others)), checkpoint))
    where = corrected(where)
    bought = Book(caller=ALICE, uuid=UUID, request=request(item(TWO_OFFERS, 0), total_payment_due=CHEAP)).decide(where)
    assert prices(bought.reply) == [CHEAP]


def test_a_proposal_whose_hold_has_ended_does_not_count() -> None:
    where, _ = proposed(Policy(bounds=HoldingBounds(proposals=1)))
    where = after(replace(where, now=NOW + timedelta(hours=25), holdings={"alice": {}}), ExpireLeases())
    asked = request(*spaces(1, APPROVED), total_payment_due=RIGHT)
    assert order_of(propose(asked, uuid=new_uuid()).decide(where).reply).not_held is None


def test_holdings_of_another_seller_do_not_count_for_the_terms_of_this_one() -> None:
    pilates = session("pilates", seller=STUDIO, capacity=100)
    few = replace(ALICE, terms={CENTRE.key: GrantTerms(open_quotes=1)})
    elsewhere = quote(request(item(pilates), seller=STUDIO.key), caller=few)
    where = after(situation(YOGA, pilates, policy=FREELY), elsewhere)
    here = quote(request(*spaces(1)), caller=few, uuid=new_uuid())
    assert order_of(here.decide(where).reply).not_held is None
    more = quote(request(*spaces(1)), caller=few, uuid=new_uuid())
    assert order_of(more.decide(after(where, here)).reply).not_held is HoldingBound.OPEN_QUOTES


def test_terms_do_not_raise_the_bound_of_a_setting() -> None:
    many = replace(ALICE, other_terms=GrantTerms(open_quotes=100))
    policy = Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(quotes=1))
    where = after(situation(YOGA, policy=policy), quote(request(*spaces(1)), caller=many))
    more = quote(request(*spaces(1)), caller=many, uuid=new_uuid())
    assert order_of(more.decide(where).reply).not_held is HoldingBound.OPEN_QUOTES


Reference = tuple[str, str]
ADULT, CHILD, ELSEWHERE = (PATH, "adult"), (PATH, "child"), ("scheduled-sessions/other", "adult")


def lease_for(*references: Reference) -> Lease:
    """A Lease of a space for each of these paths and keys of Offers."""
    terms = tuple(LeasedTerms(offer=offer(YOGA[0].path, key), since=NOW) for key in ("adult", "child"))
    index = {"adult": 0, "child": 1}
    items = tuple(LeasedItem(path, index[key]) for path, key in references)
    return Lease(since=NOW, items=items, terms=terms, broker_role=BrokerRole.AGENT)


@pytest.mark.spec("OB-LEASE-10", "OB-LEASE-12")
@pytest.mark.parametrize(
    ("leased_for", "wanted", "kept"),
    [
        ([ADULT, CHILD], [CHILD], [CHILD]),
        ([ADULT, CHILD], [ADULT], [ADULT]),
        ([ADULT], [CHILD], [ADULT]),
        ([ADULT, ADULT], [ADULT], [ADULT]),
        ([CHILD, CHILD, ADULT], [CHILD, ADULT], [CHILD, ADULT]),
        ([ADULT, CHILD, CHILD], [CHILD, CHILD], [CHILD, CHILD]),
        ([ADULT, CHILD], [CHILD, CHILD], [ADULT, CHILD]),
        ([ADULT], [ELSEWHERE], []),
        ([ELSEWHERE, ADULT], [ADULT], [ADULT]),
        ([ADULT], [], []),
    ],
    ids=str,
)
def test_the_leased_spaces_that_are_still_wanted_match_by_offer_before_they_match_by_opportunity(
    leased_for: list[Reference], wanted: list[Reference], kept: list[Reference]
) -> None:
    items = [
        OrderItem(number=number, opportunity=replace(YOGA[1], path=path), offer=offer(YOGA[0].path, key))
        for number, (path, key) in enumerate(wanted, 1)
    ]
    assert still_wanted_spaces(lease_for(*leased_for), items) == lease_for(*kept).items


def test_an_item_without_an_offer_wants_no_leased_space() -> None:
    bare = (OrderItem(number=1, opportunity=YOGA[1]), OrderItem(number=2, offer=YOGA[0].offers[0]), OrderItem(number=3))
    assert still_wanted_spaces(lease_for(ADULT), bare) == ()


def quoted_order(**changes: Any) -> Order:
    return replace(order_of(quote(request(*spaces(3))).decide(situation(YOGA, policy=FREELY)).reply), **changes)


@pytest.mark.spec("OB-LEASE-10", "OB-OST-02")
def test_a_lease_keeps_broker_payment_and_tax_of_its_quote() -> None:
    payment = Payment(name="Points")
    order = quoted_order(payment=payment, tax=TaxTreatment.EXCLUDED, broker_role=BrokerRole.RESELLER)
    lease = lease_of(order, {}, NOW - timedelta(minutes=1), NOW)
    assert (lease.broker_role, lease.broker, lease.payment) == (BrokerRole.RESELLER, BROKER, payment)
    assert (lease.tax, lease.since) == (TaxTreatment.EXCLUDED, NOW - timedelta(minutes=1))


@pytest.mark.spec("OB-LEASE-10")
def test_spaces_with_the_same_terms_share_them_in_the_lease() -> None:
    lease = lease_of(quoted_order(), {}, NOW, NOW)
    assert lease.items == (LeasedItem(PATH, 0),) * 3
    assert lease.terms == (LeasedTerms(offer=YOGA[0].offers[0], since=NOW),)


@pytest.mark.spec("OB-LEASE-10")
def test_guaranteed_terms_stay_beside_current_ones_in_the_lease() -> None:
    older = LeasedTerms(offer=offer(YOGA[0].path, price=RIGHT), since=NOW - timedelta(minutes=5))
    lease = lease_of(quoted_order(), {2: older}, NOW, NOW)
    current = LeasedTerms(offer=YOGA[0].offers[0], since=NOW)
    assert [lease.terms_of(leased_item) for leased_item in lease.items] == [current, older, current]
    assert len(lease.terms) == 2


@pytest.mark.spec("OB-LEASE-10")
def test_an_offer_that_was_changed_and_leased_at_the_same_time_has_terms_of_its_own() -> None:
    dearer = LeasedTerms(offer=offer(YOGA[0].path, price=RIGHT), since=NOW)
    lease = lease_of(quoted_order(), {3: dearer}, NOW, NOW)
    assert [lease.terms_of(leased_item).offer.price for leased_item in lease.items] == [CHEAP, CHEAP, RIGHT]


@pytest.mark.parametrize("lacking", ["opportunity", "offer"])
def test_an_item_that_lacks_opportunity_or_offer_is_not_leased_and_the_others_are(lacking: str) -> None:
    order = quoted_order()
    first, *others = order.items
    lease = lease_of(replace(order, items=(replace(first, **{lacking: None}), *others)), {}, NOW, NOW)
    assert len(lease.items) == 2


def test_a_lease_has_its_items_in_the_order_of_positions() -> None:
    order = quoted_order()
    positions = (2, None, 1)
    items = tuple(
        replace(found, position=position, opportunity=replace(YOGA[1], path=f"slots/{position}"))
        for found, position in zip(order.items, positions, strict=True)
    )
    lease = lease_of(replace(order, items=items), {}, NOW, NOW)
    assert [found.opportunity for found in lease.items] == ["slots/None", "slots/1", "slots/2"]


def quote_record(where: Situation, **changes: Any) -> QuoteRecord:
    record = where.records[KEY]
    assert isinstance(record, QuoteRecord)
    return replace(record, **changes)


LONGEST = Policy().bounds.quote_duration
MINUTE = timedelta(minutes=1)


@pytest.mark.spec("OB-LEASE-05")
@pytest.mark.parametrize(
    ("held_for", "left", "spent"),
    [
        (LONGEST, MINUTE, True),
        (LONGEST - MINUTE, MINUTE, False),
        (LONGEST + MINUTE, -2 * MINUTE, False),
        (LONGEST + MINUTE, -MINUTE, True),
    ],
    ids=["holds for the longest time", "holds for less", "ended in time", "ended at the longest time"],
)
def test_a_quote_has_used_up_its_time_when_it_has_held_for_the_longest_time(
    held_for: timedelta, left: timedelta, spent: bool
) -> None:
    where = leased(policy=Policy())
    record = quote_record(where, lease_expires=NOW + left)
    assert record.lease is not None
    record = replace(record, lease=replace(record.lease, since=NOW - held_for))
    assert is_spent(where, record) is spent


@pytest.mark.parametrize(
    ("until", "spent"), [(None, False), (NOW + MINUTE, True), (NOW, False)], ids=["never", "still", "not any more"]
)
def test_a_quote_without_a_lease_is_spent_until_a_time(until: Any, spent: bool) -> None:
    where = leased()
    assert is_spent(where, quote_record(where, lease=None, lease_expires=None, spent_until=until)) is spent


def test_only_quotes_use_up_a_hold_time() -> None:
    where, _ = proposed(Policy())
    late = replace(where, now=NOW + timedelta(days=9))
    assert not is_spent(late, where.records[KEY])
    assert not is_spent(late, None)


def test_proposals_to_another_seller_do_not_count_for_the_terms_of_this_one() -> None:
    few = replace(ALICE, other_terms=GrantTerms(open_proposals=1))
    asked = request(*spaces(1, APPROVED), total_payment_due=RIGHT)
    for seller, bound in (("studio", None), ("centre", HoldingBound.OPEN_PROPOSALS)):
        where = replace(situation(APPROVED), holdings={"alice": {seller: Holdings(proposals=1)}})
        assert order_of(propose(asked, caller=few).decide(where).reply).not_held is bound


@pytest.mark.parametrize(("quotes", "proposals", "size"), [(1, 1, 500), (2, 0, 0), (0, 2, 0), (0, 0, 1000)])
def test_the_settings_count_the_holdings_of_all_sellers(quotes: int, proposals: int, size: int) -> None:
    policy = Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(quotes=2, proposals=2, bytes=1000))
    here, there = Holdings(quotes, proposals, size), Holdings(min(quotes, 1), min(proposals, 1), size)
    where = replace(situation(YOGA, APPROVED, policy=policy), holdings={"alice": {"centre": here, "studio": there}})
    quoted = order_of(quote(request(*spaces(1))).decide(where).reply).not_held
    asked = order_of(propose(request(*spaces(1, APPROVED), total_payment_due=RIGHT)).decide(where).reply).not_held
    assert quoted is (HoldingBound.OPEN_QUOTES if quotes else HoldingBound.BYTES if size else None)
    assert asked is (HoldingBound.OPEN_PROPOSALS if proposals else None)


def test_a_partner_without_holdings_holds_what_it_asks_for() -> None:
    where = replace(situation(YOGA, policy=FREELY), holdings={})
    assert order_of(quote(request(*spaces(1))).decide(where).reply).not_held is None


def test_a_quote_that_holds_spaces_already_is_not_one_more() -> None:
    where = leased(policy=Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(quotes=1)))
    assert where.holdings["alice"]["centre"].quotes == 1
    assert order_of(quote(request(*spaces(2))).decide(where).reply).not_held is None
    assert (
        order_of(quote(request(*spaces(1)), uuid=new_uuid()).decide(where).reply).not_held is HoldingBound.OPEN_QUOTES
    )


def test_a_lease_that_has_ended_is_not_part_of_the_share_any_more() -> None:
    """The sweeper has not removed it yet; the partner holds 45 of 50 spaces by other quotes."""
    late = replace(leased(10, Policy()), now=NOW + FREELY.lease_duration, held={(PATH, "alice"): 45}, spaces={})
    assert order_of(quote(request(*spaces(5))).decide(late).reply).not_held is None
    assert order_of(quote(request(*spaces(6))).decide(late).reply).not_held is HoldingBound.SHARE
