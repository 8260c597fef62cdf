"""How items of each type are published: what they name as their parent, what they embed, how they tell places left."""

from collections.abc import Mapping
from functools import cache

import msgspec

from openbooking.spec.terms import OpportunityType

_SERIES, _SESSION = OpportunityType.SESSION_SERIES, OpportunityType.SCHEDULED_SESSION
_FACILITY, _INDIVIDUAL, _SLOT = (
    OpportunityType.FACILITY_USE,
    OpportunityType.INDIVIDUAL_FACILITY_USE,
    OpportunityType.SLOT,
)


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One row: `parent` is the property that names the parent, of one of the types `parents`; `children` are the
    properties that embed other things; `remaining` is the property that tells the places left.
    """

    parent: str | None = None
    parents: tuple[OpportunityType, ...] = ()
    needs_parent: bool = False
    children: Mapping[str, OpportunityType] = {}
    remaining: str | None = None


KINDS: Mapping[OpportunityType, Kind] = {
    _SERIES: Kind(children={"subEvent": _SESSION}),
    _SESSION: Kind(
        parent="superEvent", parents=(_SERIES,), needs_parent=True, remaining="remainingAttendeeCapacity"
    ),
    _FACILITY: Kind(children={"individualFacilityUse": _INDIVIDUAL, "event": _SLOT}),
    _INDIVIDUAL: Kind(parent="aggregateFacilityUse", parents=(_FACILITY,), children={"event": _SLOT}),
    _SLOT: Kind(parent="facilityUse", parents=(_FACILITY, _INDIVIDUAL), needs_parent=True, remaining="remainingUses"),
}  # fmt: skip

# Properties by which things are joined, and which are published anew: never kept as they came.
LINKS = frozenset(
    name for kind in KINDS.values() for name in (kind.parent, kind.remaining, *kind.children) if name is not None
)


@cache
def rank(type_: OpportunityType) -> int:
    """How far below its farthest possible parent a thing of this type is: parents come before their children."""
    return max((rank(parent) + 1 for parent in KINDS[type_].parents), default=0)
