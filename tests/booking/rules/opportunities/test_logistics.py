"""Published changes of name, time and location, and their effect on Orders (OB 8.4.9, AMB-19)."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify
from openbooking.booking.model.opportunity import Inherited, Opportunity, SaleState
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.opportunities.logistics import changed_paths
from openbooking.openactive.terms import EventStatus, FlowRequirement
from support.builders import (
    BY_MANAGER,
    NOW,
    UUID,
    after,
    book,
    item,
    propose,
    request,
    session,
    situation,
)
from support.changed_logistics import (
    BOBS,
    COURT,
    DATED,
    ELSEWHERE,
    HALL,
    KEY,
    RUN,
    SPIN,
    TALK,
    YOGA,
    booked,
    change,
    later,
    moved,
)
from support.parties import ALICE, BOB, MANAGER
from support.proposals import having


@pytest.mark.spec("OB-NOTIF-06", "OB-CAN-17")
def test_a_cancelled_item_stays_and_a_replacement_changes() -> None:
    replacement = Replace(order=KEY, number=2, opportunity=SPIN[-1].path, offer=SPIN[0].offers[0].ref, actor=MANAGER)
    before = having(booked(YOGA, YOGA, known=(SPIN,)), Cancel(caller=ALICE, uuid=UUID, numbers=(1,)), replacement)
    assert after(before, change(YOGA, name="Tango")).records[KEY] == before.records[KEY]
    where = after(before, change(SPIN, name="Tango"))
    assert moved(where) == [False, True]


@pytest.mark.spec("OB-NOTIF-06")
def test_a_later_change_shows_the_earlier_one_too() -> None:
    where = having(
        booked(YOGA),
        change(YOGA, name="Tango"),
        change(YOGA, **later(YOGA)),
        Notify(order=KEY, notice="Bring shoes.", actor=MANAGER),
    )
    ((found, state),) = where.records[KEY].items()
    assert found.opportunity == replace(YOGA[1], properties={"name": "Tango"}, **later(YOGA))
    assert (state.logistics_changed, state.customer_notice) == (True, "Bring shoes.")


@pytest.mark.spec("OB-CAN-05")
def test_a_booking_can_be_cancelled_until_its_new_start() -> None:
    where = after(booked(YOGA), change(YOGA, **later(YOGA)))
    midday = replace(where, now=NOW + timedelta(days=2, hours=12))
    assert Cancel(caller=ALICE, uuid=UUID, numbers=(1,)).decide(midday).changes


@pytest.mark.spec("OB-APP-30")
def test_a_proposal_has_the_new_logistics_when_it_is_booked() -> None:
    trip = session("trip", offered={"flow": (FlowRequirement.APPROVAL,)})
    proposed = after(situation(trip), propose(request(item(trip))))
    assert after(proposed, change(trip, name="Tango")).records == proposed.records


@pytest.mark.spec("OB-NOTIF-06")
def test_a_part_of_an_event_shows_the_changed_event() -> None:
    where = booked(TALK)
    whole = after(where, ChangeLogistics(opportunity=TALK[0].path, name="Tango", actor=MANAGER))
    ((found, state),) = whole.records[KEY].items()
    assert (found.parents[0].properties["name"], state.logistics_changed) == ("Tango", True)
    assert TALK[-1].path in whole.touched


def published(family: list[Opportunity], number: int = -1, **changes: Any) -> Publish:
    """A publication of one member of the family, with changes or without."""
    member = family[number]
    times = {name: value for name, value in changes.items() if name in Opportunity.__struct_fields__}
    properties = {**member.properties, **{name: value for name, value in changes.items() if name not in times}}
    return Publish((replace(member, properties=properties, **times),), actor=MANAGER)


@pytest.mark.spec("OB-NOTIF-04", "OB-NOTIF-05", "OB-NOTIF-06", "OB-OF-07", "OB-SEL-05")
@DATED
def test_a_published_new_time_changes_orders_like_a_decision(family: list[Opportunity]) -> None:
    before = booked(family, SPIN if family is YOGA else YOGA)
    where = after(before, published(family, **later(family)))
    for key in (KEY, BOBS):
        (now, state), untouched = where.records[key].items()
        assert now.opportunity is not None
        assert {"start": now.opportunity.start, "end": now.opportunity.end} == later(family)
        assert state.customer_notice is None
        assert untouched == before.records[key].items()[1]
        assert (moved(where, key), where.records[key].updated) == ([True, False], True)
    assert where.spaces == before.spaces


@pytest.mark.spec("OB-NOTIF-04", "OB-NOTIF-06")
@pytest.mark.parametrize("changes", [{"name": "Tango"}, {"location": ELSEWHERE}])
@pytest.mark.parametrize(
    ("family", "described"),
    [(YOGA, 0), (YOGA, 1), (HALL, 0), (COURT, 0), (COURT, 1), (RUN, 0), (TALK, 0), (TALK, 1)],
    ids=lambda value: value[-1].path if isinstance(value, list) else "",
)
def test_a_published_name_or_location_changes_the_orders_for_the_opportunity_and_everything_below(
    family: list[Opportunity], described: int, changes: dict[str, Any]
) -> None:
    other = SPIN if family is YOGA else YOGA
    where = after(booked(family, other), published(family, described, **changes))
    for key in (KEY, BOBS):
        (found, _), _ = where.records[key].items()
        assert found.opportunity is not None
        shown = {one.path: one for one in (found.opportunity, *found.parents)}
        assert {name: shown[family[described].path].properties[name] for name in changes} == changes
        assert (moved(where, key), where.records[key].updated) == ([True, False], True)


@pytest.mark.spec("OB-NOTIF-06", "OB-OF-02", "OB-OF-06")
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"description": "For everybody."},
        {"access": None, "capacity": 7},
        {"offers": ()},
    ],
)
def test_a_publication_with_the_same_name_time_and_location_changes_no_order(
    number: int, changes: dict[str, Any]
) -> None:
    before = booked(YOGA, SPIN)
    where = after(before, published(YOGA, number, **changes))
    assert where.records == before.records


@pytest.mark.spec("OB-NOTIF-06")
def test_a_longer_series_changes_no_order() -> None:
    before = booked(YOGA)
    where = after(before, published(YOGA, 0, start=NOW, end=NOW + timedelta(days=90)))
    assert where.records == before.records


@pytest.mark.spec("OB-NOTIF-06", "OB-CAN-17")
def test_a_publication_does_not_change_a_cancelled_item() -> None:
    before = having(booked(YOGA, SPIN), Cancel(caller=ALICE, uuid=UUID, numbers=(1,)))
    where = after(before, published(YOGA, **later(YOGA)))
    assert where.records[KEY] == before.records[KEY]
    assert moved(where, BOBS) == [True, False]
    off = after(before, published(YOGA, status=EventStatus.CANCELLED, **later(YOGA)))
    assert off.records[KEY] == before.records[KEY]
    assert moved(off, BOBS) == [False, False]
    assert off.records[BOBS].states[0].status.cancelled


@pytest.mark.spec("OB-NOTIF-06")
def test_a_withdrawn_opportunity_published_again_changes_its_orders_if_it_differs() -> None:
    yoga = [replace(member, source="feed") for member in YOGA]
    withdrawn = after(booked(yoga, SPIN), Withdraw(sources=frozenset({"feed"}), actor=MANAGER))
    same = having(withdrawn, published(yoga, 0), published(yoga))
    assert same.records == withdrawn.records
    renamed = having(withdrawn, published(yoga, 0, name="Tango"))
    assert renamed.records == withdrawn.records
    assert moved(after(renamed, published(yoga))) == [True, False]


@pytest.mark.spec("OB-NOTIF-06")
def test_an_item_shows_the_name_of_the_new_series_of_its_session() -> None:
    tango = session("tango")[0]
    tango = replace(tango, properties={**tango.properties, "name": "Tango"})
    where = after(booked(YOGA, known=([tango],)), published(YOGA, parent=tango.path))
    ((found, state),) = where.records[KEY].items()
    assert ([parent.path for parent in found.parents], state.logistics_changed) == ([tango.path], True)


@pytest.mark.spec("OB-APP-30")
def test_a_proposal_has_the_published_logistics_when_it_is_booked() -> None:
    trip = session("trip", offered={"flow": (FlowRequirement.APPROVAL,)})
    proposed = after(situation(trip), propose(request(item(trip))))
    assert after(proposed, published(trip, **later(trip))).records == proposed.records


SERIES = YOGA[0]


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        (YOGA[1], {"start": NOW}),
        (YOGA[1], {"end": NOW}),
        (YOGA[1], {"parent": None}),
        (YOGA[1], {"inherited": Inherited(dates=True)}),
        (YOGA[1], {"sale": SaleState.OVER}),
        (YOGA[1], {"properties": {"name": "Tango"}}),
        (YOGA[1], {"properties": {"location": ELSEWHERE}}),
        (replace(YOGA[1], withdrawn=True), {"withdrawn": False}),
        (SERIES, {"status": EventStatus.CANCELLED}),
        (SERIES, {"start": NOW}),
        (SERIES, {"end": NOW}),
        (SERIES, {"offers": ()}),
        (SERIES, {"properties": {**SERIES.properties, "duration": "PT2H"}}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.type,
)
def test_an_opportunity_differs_by_what_orders_show_or_children_inherit(
    known: Opportunity, changes: dict[str, Any]
) -> None:
    new = replace(known, **changes)
    assert changed_paths({known.path: known}, [new]) == {known.path}
    assert changed_paths({new.path: new}, [new]) == set()


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        (YOGA[1], {"status": EventStatus.CANCELLED}),
        (YOGA[1], {"offers": SERIES.offers}),
        (YOGA[1], {"capacity": 3}),
        (YOGA[1], {"properties": {"duration": "PT2H"}}),
        (HALL[0], {"offers": SERIES.offers}),
        (SERIES, {"properties": {**SERIES.properties, "description": "For everybody."}}),
        (replace(YOGA[1], sale=SaleState.UNPUBLISHED), {"sale": SaleState.ON_SALE}),
        (replace(YOGA[1], inherited=Inherited(dates=True)), {"capacity": 3}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.type,
)
def test_an_opportunity_does_not_differ_by_anything_else(known: Opportunity, changes: dict[str, Any]) -> None:
    assert changed_paths({known.path: known}, [replace(known, **changes)]) == set()


def test_an_unknown_opportunity_differs() -> None:
    assert changed_paths({SERIES.path: SERIES}, [SERIES, YOGA[1]]) == {YOGA[1].path}


def test_an_order_whose_logistics_change_is_stamped() -> None:
    where = after(booked(YOGA), change(YOGA, name="Tango"))
    assert where.records[KEY].changed == BY_MANAGER
    ((_, state),) = where.records[KEY].items()
    assert state.changed == BY_MANAGER


def test_orders_change_even_if_a_proposal_was_stored_before_them() -> None:
    trip = session("trip", offered={"flow": (FlowRequirement.APPROVAL,)})
    where = having(situation(trip, YOGA), propose(request(item(trip))), book(request(item(YOGA)), BOB))
    assert moved(after(where, change(YOGA, name="Tango")), BOBS) == [True]


def test_an_order_that_is_too_large_already_may_change_without_growing() -> None:
    before = booked(YOGA)
    where = after(before, change(YOGA, name="Tango"))
    shrunk = replace(where, policy=Policy(max_order_bytes=10))
    assert moved(after(shrunk, change(YOGA, name="Yoga"))) == [True]
