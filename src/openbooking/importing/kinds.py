"""How items of each type are published: one row for each type, so that a further type is a further row."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

import msgspec

from openbooking.spec.terms import OpportunityType

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

    `parent` is the property that names the parent, of one of the types `parents`, and `children` are the properties
    that embed other things. Of a kind that is sold as a whole, `has_parts`, only those embedded things that have an
    Offer of their own are sold by themselves, and what they tell of it stays with the whole too. `remaining` is the
    property that tells the places left. What takes place `in_days` keeps its schedule. `never` are properties that
    it cannot have, and `wanted` those that validators miss.
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
_PLACES = "remainingAttendeeCapacity"

KINDS: Mapping[OpportunityType, Kind] = {
    _SERIES: Kind(
        children={"subEvent": _SESSION}, never=("superEvent",), wanted=(*_OF_EVENT, "eventSchedule", "offers")
    ),
    _SESSION: Kind(
        parent="superEvent",
        parents=(_SERIES,),
        needs_parent=True,
        remaining=_PLACES,
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
        remaining=_PLACES,
        never=("superEvent", "eventSchedule"),
        wanted=_OF_EVENT,
    ),
    _COURSE: Kind(
        children={"subEvent": _EVENT},
        has_parts=True,
        remaining=_PLACES,
        in_days=True,
        never=("superEvent",),
        wanted=(*_OF_EVENT, "endDate", "eventSchedule", "offers"),
    ),
    _EVENT: Kind(
        parent="superEvent",
        parents=(_HEADLINE, _COURSE),
        remaining=_PLACES,
        never=("eventSchedule", "subEvent"),
        wanted=(*_OF_EVENT, "offers"),
    ),
    OpportunityType.ON_DEMAND_EVENT: Kind(
        never=("location", "eventSchedule", "subEvent"), wanted=("name", "url", "activity", "offers")
    ),
}

# Properties by which things are joined, and which are published anew: never kept as they came.
LINKS = frozenset(
    name for kind in KINDS.values() for name in (kind.parent, kind.remaining, *kind.children) if name is not None
)


# Feeds call an item by the type of its data, some behind the name of the feed.
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
    """How far below its farthest possible parent a thing of this type is: parents come before their children."""
    return max((rank(parent) + 1 for parent in KINDS[type_].parents), default=0)
