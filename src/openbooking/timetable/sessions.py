"""A weekly class as a SessionSeries with a ScheduledSession for each date."""

from collections.abc import Iterator
from datetime import timedelta

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import EntryKey, WeeklyClass
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import occurrence_path, path_of
from openbooking.timetable.offers import ChangedTerms, offers_of
from openbooking.timetable.properties import described, schedules
from openbooking.timetable.recurrence import LocalTime, weekly_times
from openbooking.timetable.surroundings import Surroundings, Where
from openbooking.timetable.wall_clock import DateRange, TimeSpan, instant


def series(key: EntryKey, rule: WeeklyClass, around: Surroundings) -> Opportunity:
    """Return the series of a class."""
    path = path_of(OpportunityType.SESSION_SERIES, key)
    properties = described(rule, around)
    return Opportunity(
        path=path,
        type=OpportunityType.SESSION_SERIES,
        seller=key.seller,
        offers=offers_of(rule.prices, path, prepayment=around.policy.prepayment),
        source=key.source,
        properties={**properties, "eventSchedule": schedules(rule.times, around.zone, rule.first, rule.last)},
    )


def sessions(key: EntryKey, rule: WeeklyClass, around: Surroundings, dates: DateRange) -> Iterator[Opportunity]:
    """Yield the sessions of a class that start on these dates, each once."""
    wider = dates.widened()
    first, last = max(rule.first, wider.first), min(rule.last or wider.until, wider.until)
    span, closed = dates.span(around.zone), around.closed_times(Where(rule.venue, key.key), wider)
    terms = ChangedTerms(rule.changes, rule.single, around.zone)
    seen: set[tuple[object, int]] = set()
    for local in weekly_times(rule.times, first, last):
        start = instant(local.start, around.zone)
        time = TimeSpan(start, start + timedelta(minutes=local.minutes))
        left_out = local.start.date() in rule.without or (start, local.minutes) in seen
        if left_out or not span.start <= start < span.end or any(map(time.overlaps, closed)):
            continue
        seen.add((start, local.minutes))
        yield _session(key, rule, around, local, time, terms)


def _session(  # noqa: PLR0913, PLR0917 - everything that a session depends on
    key: EntryKey, rule: WeeklyClass, around: Surroundings, local: LocalTime, time: TimeSpan, terms: ChangedTerms
) -> Opportunity:
    path = occurrence_path(OpportunityType.SCHEDULED_SESSION, key, time.start, local.minutes)
    changed = terms.at(local.start.date(), time.start)
    # A session without Offers of its own has those of its series.
    prices = () if changed.prices is None or changed.prices == rule.prices else changed.prices
    return Opportunity(
        path=path,
        type=OpportunityType.SCHEDULED_SESSION,
        seller=key.seller,
        parent=path_of(OpportunityType.SESSION_SERIES, key),
        start=time.start,
        end=time.end,
        capacity=rule.capacity if changed.capacity is None else changed.capacity,
        offers=offers_of(prices, path, prepayment=around.policy.prepayment),
        source=key.source,
    )
