"""The reports of publishing and withdrawing: why an Opportunity cannot be booked, and the affected Orders."""

from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import ItemState
from openbooking.booking.model.report import AffectedOrders
from openbooking.booking.model.situation import Change, OpportunitySet, RecordSet, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.rules.opportunities.reports import affected_orders, why_not_bookable_now, withdrawal_report
from openbooking.openactive.terms import Availability, EventStatus
from support.builders import (
    NOW,
    UUID,
    after,
    book,
    item,
    new_uuid,
    offer,
    on_demand_event,
    order_record,
    propose,
    request,
    session,
    situation,
)
from support.parties import ALICE, BOB, MANAGER
from support.proposals import TRIP, having, places

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
def test_the_report_has_the_reason_why_an_opportunity_cannot_be_booked(
    family: list[Opportunity], spaces: Spaces, reason: str | None
) -> None:
    assert why_not_bookable_now(situation(family, spaces={PATH: spaces}), family[-1]) == reason


def test_one_offer_that_can_be_booked_is_enough() -> None:
    few, many = (replace(YOGA[0].offers[0], key=key, min_quantity=size) for key, size in (("few", 1), ("many", 9)))
    family = session(offers=(many, few))
    assert why_not_bookable_now(situation(family, spaces={PATH: Spaces(booked=9)}), family[-1]) is None


BOOKED = after(situation(YOGA, TRIP), book(request(item(YOGA))))
KEY = next(iter(BOOKED.records))


def reached(where: Situation, command: Any, *paths: str) -> dict[str, AffectedOrders]:
    return affected_orders(where, command.decide(where).changes, paths)


def test_an_order_is_reported_at_the_nearest_published_path() -> None:
    cancel = CancelOpportunity(opportunity=PATH, actor=MANAGER)
    assert reached(BOOKED, cancel, PATH, YOGA[0].path) == {PATH: AffectedOrders(cancelled=frozenset({KEY}))}
    rename = ChangeLogistics(opportunity=YOGA[0].path, name="Tango", actor=MANAGER)
    assert reached(BOOKED, rename, YOGA[0].path) == {YOGA[0].path: AffectedOrders(changed=frozenset({KEY}))}
    assert reached(BOOKED, rename, TRIP[-1].path) == {}


def test_a_rejected_proposal_is_reported_once() -> None:
    command = propose(places(TRIP), caller=BOB, uuid=new_uuid())
    where = after(BOOKED, command)
    reject = DecideProposal(order=command.key, accept=False, actor=MANAGER)
    rejected = AffectedOrders(rejected=frozenset({command.key}))
    assert reached(where, reject, TRIP[-1].path) == {TRIP[-1].path: rejected}
    assert (
        reached(after(where, reject), CancelOpportunity(opportunity=TRIP[-1].path, actor=MANAGER), TRIP[-1].path) == {}
    )
    assert reached(where, replace(reject, accept=True), TRIP[-1].path) == {}


def test_a_withdrawal_reports_the_orders_that_stay() -> None:
    report = withdrawal_report(BOOKED, PATH)
    assert (report.opportunity, report.why_not) == (BOOKED.opportunities[PATH], None)
    assert report.orders == AffectedOrders(kept=frozenset({KEY}))
    assert withdrawal_report(BOOKED, TRIP[-1].path).orders == AffectedOrders()


def test_an_opportunity_without_sold_spaces_can_be_booked() -> None:
    assert why_not_bookable_now(replace(situation(YOGA), spaces={}), YOGA[-1]) is None


def test_an_opportunity_without_a_capacity_has_enough_spaces_for_every_offer() -> None:
    video = on_demand_event(offers=(replace(offer("on-demand-events/v1"), min_quantity=3),))
    assert why_not_bookable_now(situation(video), video[-1]) is None


def test_the_first_reason_is_reported_if_no_offer_can_be_booked() -> None:
    ended = offer(YOGA[0].path, "ended", valid_through=NOW)
    closed = offer(YOGA[0].path, "closed", in_advance=Availability.UNAVAILABLE)
    for offers, reason in (
        ((ended, closed), "The Offer is not valid any more."),
        ((closed, ended), "The Offer cannot be booked in advance."),
    ):
        family = session(offers=offers)
        assert why_not_bookable_now(situation(family), family[-1]) == reason


def test_an_offer_that_cannot_be_booked_does_not_count_for_the_quantity() -> None:
    ended = offer(YOGA[0].path, "ended", valid_through=NOW)
    group = offer(YOGA[0].path, "group", min_quantity=3)
    family = session(offers=(ended, group), capacity=2)
    reason = "The Offer is for 3 spaces or more of one Opportunity in one Order, not 2."
    assert why_not_bookable_now(situation(family), family[-1]) == reason


def test_a_new_order_and_a_new_proposal_are_not_reported() -> None:
    where = situation(YOGA, TRIP)
    assert reached(where, book(request(item(YOGA))), PATH) == {}
    assert reached(where, propose(places(TRIP)), TRIP[-1].path) == {}


def test_a_deleted_order_is_not_reported() -> None:
    assert reached(BOOKED, DeleteOrder(caller=ALICE, uuid=UUID), PATH) == {}


def test_a_proposal_that_was_rejected_before_is_not_reported_as_rejected() -> None:
    command = propose(places(TRIP))
    where = having(situation(TRIP), command, DecideProposal(order=command.key, accept=False, actor=MANAGER))
    changes = [RecordSet(command.key, where.records[command.key])]
    assert affected_orders(where, changes, [TRIP[-1].path]) == {}


def test_an_item_that_the_order_did_not_have_is_not_reported() -> None:
    record = order_record(BOOKED)
    first = record.order.items[0]
    longer = replace(
        record,
        order=replace(record.order, items=(first, replace(first, number=2))),
        states=(*record.states, ItemState()),
    )
    assert affected_orders(BOOKED, [RecordSet(KEY, longer)], [PATH]) == {}


def test_a_removed_record_and_a_changed_opportunity_affect_no_order() -> None:
    changes: list[Change] = [RecordSet(KEY, None), OpportunitySet(YOGA[-1])]
    assert affected_orders(BOOKED, changes, [PATH]) == {}


def test_a_withdrawal_report_keeps_the_other_affected_orders() -> None:
    others = AffectedOrders(cancelled=frozenset({OrderKey("bob", "1")}))
    report = withdrawal_report(BOOKED, PATH, others)
    assert report.orders == AffectedOrders(cancelled=others.cancelled, kept=frozenset({KEY}))


def test_the_children_of_a_path_count_for_their_nearest_published_parent() -> None:
    cancel = CancelOpportunity(opportunity=PATH, actor=MANAGER)
    assert reached(BOOKED, cancel, YOGA[0].path, TRIP[-1].path) == {
        YOGA[0].path: AffectedOrders(cancelled=frozenset({KEY}))
    }
