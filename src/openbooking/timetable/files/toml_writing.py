"""Entries of a timetable as TOML, which `content` reads back to the same entries."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from openbooking.booking.model.timetable import Concept, Price, TimetableRule
from openbooking.openactive.money import VatTreatment
from openbooking.printable import replace_unsafe
from openbooking.timetable.concepts import Vocabulary, find
from openbooking.timetable.files import words
from openbooking.timetable.files.shapes import KINDS, key_of_field, kind_of, vocabulary_of

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORT_LIST = 100


class _Defaults(NamedTuple):
    """The vocabulary of an entry, and the VAT treatment that is not written."""

    vocabulary: Vocabulary
    vat: VatTreatment


def write_toml(rules: Mapping[str, TimetableRule], vat: VatTreatment) -> str:
    """Return entries as a TOML document: Venues first, then the other kinds, each in the order of the keys.

    Properties without a value (null) are left out, because TOML has none.

    Args:
        rules: The entries by key.
        vat: The VAT treatment of prices that is left out: that of the Seller, which `content` then reads.
    """
    kinds = list(KINDS)
    ordered = sorted(rules.items(), key=lambda entry: (kinds.index(kind_of(entry[1])), entry[0]))
    return "\n".join("\n".join([*_entry(key, rule, vat), ""]) for key, rule in ordered)


def _entry(key: str, rule: TimetableRule, vat: VatTreatment) -> Iterator[str]:
    yield f"[{_key(kind_of(rule))}.{_key(key)}]"
    for name, value in _data(rule, _Defaults(vocabulary_of(type(rule)), vat)).items():
        yield f"{_key(name)} = {_value(value, is_outer=True)}"


def _data(struct: msgspec.Struct, defaults: _Defaults) -> dict[str, Any]:
    """Return the keys of a struct whose values are not the default ones."""
    return {
        key_of_field(type(struct), field.name): _field_data(field.name, value, defaults)
        for field in msgspec.structs.fields(struct)
        if (value := getattr(struct, field.name)) != _default(struct, field, defaults) or field.required
    }


def _default(struct: msgspec.Struct, field: msgspec.structs.FieldInfo, defaults: _Defaults) -> object:
    """Return the value of a field that is not written."""
    if isinstance(struct, Price) and field.name == "vat":
        return defaults.vat
    return field.default_factory() if callable(field.default_factory) else field.default


def _field_data(name: str, value: object, defaults: _Defaults) -> Any:
    if name == "days" and isinstance(value, tuple):
        return words.write_days(value)
    return _plain(value, defaults)


def _plain(value: object, defaults: _Defaults) -> Any:  # noqa: PLR0911 - one for each type
    """Return a value of a rule as a value of a file."""
    match value:
        case None:
            return words.NONE
        case Concept():
            return _concept(value, defaults.vocabulary)
        case msgspec.Struct():
            return _data(value, defaults)
        case tuple():
            return [_plain(each, defaults) for each in value]
        case StrEnum():
            return words.word_of(value)
        case datetime():
            return words.write_date_time(value)
        case time():
            return words.write_time(value)
        case timedelta():
            return words.write_duration(value)
    return value


def _concept(concept: Concept, vocabulary: Vocabulary) -> Any:
    names = (name for name in (concept.label, concept.id) if find(vocabulary, name) == concept)
    return next(names, {"id": concept.id, "label": concept.label})


def _value(value: object, *, is_outer: bool = False) -> str:  # noqa: PLR0911 - one for each type
    """Return the text of a value. The lists of an entry have a line for each element if they are long."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case Mapping():
            members = (f"{_key(name)} = {_value(each)}" for name, each in value.items() if each is not None)
            return f"{{ {', '.join(members)} }}" if value else "{}"
        case list() | tuple():
            elements = [_value(each) for each in value if each is not None]
            line = f"[{', '.join(elements)}]"
            if is_outer and len(line) > _SHORT_LIST:
                return "\n".join(["[", *(f"  {element}," for element in elements), "]"])
            return line
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    """Return a basic string, in which characters that are invisible or control terminals are escaped."""
    return replace_unsafe(json.dumps(text, ensure_ascii=False), lambda char: f"\\U{ord(char):08X}")
