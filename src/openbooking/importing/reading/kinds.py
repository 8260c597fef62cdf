"""RPDE `kind`: the name that a feed gives to the type of an item."""

import re

from openbooking.openactive.opportunity_types import TYPE_OF_NAME, OpportunityType

# Some feeds write the name of the feed before the type, as in `FacilityUse/Slot`.
_SEPARATOR = re.compile("[/.]")

# The kinds that feeds usually use; empty for a feed that states none.
USUAL_KINDS = ("", *OpportunityType, *(kind for type_ in OpportunityType for kind in type_.row.rpde_kinds))


def type_name(kind: str) -> str:
    """Return the name of the type that an RPDE `kind` states."""
    return _SEPARATOR.split(kind)[-1]


def type_of_kind(kind: str) -> OpportunityType | None:
    """Return the type that an RPDE `kind` names, or None if it names no type of Opportunity."""
    return TYPE_OF_NAME.get(type_name(kind))
