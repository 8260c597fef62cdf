"""Leases: the spaces that they hold, and their end."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteQuote
from openbooking.booking.commands.orders.expire_leases import SWEEPER, ExpireLeases
from openbooking.booking.commands.orders.quote import may_hold
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.order import Order, OrderKey, Payment
from openbooking.booking.model.policy import HoldingBounds, Leasing, Policy
from openbooking.booking.model.situation import OpportunitySet, Situation, evolve
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.openactive.errors import TotalPaymentDueMismatchError
from support.builders import NOW, UUID, after, changed, item, offer, quote, request, session, situation
from support.parties import ALICE, BOB, CUSTOMER
from support.proposals import ACCEPT, APPROVAL, POLICY, SELLER_REJECTED, amend, having, proposed, record_in, standing

YOGA = session("yoga")
SPIN = session("spin")
PATH = YOGA[-1].path
LEASE = Policy().lease_duration


def order_of(reply: object) -> Order:
    assert isinstance(reply, Order)
    return reply


@pytest.mark.spec("OB-LEASE-02", "OB-LEASE-03", "OB-LEASE-05", "OB-LEASE-06", "OB-LEASE-07")
@pytest.mark.parametrize(
    ("leasing", "checkpoint", "leases"),
    [
        (Leasing.OFF, Checkpoint.C1, False),
        (Leasing.OFF, Checkpoint.C2, False),
        (Leasing.NAMED, Checkpoint.C1, False),
        (Leasing.NAMED, Checkpoint.C2, True),
        (Leasing.ANONYMOUS, Checkpoint.C1, True),
        (Leasing.ANONYMOUS, Checkpoint.C2, True),
    ],
)
def test_the_setting_decides_which_quotes_hold_spaces(leasing: Leasing, checkpoint: Checkpoint, leases: bool) -> None:
    policy = Policy(leasing=leasing)
    command = quote(request(item(YOGA)), checkpoint)
    decision = command.decide(situation(YOGA, policy=policy))
    assert order_of(decision.reply).lease_expires == (NOW + LEASE if leases else None)
    assert bool(decision.changes) is leases
    assert may_hold(leasing, checkpoint) is leases


@pytest.mark.spec("OB-LEASE-15")
def test_a_quote_that_holds_nothing_is_decided_without_locks_and_the_holdings_of_its_partner() -> None:
    asked = quote(request(item(YOGA)))
    assert (asked.needs().likely_read_only, asked.needs().holders) == (False, frozenset({"alice"}))
    unlocked = replace(asked, holds=False)
    assert (unlocked.needs().likely_read_only, unlocked.needs().holders) == (True, frozenset())
    assert unlocked.decide(situation(YOGA)).changes == ()


@pytest.mark.spec("OB-LEASE-14", "OB-LEASE-16", "OB-C1-07")
def test_repeated_quotes_hold_their_spaces_once() -> None:
    once = after(situation(YOGA), quote(request(item(YOGA, 0), item(YOGA, 1))))
    assert once.spaces[PATH] == Spaces(leased=2)
    again = quote(request(item(YOGA, 0), item(YOGA, 1))).decide(once)
    assert changed(once, again).spaces[PATH] == Spaces(leased=2)
    assert {found.remaining for found in order_of(again.reply).items} == {10}


@pytest.mark.spec("OB-LEASE-12", "OB-LEASE-13", "OB-C1-13", "OB-C2-04")
def test_a_lease_follows_the_items_of_the_latest_quote() -> None:
    first = after(situation(YOGA, SPIN), quote(request(item(YOGA, 0), item(YOGA, 1)), Checkpoint.C1))
    second = after(first, quote(request(item(SPIN, 0))))
    assert second.spaces[PATH] == Spaces()
    assert second.spaces[SPIN[-1].path] == Spaces(leased=1)
    assert {PATH, SPIN[-1].path} <= second.touched


@pytest.mark.spec("OB-LEASE-05", "OB-LEASE-12", "OB-LEASE-13", "OB-BRK-05")
@pytest.mark.parametrize("leasing", [Leasing.NAMED, Leasing.OFF])
def test_with_named_leasing_c1_removes_from_the_lease_and_never_adds(leasing: Leasing) -> None:
    """AMB-72 also applies to a Lease from before leasing was switched off."""
    two = quote(request(item(YOGA, 0), item(YOGA, 1)))
    leased = after(situation(YOGA, SPIN, policy=Policy(leasing=Leasing.NAMED)), two)
    later = replace(leased, now=NOW + timedelta(minutes=5), policy=Policy(leasing=leasing))
    decision = quote(request(item(YOGA, 0), item(SPIN, 1)), Checkpoint.C1).decide(later)
    assert order_of(decision.reply).lease_expires == NOW + LEASE
    fewer = changed(later, decision)
    assert (fewer.spaces[PATH], fewer.spaces.get(SPIN[-1].path, Spaces())) == (Spaces(leased=1), Spaces())
    other = quote(request(item(SPIN)), Checkpoint.C1).decide(later)
    assert order_of(other.reply).lease_expires is None
    assert changed(later, other).records == {}
    ended = replace(leased, now=NOW + LEASE)
    assert quote(request(item(SPIN)), Checkpoint.C1).decide(ended).changes == ()


@pytest.mark.spec("OB-LEASE-12", "OB-LEASE-03")
def test_with_named_leasing_c2_adds_the_spaces_that_c1_did_not() -> None:
    policy = Policy(leasing=Leasing.NAMED)
    leased = after(situation(YOGA, SPIN, policy=policy), quote(request(item(YOGA))))
    seen = after(leased, quote(request(item(YOGA, 0), item(SPIN, 1)), Checkpoint.C1))
    assert seen.spaces.get(SPIN[-1].path, Spaces()) == Spaces()
    held = after(seen, quote(request(item(YOGA, 0), item(SPIN, 1))))
    assert (held.spaces[PATH], held.spaces[SPIN[-1].path]) == (Spaces(leased=1), Spaces(leased=1))


@pytest.mark.spec("OB-LEASE-15")
def test_a_quote_with_errors_holds_nothing_and_leaves_the_earlier_lease() -> None:
    leased = after(situation(YOGA, SPIN), quote(request(item(YOGA))))
    failed = quote(request(item(SPIN, 0), replace(item(YOGA, 1), offer=None))).decide(leased)
    assert order_of(failed.reply).has_errors
    assert order_of(failed.reply).lease_expires is None
    assert failed.changes == ()


@pytest.mark.spec("OB-LEASE-08", "OB-B-17")
def test_b_turns_the_lease_into_a_booking() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    booked = after(leased, Book(caller=ALICE, uuid=UUID, request=request(item(YOGA))))
    assert booked.spaces[PATH] == Spaces(booked=1)


@pytest.mark.spec("OB-LEASE-09")
def test_an_ended_lease_holds_nothing_and_b_succeeds_while_spaces_are_left() -> None:
    one = session("one", capacity=1)
    leased = after(situation(one), quote(request(item(one)), caller=BOB))
    # A store loads this situation after the end of the lease: the spaces are free, even before the sweeper runs.
    later = replace(leased, now=NOW + LEASE, spaces={one[-1].path: Spaces()})
    taken = after(later, Book(caller=ALICE, uuid=UUID, request=request(item(one))))
    assert taken.spaces[one[-1].path] == Spaces(booked=1)
    late = Book(caller=BOB, uuid=UUID, request=request(item(one))).decide(taken)
    assert order_of(late.reply).has_errors


@pytest.mark.spec("OB-LEASE-10")
def test_a_lease_guarantees_its_price_while_it_lasts() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    dearer = replace(YOGA[0], offers=(offer(YOGA[0].path, price=Decimal("20.00")),))
    raised = evolve(leased, OpportunitySet(dearer))
    booking = Book(caller=ALICE, uuid=UUID, request=request(item(YOGA)))
    assert order_of(booking.decide(raised).reply).totals.price == Decimal("12.00")
    ended = replace(raised, now=NOW + LEASE, spaces={PATH: Spaces()})
    with pytest.raises(TotalPaymentDueMismatchError):
        booking.decide(ended)


@pytest.mark.spec("OB-LEASE-18")
def test_a_wrong_total_keeps_the_lease() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    with pytest.raises(TotalPaymentDueMismatchError):
        Book(caller=ALICE, uuid=UUID, request=request(item(YOGA), total_payment_due=Decimal(1))).decide(leased)
    assert leased.spaces[PATH] == Spaces(leased=1)


@pytest.mark.spec("OB-LEASE-19", "OB-OQD-01", "OB-OQD-02", "OB-OQD-03", "OB-C1-14")
def test_deleting_the_quote_releases_the_lease_every_time() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA)), Checkpoint.C1))
    released = after(leased, DeleteQuote(caller=ALICE, uuid=UUID))
    assert released.spaces[PATH] == Spaces()
    assert DeleteQuote(caller=ALICE, uuid=UUID).decide(released).changes == ()
    assert DeleteQuote(caller=BOB, uuid=UUID).decide(leased).changes == ()


@pytest.mark.spec("OB-LEASE-20")
def test_the_sweeper_removes_ended_quotes_and_republishes_their_opportunities() -> None:
    leased = after(situation(YOGA), quote(request(item(YOGA))))
    assert ExpireLeases().decide(leased).changes == ()
    ended = replace(leased, now=NOW + LEASE, spaces={PATH: Spaces()}, touched=frozenset())
    swept = after(ended, ExpireLeases())
    assert swept.records == {}
    assert swept.spaces[PATH] == Spaces()
    assert PATH in swept.touched


@pytest.mark.spec("OB-PRIV-02", "OB-LEASE-11")
def test_a_lease_keeps_no_personal_data() -> None:
    leased: Situation = after(situation(YOGA), quote(request(item(YOGA), payment=Payment(identifier="x"))))
    record = leased.records[OrderKey("alice", UUID)]
    assert record.order is None
    assert CUSTOMER["email"] not in str(record)
    assert record.lease_expires is not None
    assert record.lease_expires - NOW == timedelta(minutes=15)


@pytest.mark.spec("OB-OQD-01")
def test_a_deletion_keeps_the_quote_of_a_uuid_that_has_used_up_its_hold_time() -> None:
    """Without the quote, the same UUID could hold the spaces again."""
    bounds = HoldingBounds(quote_duration=timedelta(minutes=1))
    policy = Policy(leasing=Leasing.ANONYMOUS, bounds=bounds)
    leased = after(situation(YOGA, policy=policy), quote(request(item(YOGA))))
    spent = replace(leased, now=NOW + timedelta(minutes=1))
    assert DeleteQuote(caller=ALICE, uuid=UUID).decide(spent).changes == ()
    swept = after(spent, ExpireLeases())
    for where in (swept, replace(swept, now=NOW + timedelta(days=9))):
        assert where.records
        assert DeleteQuote(caller=ALICE, uuid=UUID).decide(where).changes == ()


def test_a_new_lease_after_the_end_of_the_last_one_begins_a_new_hold_time() -> None:
    asked = quote(request(item(YOGA)))
    leased = after(situation(YOGA), asked)
    for minutes, since in ((LEASE / 2, NOW), (2 * LEASE, NOW + 2 * LEASE)):
        lease = after(replace(leased, now=NOW + minutes), asked).records[asked.key].lease
        assert lease is not None
        assert lease.since == since


def test_the_sweeper_returns_the_number_of_changed_records() -> None:
    leased = situation(YOGA)
    for caller in (ALICE, BOB):
        leased = after(leased, quote(request(item(YOGA)), caller=caller))
    assert ExpireLeases().decide(leased).reply == 0
    assert ExpireLeases().decide(replace(leased, now=NOW + LEASE)).reply == 2


def test_the_sweeper_ends_the_hold_of_a_proposal_that_still_lives() -> None:
    where = proposed(session("trip", offered={"flow": APPROVAL}))
    record = record_in(where)
    assert record.lease_expires is not None
    assert record.ends == record.lease_expires
    swept = after(replace(where, now=record.lease_expires), ExpireLeases())
    stamp = Stamp(SWEEPER, record.lease_expires)
    assert record_in(swept) == replace(record, lease_expires=None, changed=stamp)


@pytest.mark.parametrize("policy", [Policy(leasing=Leasing.OFF), Policy(leasing=Leasing.ANONYMOUS)])
def test_a_quote_within_the_bounds_names_no_bound(policy: Policy) -> None:
    assert order_of(quote(request(item(YOGA))).decide(situation(YOGA, policy=policy)).reply).not_held is None


@pytest.mark.spec("OB-APP-28", "OB-APP-26", "OB-LEASE-20")
@pytest.mark.parametrize("commands", [(), (ACCEPT,), (amend(),)], ids=["awaiting", "accepted", "amended"])
def test_an_ended_proposal_is_rejected_on_behalf_of_the_seller(
    commands: tuple[Command[Any], ...],
) -> None:
    where = having(proposed(), *commands)
    assert ExpireLeases().decide(where).changes == ()
    ended = replace(where, now=NOW + POLICY.proposal_duration)
    swept = after(ended, ExpireLeases())
    proposal = standing(swept)
    assert (proposal.status, proposal.version) == (SELLER_REJECTED, standing(where).version)
    assert proposal.seller_note
    assert record_in(swept).claims() == ()
    assert record_in(where).wanted().keys() <= swept.touched
