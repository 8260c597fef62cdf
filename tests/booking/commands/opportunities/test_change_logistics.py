"""The Seller changes the name, time or location of an Opportunity (OB-NOTIF-06, AMB-19)."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.model.errors import UnacceptableLogisticsError
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.matching_keys import set_matching_keys
from openbooking.openactive.errors import NotFoundError
from support.builders import (
    NOW,
    after,
    on_demand_event,
    situation,
    slot,
)
from support.changed_logistics import (
    BOBS,
    COURSE,
    COURT,
    DATED,
    ELSEWHERE,
    FESTIVAL,
    HALL,
    KEY,
    RUN,
    SPIN,
    TALK,
    TOMORROW,
    YOGA,
    booked,
    change,
    later,
    moved,
)
from support.parties import MANAGER


@pytest.mark.spec("OB-NOTIF-04", "OB-NOTIF-05", "OB-NOTIF-06", "OB-OF-07", "OB-SEL-05")
@DATED
def test_a_new_time_is_published_and_shown_in_every_order(family: list[Opportunity]) -> None:
    other = SPIN if family is YOGA else YOGA
    before = booked(family, other)
    where = after(before, change(family, **later(family)))
    assert where.opportunities[family[-1].path] == replace(family[-1], **later(family))
    for key in (KEY, BOBS):
        (now, state), untouched = where.records[key].items()
        was, _ = before.records[key].items()[0]
        assert now.opportunity == replace(family[-1], offers=(), **later(family))
        assert replace(now, opportunity=was.opportunity) == was
        assert state.customer_notice is None
        assert untouched == before.records[key].items()[1]
        assert (moved(where, key), where.records[key].updated) == ([True, False], True)
    assert where.spaces == before.spaces


@pytest.mark.spec("OB-NOTIF-04", "OB-NOTIF-06")
@pytest.mark.parametrize(
    "changes", [{"name": "Tango"}, {"location": ELSEWHERE}, {"name": "Tango", "location": ELSEWHERE}]
)
@pytest.mark.parametrize(
    ("family", "described"),
    [(YOGA, 1), (HALL, 0), (COURT, 1), (RUN, 0), (FESTIVAL, 0), (COURSE, 0), (TALK, 1)],
    ids=lambda value: value[-1].path if isinstance(value, list) else "",
)
def test_a_slot_has_the_name_and_location_of_its_facility_and_a_time_of_its_own(
    family: list[Opportunity], described: int, changes: dict[str, Any]
) -> None:
    where = after(booked(family), change(family, **changes))
    member = family[described]
    expected = set_matching_keys(replace(member, properties={**member.properties, **changes}))
    assert where.opportunities[member.path] == expected
    assert [one.path for one in family if where.opportunities[one.path] != one] == [member.path]
    ((found, _),) = where.records[KEY].items()
    assert found.opportunity is not None
    shown = {one.path: one for one in (found.opportunity, *found.parents)}
    assert shown[member.path] == replace(expected, offers=())


@pytest.mark.spec("OB-NOTIF-06", "OB-OF-02")
def test_a_change_of_a_facility_changes_the_orders_of_all_its_slots_and_no_others() -> None:
    second = slot("hall", individual=False, capacity=5, path="slots/hall-2")
    offers = (replace(second[-1].offers[0], owner="slots/hall-2"),)
    second = [*second[:-1], replace(second[-1], offers=offers)]
    where = after(booked(HALL, second, COURT), change(HALL, name="Tango"))
    assert moved(where) == moved(where, BOBS) == [True, True, False]
    timed = after(booked(HALL, second, COURT), change(HALL, **later(HALL)))
    assert moved(timed) == [True, False, False]


@pytest.mark.spec("OB-NOTIF-06", "OB-OF-02", "OB-OF-06")
@pytest.mark.parametrize("changes", [{}, {"name": "Yoga"}, {"start": YOGA[-1].start, "end": YOGA[-1].end}])
def test_a_decision_without_a_change_changes_no_order(changes: dict[str, Any]) -> None:
    named = [YOGA[0], replace(YOGA[1], properties={"name": "Yoga"})]
    assert change(named, **changes).decide(booked(named)).changes == ()


@pytest.mark.spec("OB-NOTIF-06")
@DATED
def test_start_or_end_can_change_alone(family: list[Opportunity]) -> None:
    times = later(family)
    longer = after(booked(family), change(family, end=times["end"])).opportunities[family[-1].path]
    assert (longer.start, longer.end) == (family[-1].start, times["end"])
    begins = NOW + timedelta(days=2, minutes=30)
    shorter = after(booked(family), change(family, start=begins)).opportunities[family[-1].path]
    assert (shorter.start, shorter.end) == (begins, family[-1].end)
    for impossible in ({"start": times["end"], "end": times["start"]}, {"end": NOW}, {"start": family[-1].end}):
        with pytest.raises(UnacceptableLogisticsError):
            change(family, **impossible).decide(booked(family))


@pytest.mark.parametrize("changes", [{"start": NOW, "end": NOW + TOMORROW}, {"location": ELSEWHERE}])
def test_an_opportunity_available_at_any_time_has_no_time_and_no_location_to_change(changes: dict[str, Any]) -> None:
    video = on_demand_event("video")
    with pytest.raises(UnacceptableLogisticsError):
        change(video, **changes).decide(booked(video))
    assert moved(after(booked(video), change(video, name="Tango"))) == [True]


def test_a_slot_without_a_facility_has_its_own_name_and_time() -> None:
    alone = situation([COURT[-1]])
    where = after(alone, change(COURT, name="Court 2", **later(COURT)))
    slot_ = where.opportunities[COURT[-1].path]
    assert (slot_.properties["name"], slot_.start) == ("Court 2", later(COURT)["start"])
    assert set(where.opportunities) == set(alone.opportunities)


@pytest.mark.parametrize("path", ["slots/none", "none"])
def test_an_unknown_opportunity_cannot_be_changed(path: str) -> None:
    with pytest.raises(NotFoundError):
        ChangeLogistics(opportunity=path, name="Tango", actor=MANAGER).decide(booked(YOGA))
