"""The withdrawal of the Opportunities of a source, and of everything below them."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import RecordKind
from openbooking.booking.model.report import AffectedOrders, OpportunityReport
from openbooking.booking.model.spaces import Spaces
from support.builders import UUID, after, book, item, propose, quote, request, session, situation, slot
from support.parties import BOB, MANAGER
from support.proposals import KEY, SELLER_REJECTED, TRIP, having, places

FACILITY, COURT, SLOT = slot("court")
SERIES, YOGA = session("yoga")
FEED = "feed-1"
WITHDRAW = Withdraw(sources=frozenset({FEED}), actor=MANAGER)
BOBS = OrderKey("bob", UUID)


def published(*members: Any) -> list[Any]:
    """These Opportunities, from the source."""
    return [replace(member, source=FEED) for member in members]


def test_everything_below_an_opportunity_of_the_source_is_withdrawn() -> None:
    where = after(situation(published(FACILITY), [COURT, SLOT], [SERIES, YOGA]), WITHDRAW)
    assert where.opportunities.keys() == {SERIES.path, YOGA.path}


def test_a_withdrawal_keeps_the_given_paths() -> None:
    where = situation(published(SERIES, YOGA), published(*TRIP))
    kept = frozenset(member.path for member in TRIP)
    assert after(where, replace(WITHDRAW, keep=kept)).opportunities.keys() == kept


@pytest.mark.parametrize("changes", [{"sale": SaleState.UNPUBLISHED}, {"cancelled_here": True}])
def test_an_unpublished_or_cancelled_opportunity_stays_stored_without_its_parent(changes: dict[str, Any]) -> None:
    (member,) = published(replace(YOGA, **changes))
    where = after(situation(published(SERIES), [member]), WITHDRAW)
    assert where.opportunities == {YOGA.path: replace(member, parent=None, withdrawn=True)}


def test_a_quote_for_a_withdrawn_opportunity_ends_and_other_quotes_stay() -> None:
    others = quote(request(item(TRIP)), caller=BOB)
    where = having(situation(published(SERIES, YOGA), TRIP), others, quote(request(item([SERIES, YOGA]))))
    assert where.records.keys() == {BOBS, KEY}
    left = after(where, WITHDRAW)
    assert left.records.keys() == {BOBS}
    assert left.spaces[YOGA.path] == Spaces()


def test_an_order_stays_unless_orders_are_deleted_too() -> None:
    booked = after(situation(published(SERIES, YOGA)), book(request(item([SERIES, YOGA]))))
    assert after(booked, WITHDRAW).records == booked.records
    deleted = after(booked, replace(WITHDRAW, orders=True)).records[KEY]
    assert (deleted.kind, deleted.order) == (RecordKind.DELETED, None)


def test_the_reply_reports_the_orders_and_proposals_of_each_opportunity() -> None:
    where = having(
        situation(published(SERIES, YOGA), published(*TRIP)),
        book(request(item([SERIES, YOGA]))),
        propose(places(TRIP), caller=BOB),
    )
    reports = WITHDRAW.decide(where).reply
    known = where.opportunities
    assert reports == {
        SERIES.path: OpportunityReport(opportunity=known[SERIES.path]),
        YOGA.path: OpportunityReport(opportunity=known[YOGA.path], orders=AffectedOrders(kept=frozenset({KEY}))),
        TRIP[0].path: OpportunityReport(opportunity=known[TRIP[0].path]),
        TRIP[1].path: OpportunityReport(
            opportunity=known[TRIP[1].path], orders=AffectedOrders(rejected=frozenset({BOBS}))
        ),
    }
    rejected = after(where, WITHDRAW).records[BOBS].proposal
    assert rejected is not None
    assert rejected.status is SELLER_REJECTED


def test_an_opportunity_that_was_withdrawn_before_is_not_reported() -> None:
    where = situation(published(SERIES, replace(YOGA, withdrawn=True)))
    assert WITHDRAW.decide(where).reply.keys() == {SERIES.path}
