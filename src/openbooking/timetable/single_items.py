"""Single events, courses and on-demand items as Opportunities."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import Course, EntryKey, Event, OnDemandItem
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import path_of
from openbooking.timetable.offers import offers_of
from openbooking.timetable.properties import described, part, schedules
from openbooking.timetable.recurrence import weekly_times
from openbooking.timetable.surroundings import Surroundings, Where
from openbooking.timetable.wall_clock import DateRange, TimeSpan, instant

# How long after its first date a course ends at the latest.
LONGEST_COURSE = timedelta(days=3 * 366)


def event(key: EntryKey, rule: Event, around: Surroundings) -> Iterator[Opportunity]:
    """Yield an event, unless its place is closed. It takes place on bank holidays, because its date was chosen."""
    path, start = path_of(OpportunityType.EVENT, key), instant(rule.start, around.zone)
    time = TimeSpan(start, start + timedelta(minutes=rule.minutes))
    dates = DateRange(rule.start.date(), time.end.date() + timedelta(days=1)).widened()
    closed = around.closed_times(Where(rule.venue, key.key), dates, bank_holidays=False)
    if not any(map(time.overlaps, closed)):
        yield Opportunity(
            path=path,
            type=OpportunityType.EVENT,
            seller=key.seller,
            start=time.start,
            end=time.end,
            capacity=rule.capacity,
            offers=offers_of(rule.prices, path, prepayment=around.policy.prepayment),
            source=key.source,
            properties=described(rule, around),
        )


def course(key: EntryKey, rule: Course, around: Surroundings) -> Iterator[Opportunity]:
    """Yield a course, unless it has no date."""
    path, times = path_of(OpportunityType.COURSE_INSTANCE, key), tuple(_course_times(key, rule, around))
    if not times:
        return
    ends = times[-1].end.astimezone(around.zone).date()
    yield Opportunity(
        path=path,
        type=OpportunityType.COURSE_INSTANCE,
        seller=key.seller,
        start=times[0].start,
        end=times[-1].end,
        capacity=rule.capacity,
        offers=offers_of(rule.prices, path, prepayment=around.policy.prepayment),
        source=key.source,
        properties={
            **described(rule, around),
            "eventSchedule": schedules(rule.times, around.zone, rule.first, ends),
            "subEvent": [part(time) for time in times],
        },
    )


def on_demand_item(key: EntryKey, rule: OnDemandItem, around: Surroundings) -> Opportunity:
    """Return an on-demand item."""
    path = path_of(OpportunityType.ON_DEMAND_EVENT, key)
    return Opportunity(
        path=path,
        type=OpportunityType.ON_DEMAND_EVENT,
        seller=key.seller,
        offers=offers_of(rule.prices, path, prepayment=around.policy.prepayment),
        source=key.source,
        properties=described(rule, around),
    )


def _course_times(key: EntryKey, rule: Course, around: Surroundings) -> Iterator[TimeSpan]:
    """Yield the times of a course. It ends later if it does not take place on some dates."""
    last = rule.first + LONGEST_COURSE
    closed = around.closed_times(Where(rule.venue, key.key), DateRange(rule.first, last).widened())
    starts = (local for local in weekly_times(rule.times, rule.first, last) if local.start.date() not in rule.without)
    instants = ((instant(local.start, around.zone), timedelta(minutes=local.minutes)) for local in starts)
    times = (TimeSpan(start, start + length) for start, length in instants)
    yield from islice((time for time in times if not any(map(time.overlaps, closed))), rule.dates)
