"""The check of all entries of a timetable, as it will be after a change of several of them."""

from collections.abc import Mapping

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import TimetableEntry, TimetableRule
from openbooking.timetable.check import check
from openbooking.timetable.checking.faults import Fault
from openbooking.timetable.surroundings import site_of

_CHECK = Actor(ActorKind.SYSTEM, "timetable check")


def check_whole(seller: Seller, rules: Mapping[str, TimetableRule]) -> dict[str, tuple[Fault, ...]]:
    """Return the faults of the entries that have faults, by key.

    Args:
        seller: The Seller.
        rules: All rules of the timetable, by key.
    """
    entries = [TimetableEntry(seller=seller.key, key=key, rule=rule, changed_by=_CHECK) for key, rule in rules.items()]
    found = {entry.key: check(entry, entries, site_of(seller)) for entry in entries}
    return {key: faults for key, faults in found.items() if faults}


def new_faults(
    seller: Seller, before: Mapping[str, TimetableRule], after: Mapping[str, TimetableRule]
) -> dict[str, tuple[Fault, ...]]:
    """Return the faults that entries have after a change and have not had before, by key."""
    known = check_whole(seller, before)
    faults = {
        key: tuple(fault for fault in found if fault not in known.get(key, ()))
        for key, found in check_whole(seller, after).items()
    }
    return {key: found for key, found in faults.items() if found}
