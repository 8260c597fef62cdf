"""The choices of the forms of a timetable that depend on the other entries."""

from collections.abc import Mapping

from openbooking.booking.model.timetable import Course, EntryKey, Event, Facility, TimetableEntry, Venue, WeeklyClass

Timetable = Mapping[EntryKey, TimetableEntry]


def choices_of(timetable: Timetable) -> Mapping[str, Mapping[str, str]]:
    """Return the labels of the venues, entries and courts of a timetable, by the names of the fields that name them."""
    present = sorted(
        (each for each in timetable.values() if not each.ended), key=lambda each: each.rule.name.casefold()
    )
    return {
        "venue": {each.key: each.rule.name for each in present if isinstance(each.rule, Venue)},
        "entry": {
            each.key: each.rule.name
            for each in present
            if isinstance(each.rule, WeeklyClass | Facility | Event | Course)
        },
        "court": _courts(present),
    }


def _courts(entries: list[TimetableEntry]) -> dict[str, str]:
    """Return the labels of all courts by their keys. Courts of several facilities can have the same key."""
    labels: dict[str, str] = {}
    for entry in entries:
        for court in entry.rule.courts if isinstance(entry.rule, Facility) else ():
            label = f"{court.name}, {entry.rule.name}"
            labels[court.key] = f"{labels[court.key]}; {label}" if court.key in labels else label
    return labels
