"""How items of each type are published: one row for each type, so that a further type is a further row."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

import msgspec

from openbooking.openactive.terms import OpportunityType

_SERIES, _SESSION = OpportunityType.SESSION_SERIES, OpportunityType.SCHEDULED_SESSION
_FACILITY, _INDIVIDUAL, _SLOT = (
    OpportunityType.FACILITY_USE,
    OpportunityType.INDIVIDUAL_FACILITY_USE,
    OpportunityType.SLOT,
)
_HEADLINE, _COURSE, _EVENT = (
    OpportunityType.HEADLINE_EVENT,
    OpportunityType.COURSE_INSTANCE,
    OpportunityType.EVENT,
)


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        parent: The property that names the parent.
        parents: The types that the parent may have.
        needs_parent: Whether it cannot be sold without one.
        children: The properties that embed other things, each with their type.
        has_parts: Whether it is sold as a whole. Of its embedded things those with an Offer are sold by themselves too.
        remaining: The property that says how many spaces are left.
        in_days: Whether it is published with dates without times, and keeps its `eventSchedule`.
        never: Properties that it cannot have.
        wanted: Properties that validators report as missing.
    """

    parent: str | None = None
    parents: tuple[OpportunityType, ...] = ()
    needs_parent: bool = False
    children: Mapping[str, OpportunityType] = {}
    has_parts: bool = False
    remaining: str | None = None
    in_days: bool = False
    never: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


_OF_EVENT = ("name", "url", "location", "activity")
_OF_FACILITY = ("name", "url", "location", "facilityType")
_SPACES = "remainingAttendeeCapacity"

KINDS: Mapping[OpportunityType, Kind] = {
    _SERIES: Kind(
        children={"subEvent": _SESSION}, never=("superEvent",), wanted=(*_OF_EVENT, "eventSchedule", "offers")
    ),
    _SESSION: Kind(
        parent="superEvent",
        parents=(_SERIES,),
        needs_parent=True,
        remaining=_SPACES,
        never=("eventSchedule", "subEvent"),
    ),
    _FACILITY: Kind(children={"individualFacilityUse": _INDIVIDUAL, "event": _SLOT}, wanted=_OF_FACILITY),
    _INDIVIDUAL: Kind(
        parent="aggregateFacilityUse", parents=(_FACILITY,), children={"event": _SLOT}, wanted=_OF_FACILITY
    ),
    _SLOT: Kind(
        parent="facilityUse",
        parents=(_FACILITY, _INDIVIDUAL),
        needs_parent=True,
        remaining="remainingUses",
        wanted=("duration", "offers"),
    ),
    _HEADLINE: Kind(
        children={"subEvent": _EVENT},
        has_parts=True,
        remaining=_SPACES,
        never=("superEvent", "eventSchedule"),
        wanted=_OF_EVENT,
    ),
    _COURSE: Kind(
        children={"subEvent": _EVENT},
        has_parts=True,
        remaining=_SPACES,
        in_days=True,
        never=("superEvent",),
        wanted=(*_OF_EVENT, "endDate", "eventSchedule", "offers"),
    ),
    _EVENT: Kind(
        parent="superEvent",
        parents=(_HEADLINE, _COURSE),
        remaining=_SPACES,
        never=("eventSchedule", "subEvent"),
        wanted=(*_OF_EVENT, "offers"),
    ),
    OpportunityType.ON_DEMAND_EVENT: Kind(
        never=("location", "eventSchedule", "subEvent"), wanted=("name", "url", "activity", "offers")
    ),
}

# Properties that join things, or change with bookings: they are rendered anew, never kept as they came.
LINKS = frozenset(
    name for kind in KINDS.values() for name in (kind.parent, kind.remaining, *kind.children) if name is not None
)

# Some feeds write the name of the feed before the type, as in `FacilityUse/Slot`.
_SEPARATOR = re.compile("[/.]")


def type_name(kind: str) -> str:
    """What an RPDE `kind` says of the type of its items."""
    return _SEPARATOR.split(kind)[-1]


def type_of_kind(kind: str) -> OpportunityType | None:
    """The type that an RPDE `kind` names, or None where it names none that is sold here."""
    with suppress(ValueError):
        return OpportunityType(type_name(kind))
    return None


@cache
def rank(type_: OpportunityType) -> int:
    """How many levels of parents a thing of this type may have; parents are published before their children."""
    return max((rank(parent) + 1 for parent in KINDS[type_].parents), default=0)
