"""The rows with which a page shows the effect of a changed entry."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from openbooking.back_office.descriptions import opportunity_name
from openbooking.back_office.plans.timetable_effects import TimetableEffect
from openbooking.booking.model.opportunity import Opportunity
from openbooking.web.console.addresses import OpportunityPage

# How many rows each list of the page shows at most.
MOST_ROWS = 100
_FIELDS = {
    "capacity": "spaces",
    "offers": "prices",
    "properties": "name, place or other details",
    "start": "time",
    "end": "time",
    "court": "court",
    "parent": "court",
    "type": "kind",
}


class EffectRow(NamedTuple):
    """An Opportunity that is added, changed or removed.

    Attributes:
        opportunity: The Opportunity.
        name: Its name.
        path: The path of its register.
        booked: How many of its spaces are booked.
        what: What changes, in words.
    """

    opportunity: Opportunity
    name: str
    path: str
    booked: int
    what: str = ""


def effect_values(effect: TimetableEffect) -> dict[str, Any]:
    """Return the values with which the page shows an effect: the numbers, and the rows as far as they fit."""
    changed = [change for each in effect.entries for change in each.changes.changed]
    named = {each.entry.source: each.entry.rule.name for each in effect.entries}
    changes = {change.after.path: _what(change.fields) for change in changed}
    removed = _rows(effect.removed, effect, named)
    altered = [
        row._replace(what=changes[row.opportunity.path])
        for row in _rows((change.after for change in changed), effect, named)
    ]
    return {
        "added": _rows(effect.added, effect, named)[:MOST_ROWS],
        "added_count": len(effect.added),
        "changed": altered[:MOST_ROWS],
        "changed_count": len(altered),
        "removed": [row for row in removed if not row.booked][:MOST_ROWS],
        "removed_count": sum(not row.booked for row in removed),
        "cancelled": [row for row in removed if row.booked],
    }


def _rows(opportunities: Iterable[Opportunity], effect: TimetableEffect, named: dict[str, str]) -> list[EffectRow]:
    """Return rows, those with bookings first."""
    rows = [
        EffectRow(
            opportunity=each,
            name=named.get(each.source) or opportunity_name(each, ()),
            path=OpportunityPage.REGISTER.path(each.path),
            booked=effect.booked.get(each.path, 0),
        )
        for each in opportunities
    ]
    return sorted(rows, key=lambda row: not row.booked)


def _what(fields: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(_FIELDS[field] for field in fields))
