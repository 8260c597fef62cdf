"""The shape of files: the kinds of entries, and the keys of their parts.

The keys are the fields of the structs in `booking.model.timetable`, except those of `KEYS`.
"""

from collections.abc import Mapping
from typing import get_args

import msgspec

from openbooking.booking.model.timetable import Facility, TimetableRule
from openbooking.timetable.concepts import Vocabulary
from openbooking.timetable.files.documents import PartPath

# The names of the tables of a file, and their rules.
KINDS: Mapping[str, type[TimetableRule]] = {
    str(rule.__struct_config__.tag): rule for rule in get_args(TimetableRule)
}  # fmt: skip
CONCEPTS = "concepts"


def kind_of(rule: TimetableRule) -> str:
    """Return the name of the table of a rule."""
    return str(rule.__struct_config__.tag)


def vocabulary_of(rule: type) -> Vocabulary:
    """Return the vocabulary of the concepts of a rule."""
    return Vocabulary.FACILITY_TYPES if rule is Facility else Vocabulary.ACTIVITIES


def key_of_field(struct: type[msgspec.Struct], field: str) -> str:
    """Return the key in a file of a field of a struct."""
    if field != CONCEPTS:
        return field
    return "types" if struct is Facility else "activities"


def path_of_field(rule: TimetableRule, field: str) -> PartPath:
    """Return the path in an entry of a field such as `times.0.minutes` (`checking.faults.Fault`)."""
    names = [int(name) if name.isdecimal() else name for name in field.split(".") if name]
    return tuple(key_of_field(type(rule), name) if isinstance(name, str) else name for name in names)
