"""Why an Opportunity cannot be booked, and which Orders a command changes, as publishing and withdrawing report it."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.change_logistics import ChangeLogistics
from openbooking.booking.commands.decide_proposal import DecideProposal
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.report import OrdersReached
from openbooking.booking.model.situation import Situation, Spaces
from openbooking.booking.rules.reports import orders_reached, why_not_bookable_now, withdrawal_report
from openbooking.openactive.terms import EventStatus
from support.builders import after, book, item, new_uuid, propose, request, session, situation
from support.parties import BOB, MANAGER
from support.proposals import TRIP, places

YOGA = session()
PATH = YOGA[-1].path


@pytest.mark.parametrize(
    ("family", "spaces", "reason"),
    [
        (YOGA, Spaces(), None),
        (YOGA, Spaces(booked=4, leased=5), None),
        (YOGA, Spaces(booked=4, leased=6), "It has no spaces left: 4 are booked and 6 are leased here."),
        (session(capacity=0), Spaces(), "It has no spaces left."),
        (session(offers=()), Spaces(), "It has no Offer that can be booked."),
        (session(status=EventStatus.CANCELLED), Spaces(), "The Opportunity is cancelled or postponed."),
        (session(offered={"min_quantity": 3}), Spaces(booked=7), None),
        (
            session(offered={"min_quantity": 3}),
            Spaces(booked=8),
            "The Offer is for 3 spaces or more of one Opportunity in one Order, not 2.",
        ),
        (session(offered={"max_quantity": 2}), Spaces(), None),
    ],
)
def test_an_opportunity_that_nobody_can_book_has_a_reason(
    family: list[Opportunity], spaces: Spaces, reason: str | None
) -> None:
    assert why_not_bookable_now(situation(family, spaces={PATH: spaces}), family[-1]) == reason


def test_one_offer_that_can_be_booked_is_enough() -> None:
    few, many = (replace(YOGA[0].offers[0], key=key, min_quantity=size) for key, size in (("few", 1), ("many", 9)))
    family = session(offers=(many, few))
    assert why_not_bookable_now(situation(family, spaces={PATH: Spaces(booked=9)}), family[-1]) is None


BOOKED = after(situation(YOGA, TRIP), book(request(item(YOGA))))
KEY = next(iter(BOOKED.records))


def reached(where: Situation, command: Any, *paths: str) -> dict[str, OrdersReached]:
    return orders_reached(where, command.decide(where).changes, paths)


def test_an_order_counts_as_cancelled_or_changed_at_the_nearest_published_path() -> None:
    cancel = CancelOpportunity(opportunity=PATH, actor=MANAGER)
    assert reached(BOOKED, cancel, PATH, YOGA[0].path) == {PATH: OrdersReached(cancelled=frozenset({KEY}))}
    rename = ChangeLogistics(opportunity=YOGA[0].path, name="Tango", actor=MANAGER)
    assert reached(BOOKED, rename, YOGA[0].path) == {YOGA[0].path: OrdersReached(changed=frozenset({KEY}))}
    assert reached(BOOKED, rename, TRIP[-1].path) == {}


def test_a_proposal_counts_once_as_rejected() -> None:
    command = propose(places(TRIP), caller=BOB, uuid=new_uuid())
    where = after(BOOKED, command)
    reject = DecideProposal(order=command.key, accept=False, actor=MANAGER)
    rejected = OrdersReached(rejected=frozenset({command.key}))
    assert reached(where, reject, TRIP[-1].path) == {TRIP[-1].path: rejected}
    assert (
        reached(after(where, reject), CancelOpportunity(opportunity=TRIP[-1].path, actor=MANAGER), TRIP[-1].path) == {}
    )
    assert reached(where, replace(reject, accept=True), TRIP[-1].path) == {}


def test_a_withdrawal_reports_the_orders_that_stay() -> None:
    report = withdrawal_report(BOOKED, PATH)
    assert (report.opportunity, report.why_not) == (BOOKED.opportunities[PATH], None)
    assert report.orders == OrdersReached(kept=frozenset({KEY}))
    assert withdrawal_report(BOOKED, TRIP[-1].path).orders == OrdersReached()
