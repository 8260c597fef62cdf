"""The properties that a published child inherits from its parent (MOD "Parent-child relationships between Events").

The functions work on published JSON-LD, with the property names of OpenActive's context.

A child inherits each property that it does not have itself (OB-BKBL-32). A child does not inherit:

- `@context`, `@type`, `@id`, `url`, `identifier` and `eventSchedule` (OB-BKBL-32);
- the properties that link parents and children, such as `superEvent` and `subEvent`;
- the number of spaces left, which each child states for itself;
- `offers`, unless the child is a session of a series (OB-BKBL-31);
- `startDate`, `endDate` and `duration`, with two exceptions. A child with a start and no end inherits the `duration`.
  If a part of an event has no start, the part inherits all three: it takes place when the event does.
"""

from collections.abc import Mapping
from typing import Any

from openbooking.openactive.opportunity_row import Dates
from openbooking.openactive.opportunity_types import (
    CHILD_PROPERTIES,
    PARENT_PROPERTIES,
    REMAINING_PROPERTIES,
    OpportunityType,
)

DATES = frozenset({"startDate", "endDate", "duration"})

# Properties that link parents and children, and the properties that state the spaces left.
LINKS = PARENT_PROPERTIES | CHILD_PROPERTIES | REMAINING_PROPERTIES

_NEVER = LINKS | {"@context", "@type", "@id", "url", "identifier", "eventSchedule"}


def with_inherited(
    child: Mapping[str, Any], parent: Mapping[str, Any], type_: OpportunityType, parent_type: OpportunityType | None
) -> dict[str, Any]:
    """Return the properties of a child together with the properties that the child inherits from its parent.

    Args:
        child: The child as published.
        parent: The parent as published, together with the properties that the parent itself inherits.
        type_: The type of the child.
        parent_type: The type of the parent; None for an EventSeries, which has no Offers and no dates to inherit.
    """
    left_out = _NEVER | DATES if parent_type and type_.inherits_offers else _NEVER | DATES | {"offers"}
    inherited = {name: value for name, value in parent.items() if name not in left_out}
    return {**inherited, **_inherited_dates(child, parent, type_, parent_type), **child}


def inherits_dates(type_: OpportunityType, parent_type: OpportunityType) -> bool:
    """Return whether a child without a start takes place when its parent does.

    A parent that is dated in days, without times, gives no dates.

    Args:
        type_: The type of the child.
        parent_type: The type of the parent.
    """
    link = type_.row.parent
    return link is not None and link.gives_dates and parent_type.row.dates is Dates.TIMES


def _inherited_dates(
    child: Mapping[str, Any], parent: Mapping[str, Any], type_: OpportunityType, parent_type: OpportunityType | None
) -> dict[str, Any]:
    if parent_type is None:
        return {}
    if "startDate" not in child:
        names = DATES if inherits_dates(type_, parent_type) else frozenset()
    else:
        names = frozenset() if "endDate" in child else frozenset({"duration"})
    return {name: value for name, value in parent.items() if name in names}
