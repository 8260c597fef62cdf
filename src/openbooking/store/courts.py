"""Parts of statements that find the Slots that overlap others on their courts (`openbooking.booking.model.spaces`)."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, select

from openbooking.booking.rules.opportunities.capacity import LONGEST_SHARED_SLOT
from openbooking.store.schema import opportunity

_LONGEST: ColumnElement[int] = literal_column(str(LONGEST_SHARED_SLOT // timedelta(microseconds=1)))


def overlap(one: Any, other: Any) -> ColumnElement[bool]:
    """Return the condition that two times have a moment in common, on the same court.

    The condition on the two starts follows from the others. It lets the database read a part of the index only.

    Args:
        one: A table with the columns `court`, `court_from` and `court_until`.
        other: Another such table, which is searched.
    """
    return and_(
        other.c.court == one.c.court,
        other.c.court_from < one.c.court_until,
        other.c.court_from > one.c.court_from - _LONGEST,
        other.c.court_until > one.c.court_from,
    )


def with_overlapping(paths: Any, name: str, *, steps: int = 1) -> Any:
    """Return a table of paths, with the paths of the Slots that overlap these Slots on their courts.

    Args:
        paths: A query of paths.
        name: The name of the table.
        steps: 1 for the Slots that overlap; 2 for the Slots that overlap these, too.
    """
    found = select(paths.subquery(f"{name}_paths").c[0].label("path")).cte(f"{name}_0")
    for step in range(1, steps + 1):
        slot, other = opportunity.alias(f"{name}_slot_{step}"), opportunity.alias(f"{name}_other_{step}")
        known = found.join(slot, (slot.c.path == found.c.path) & slot.c.court.is_not(None))
        overlapping = select(other.c.path).select_from(known.join(other, overlap(slot, other)))
        found = select(found.c.path).union(overlapping).cte(f"{name}_{step}")
    return found
