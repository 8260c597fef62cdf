"""The reading of rules from nested data, with the path of each fault."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, cast

from msgspec import inspect

from openbooking.booking.model.timetable import Concept, Price, TimetableRule
from openbooking.openactive.money import VatTreatment
from openbooking.timetable.files import words
from openbooking.timetable.files.documents import PartPath
from openbooking.timetable.files.shapes import KINDS, key_of_field, vocabulary_of

Report = Callable[[PartPath, str], None]

_NUMBER = re.compile(r"\s*-?\d{1,15}(?:\.\d{1,15})?\s*", re.ASCII)
_LARGEST = 10**15
# The value of a part with a fault.
_WRONG: Final = object()


def read_rule(kind: str, data: object, path: PartPath, report: Report, vat: VatTreatment) -> TimetableRule | None:
    """Return the rule of an entry, or None if it has faults.

    Args:
        kind: The name of the table.
        data: The data of the entry.
        path: The path of the entry.
        report: Called for each fault with the path of the part and a sentence.
        vat: The VAT treatment of prices whose data has none.
    """
    rule = KINDS[kind]
    value = _Reader(rule, report, vat).read(inspect.type_info(rule), data, path)
    return None if value is _WRONG else cast("TimetableRule", value)


class _Reader:
    """Reads the parts of a rule."""

    def __init__(self, rule: type[TimetableRule], report: Report, vat: VatTreatment) -> None:
        self._vocabulary = vocabulary_of(rule)
        self._report = report
        self._vat = vat

    def read(self, type_: inspect.Type, value: object, path: PartPath) -> Any:
        """Return the value of a part, or `_WRONG` after the report of a fault."""
        match type_:
            case inspect.StructType(cls=cls) if cls is not Concept or isinstance(value, Mapping):
                return self._struct(type_, value, path)
            case inspect.UnionType(types=types):
                if value == words.NONE and any(isinstance(each, inspect.EnumType) for each in types):
                    return None
                return self.read(next(each for each in types if not isinstance(each, inspect.NoneType)), value, path)
            case inspect.VarTupleType(item_type=item) if path[-1] != "days":
                return self._list(item, value, path)
        try:
            return self._scalar(type_, value)
        except ValueError as fault:
            self._report(path, str(fault))
            return _WRONG

    def _struct(self, type_: inspect.StructType, value: object, path: PartPath) -> Any:
        if not isinstance(value, Mapping):
            self._report(path, "Give a table with keys.")
            return _WRONG
        fields = {key_of_field(type_.cls, field.name): field for field in type_.fields}
        unknown = [key for key in value if key not in fields]
        for key in unknown:
            self._report((*path, key), f"There is no key {key!r} here. The keys are: {', '.join(fields)}.")
        missing = [key for key, field in fields.items() if field.required and key not in value]
        if missing:
            self._report(path, f"Give {', '.join(missing)}.")
        read = {
            field.name: self.read(field.type, value[key], (*path, key))
            for key, field in fields.items()
            if key in value
        }  # fmt: skip
        if unknown or missing or any(each is _WRONG for each in read.values()):
            return _WRONG
        if type_.cls is Price:
            read.setdefault("vat", self._vat)
        return type_.cls(**read)

    def _list(self, item: inspect.Type, value: object, path: PartPath) -> Any:
        if not isinstance(value, list):
            self._report(path, "Give a list in square brackets.")
            return _WRONG
        read = tuple(self.read(item, each, (*path, number)) for number, each in enumerate(value))
        return _WRONG if any(each is _WRONG for each in read) else read

    def _scalar(self, type_: inspect.Type, value: object) -> Any:
        match type_:
            case inspect.StructType():
                return words.read_concept(_text(value, "Give a label of OpenActive's list."), self._vocabulary)
            case inspect.EnumType(cls=cls) if issubclass(cls, StrEnum):
                return words.read_choice(_text(value), cls)
        return _SCALARS.get(type(type_), _properties)(value)


def _text(value: object, advice: str = "Give a text in quotation marks.") -> str:
    if not isinstance(value, str):
        raise ValueError(advice)  # noqa: TRY004 - the caller reports a ValueError
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value.strip())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    raise ValueError("Give a number.")


def _whole_number(value: object) -> int:
    number = _number(value)
    if number.is_nan() or abs(number) >= _LARGEST or number != number.to_integral_value():
        raise ValueError("Give a whole number.")
    return int(number)


def _days(value: object) -> tuple[int, ...]:
    return words.read_days(_text(value, words.DAYS))


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return words.read_date(_text(value, words.DATE))


def _date_time(value: object) -> datetime:
    return value if isinstance(value, datetime) else words.read_date_time(_text(value, words.DATE_TIME))


def _time(value: object) -> time:
    return value if isinstance(value, time) else words.read_time(_text(value, words.TIME))


def _duration(value: object) -> timedelta:
    return words.read_duration(_text(value, words.DURATION))


def _properties(value: object) -> Any:
    """Return published properties: JSON, in which numbers with a fraction are floats."""
    match value:
        case Mapping():
            return {str(key): _properties(each) for key, each in value.items()}
        case list():
            return [_properties(each) for each in value]
        case Decimal() if value.is_finite():
            return float(value)
        case str() | bool() | int():
            return value
    raise ValueError("Give texts, numbers, true or false. Write dates as texts.")


_SCALARS: Mapping[type[inspect.Type], Callable[[object], Any]] = {
    inspect.VarTupleType: _days,
    inspect.StrType: _text,
    inspect.IntType: _whole_number,
    inspect.DecimalType: _number,
    inspect.FloatType: lambda value: float(_number(value)),
    inspect.DateType: _date,
    inspect.DateTimeType: _date_time,
    inspect.TimeType: _time,
    inspect.TimeDeltaType: _duration,
}
