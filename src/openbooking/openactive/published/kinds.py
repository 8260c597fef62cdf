"""The RPDE `kind` of an item, and the Opportunity type that it names."""

import re

from openbooking.openactive.opportunity_types import TYPE_OF_NAME, OpportunityType

# Some feeds write the name of the feed before the type, as in `FacilityUse/Slot`.
_SEPARATOR = re.compile("[/.]")

# The kinds that feeds usually use. The empty kind is that of a feed without kinds.
USUAL_KINDS = ("", *OpportunityType, *(kind for type_ in OpportunityType for kind in type_.row.rpde_kinds))


def type_name(kind: str) -> str:
    """Return the last part of an RPDE `kind`, which names a type."""
    return _SEPARATOR.split(kind)[-1]


def type_of_kind(kind: str) -> OpportunityType | None:
    """Return the Opportunity type that an RPDE `kind` names; None if it names none."""
    return TYPE_OF_NAME.get(type_name(kind))
