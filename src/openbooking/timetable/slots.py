"""A facility as a FacilityUse with its IndividualFacilityUses, and the Slots of its opening hours."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import Court, EntryKey, Facility
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.identity import occurrence_path, path_of
from openbooking.timetable.offers import ChangedTerms, offers_of, prices_of_slot
from openbooking.timetable.properties import described
from openbooking.timetable.recurrence import LocalTime, open_times, slot_times
from openbooking.timetable.surroundings import Surroundings, Where
from openbooking.timetable.wall_clock import DateRange, TimeSpan, instant


def facility_uses(key: EntryKey, rule: Facility, around: Surroundings) -> Iterator[Opportunity]:
    """Yield a facility, and its courts."""
    whole = path_of(OpportunityType.FACILITY_USE, key)
    yield Opportunity(
        path=whole,
        type=OpportunityType.FACILITY_USE,
        seller=key.seller,
        source=key.source,
        properties=described(rule, around, concepts="facilityType"),
    )
    for court in rule.courts:
        yield Opportunity(
            path=path_of(OpportunityType.INDIVIDUAL_FACILITY_USE, key, court.key),
            type=OpportunityType.INDIVIDUAL_FACILITY_USE,
            seller=key.seller,
            parent=whole,
            source=key.source,
            properties={"name": court.name},
        )


def slots(key: EntryKey, rule: Facility, around: Surroundings, dates: DateRange) -> Iterator[Opportunity]:
    """Yield the Slots of a facility that start on these dates, each once."""
    terms = ChangedTerms(rule.changes, rule.single, around.zone)
    for court in rule.courts or (None,):
        yield from _CourtSlots(key, rule, around, court, terms).between(dates)


class _CourtSlots:
    """Makes the Slots of a court, or of a facility without courts.

    The Slots of a facility without courts share its uses with the Slots that overlap them. Slots of one length overlap,
    too, on the day on which clocks go forward.
    """

    def __init__(
        self, key: EntryKey, rule: Facility, around: Surroundings, court: Court | None, terms: ChangedTerms
    ) -> None:
        self._key, self._rule, self._around, self._terms = key, rule, around, terms
        self._court = court.key if court else ""
        self._hours = (court.hours if court else ()) or rule.hours
        type_ = OpportunityType.INDIVIDUAL_FACILITY_USE if court else OpportunityType.FACILITY_USE
        self._parent = path_of(type_, key, self._court)
        self._uses = 1 if court else rule.uses

    def between(self, dates: DateRange) -> Iterator[Opportunity]:
        """Yield the Slots that start on these dates, in the order of their starts."""
        wider, zone = dates.widened(), self._around.zone
        span = dates.span(zone)
        closed = self._around.closed_times(Where(self._rule.venue, self._key.key, self._court), wider)
        found: dict[TimeSpan, LocalTime] = {}
        for local, closes in self._local_times(wider):
            start = instant(local.start, zone)
            time = TimeSpan(start, start + timedelta(minutes=local.minutes))
            is_open = time.end <= closes and not any(map(time.overlaps, closed))
            if span.start <= start < span.end and is_open:
                found.setdefault(time, local)
        for time, local in sorted(found.items()):
            slot = self._slot(local, time)
            if slot.offers:
                yield slot

    def _local_times(self, dates: DateRange) -> Iterator[tuple[LocalTime, datetime]]:
        """Yield the times of the Slots, each with the instant at which the facility closes."""
        first, last = max(self._rule.first, dates.first), min(self._rule.last or dates.until, dates.until)
        for hours in open_times(self._hours, first, last):
            closes = instant(hours.closes, self._around.zone)
            for minutes in self._rule.lengths:
                for local in slot_times(hours, minutes, self._rule.step):
                    yield local, closes

    def _slot(self, local: LocalTime, time: TimeSpan) -> Opportunity:
        path = occurrence_path(OpportunityType.SLOT, self._key, time.start, local.minutes, self._court)
        changed = self._terms.at(local.start.date(), time.start, self._court)
        prices = changed.prices
        if prices is None:
            prices = prices_of_slot(self._rule.prices, local.start, local.minutes)
        return Opportunity(
            path=path,
            type=OpportunityType.SLOT,
            seller=self._key.seller,
            parent=self._parent,
            start=time.start,
            end=time.end,
            capacity=self._uses if changed.capacity is None else min(changed.capacity, self._uses),
            offers=offers_of(prices, path, prepayment=self._around.policy.prepayment),
            source=self._key.source,
            court=self._parent,
        )
