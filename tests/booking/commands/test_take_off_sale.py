"""An import takes Opportunities off sale whose latest version it does not understand."""

from typing import Any

from msgspec.structs import replace

from openbooking.booking.commands.take_off_sale import TakeOffSale
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.report import OpportunityReport, OrdersReached
from openbooking.booking.model.situation import OpportunitySet
from support.builders import after, book, item, request, session, situation
from support.parties import MANAGER
from support.proposals import KEY


def of(source: str, key: str, **changes: Any) -> list[Opportunity]:
    """A session and its series from this source."""
    return [replace(member, source=source, **changes) for member in session(key)]


YOGA, PILATES, OTHER = of("feed-1", "yoga"), of("feed-2", "pilates"), of("feed-3", "other")
TAKE_OFF = TakeOffSale(sources=frozenset({"feed-1", "feed-2"}), keep=frozenset({PILATES[0].path}), actor=MANAGER)


def test_the_opportunities_of_the_sources_go_off_sale_but_for_those_to_keep() -> None:
    where = after(situation(YOGA, PILATES, OTHER), TAKE_OFF)
    off = {path for path, member in where.opportunities.items() if member.sale is SaleState.NOT_UNDERSTOOD}
    assert off == {YOGA[0].path, YOGA[1].path, PILATES[1].path}


def test_the_report_names_the_orders_that_stay() -> None:
    booked = after(situation(YOGA, PILATES), book(request(item(YOGA))))
    reports = TAKE_OFF.decide(booked).reply
    assert reports.keys() == {YOGA[0].path, YOGA[1].path, PILATES[1].path}
    assert reports[YOGA[1].path] == OpportunityReport(opportunity=YOGA[1], orders=OrdersReached(kept=frozenset({KEY})))
    assert reports[PILATES[1].path] == OpportunityReport(opportunity=PILATES[1])


def test_an_unpublished_opportunity_stays_unpublished_and_is_not_reported() -> None:
    family = of("feed-1", "yoga", sale=SaleState.UNPUBLISHED)
    decision = TAKE_OFF.decide(situation(family))
    assert decision.reply == {}
    marked = [replace(family[1], not_understood=True), replace(family[0], not_understood=True)]
    assert decision.changes == tuple(map(OpportunitySet, marked))


def test_a_withdrawn_opportunity_and_one_that_is_off_sale_already_do_not_change() -> None:
    families = of("feed-1", "yoga", withdrawn=True), of("feed-1", "pilates", sale=SaleState.NOT_UNDERSTOOD)
    decision = TAKE_OFF.decide(situation(*families))
    assert (decision.reply, decision.changes) == ({}, ())
