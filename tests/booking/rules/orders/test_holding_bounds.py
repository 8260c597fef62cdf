"""The bounds on how much a Booking Partner holds before it books (AMB-72, AMB-73)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteQuote
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import (
    HoldingBound,
    Order,
    OrderKey,
)
from openbooking.booking.model.order_request import ItemRequest
from openbooking.booking.model.policy import HoldingBounds, Leasing, Policy
from openbooking.booking.model.record import QuoteRecord
from openbooking.booking.model.situation import Holdings, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.holding import is_spent
from openbooking.openactive.errors import UnknownOrderError
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import FlowRequirement
from openbooking.store.documents import encode_record
from support.builders import (
    NOW,
    UUID,
    after,
    changed,
    item,
    new_uuid,
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


def errors(reply: object) -> list[ItemErrorType | None]:
    return [next((error.type for error in found.errors), None) for found in order_of(reply).items]


def leased(count: int = 1, policy: Policy = FREELY) -> Situation:
    """Yoga with this number of spaces leased at the wrong price."""
    return after(situation(YOGA, policy=policy), quote(request(*spaces(count))))


@pytest.mark.spec("OB-LEASE-05", "OB-LEASE-20")
def test_a_uuid_whose_lease_is_renewed_for_ever_releases_its_spaces() -> None:
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
def test_a_proposal_of_fifty_spaces_holds_them_for_a_day_and_lives_longer() -> None:
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
def test_a_proposal_beyond_a_bound_is_accepted_and_holds_no_spaces(
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


@pytest.mark.parametrize("checkpoint", [Checkpoint.C1, Checkpoint.C2])
def test_a_quote_does_not_grow_beyond_the_bytes_of_its_partner(checkpoint: Checkpoint) -> None:
    where = after(situation(YOGA, policy=Policy(bounds=HoldingBounds(bytes=2000))), quote(request(*spaces(1))))
    where = replace(where, holdings={"alice": {"centre": Holdings(quotes=1, size=2000)}})
    large = request(*spaces(1), broker={**BROKER, "description": "x" * 900_000})
    assert len(encode_record(after(where, quote(large, checkpoint)).records[KEY])) < 2000


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


def test_a_quote_that_holds_spaces_already_is_not_counted_twice() -> None:
    where = leased(policy=Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(quotes=1)))
    assert where.holdings["alice"]["centre"].quotes == 1
    assert order_of(quote(request(*spaces(2))).decide(where).reply).not_held is None
    assert (
        order_of(quote(request(*spaces(1)), uuid=new_uuid()).decide(where).reply).not_held is HoldingBound.OPEN_QUOTES
    )


def test_a_lease_that_has_ended_is_not_part_of_the_share_any_more() -> None:
    """The sweeper has not removed the Lease yet. The partner holds 45 of 50 spaces by other quotes."""
    late = replace(leased(10, Policy()), now=NOW + FREELY.lease_duration, held={(PATH, "alice"): 45}, spaces={})
    assert order_of(quote(request(*spaces(5))).decide(late).reply).not_held is None
    assert order_of(quote(request(*spaces(6))).decide(late).reply).not_held is HoldingBound.SHARE
