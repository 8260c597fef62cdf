"""Reads JSON into messages although it differs from the specification in ways that do no harm.

Booking Systems differ: one writes the `@id` of an object where another writes the object, a single object instead of a
list, or `true` as text. `fit` repairs what it can, and leaves out optional properties that it cannot. A message is
refused only if a required property, or one on which money depends, cannot be read.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from openbooking.openactive.terms import FormFieldType

Message = TypeVar("Message", bound=msgspec.Struct)

_TRUTHS = {"true": True, "false": False, "https://schema.org/true": True, "https://schema.org/false": False}
# Money depends on these properties, so that a reply with an unreadable one is refused.
_NEVER_LEFT_OUT = frozenset({"totalPaymentDue", "orderProposalStatus", "orderProposalVersion"})
_MOST_CHARACTERS_SHOWN = 60
_LAST_SEGMENT = re.compile(r"[/#:]")


class UnfitError(Exception):
    """A value cannot be read as the type; the message names the property."""


def fit(value: object, type_: type[Message]) -> Message:
    """Return the message that a JSON value describes.

    Raises:
        UnfitError: The value is no such message.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        repaired = _fit(value, _described(type_))
    try:
        return msgspec.convert(repaired, type_)
    except msgspec.ValidationError as fault:
        raise UnfitError(str(fault)) from fault


@cache
def _described(type_: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(type_)


def _fit(value: object, type_: inspect.Type) -> Any:
    """Return a value that can be converted to the type, or raise UnfitError."""
    repair = _REPAIRS.get(type(type_))
    if repair is None:
        return value
    return repair(value, type_)


def _fit_struct(value: object, type_: inspect.StructType) -> dict[str, Any]:
    value = _only(value)
    if not isinstance(value, Mapping):
        raise UnfitError(f"expected an object, not {_shown(value)}")
    fitted: dict[str, Any] = {} if type_.tag_field is None else {type_.tag_field: type_.tag}
    for field in type_.fields:
        if field.encode_name not in value:
            continue
        try:
            fitted[field.encode_name] = _checked(value[field.encode_name], field.type)
        except UnfitError as fault:
            if field.required or field.encode_name in _NEVER_LEFT_OUT:
                raise UnfitError(f"{field.encode_name}: {fault}") from fault
    return fitted


def _fit_tuple(value: object, type_: inspect.VarTupleType) -> list[Any]:
    if value is None:
        raise UnfitError("expected a list, not null")
    items = value if isinstance(value, list) else [value]
    fitted = []
    for item in items:
        try:
            fitted.append(_checked(item, type_.item_type))
        except UnfitError:
            # An item of an Order must not be lost. Other lists can do without an entry that cannot be read.
            if isinstance(type_.item_type, inspect.StructType) and type_.item_type.tag == "OrderItem":
                raise
    return fitted


def _fit_text(value: object, _: inspect.StrType) -> str:
    value = _only(value)
    if isinstance(value, Mapping):
        value = value.get("@id", value.get("id"))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnfitError(f"expected text, not {_shown(value)}")
    return str(value)


def _fit_truth(value: object, _: inspect.BoolType) -> bool:
    value = _only(value)
    truth = _TRUTHS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        raise UnfitError(f"expected true or false, not {_shown(value)}")
    return truth


def _fit_whole_number(value: object, _: inspect.IntType) -> int:
    value = _only(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise UnfitError(f"expected a whole number, not {_shown(value)}")


def _fit_enum(value: object, type_: inspect.EnumType) -> str:
    try:
        return _one_of([str(member.value) for member in type_.cls], value)
    except UnfitError:
        if type_.cls is FormFieldType:
            # A question must not be lost. Any question can be asked as text (AMB-70).
            return FormFieldType.SHORT_ANSWER
        raise


def _fit_literal(value: object, type_: inspect.LiteralType) -> str:
    return _one_of([str(known) for known in type_.values], value)


def _fit_union(value: object, type_: inspect.UnionType) -> Any:
    if value is None and type_.includes_none:
        return None
    for candidate in type_.types:
        try:
            return _checked(value, candidate)
        except UnfitError:
            continue
    raise UnfitError(f"did not expect {_shown(value)}")


def _fit_metadata(value: object, type_: inspect.Metadata) -> Any:
    return _fit(value, type_.type)


def _fit_object(value: object, _: inspect.DictType) -> Any:
    """Return an object; a reference to one becomes an object with this `@id` (AMB-07)."""
    value = _only(value)
    if isinstance(value, str):
        return {"@id": value}
    if not isinstance(value, Mapping):
        raise UnfitError(f"expected an object, not {_shown(value)}")
    return value


def _one_of(known: list[str], value: object) -> str:
    """Return the known name with the same last segment: `OrderQuote` for `https://openactive.io/OrderQuote`."""
    text = _fit_text(value, inspect.StrType())
    for name in known:
        if _last_segment(name) == _last_segment(text):
            return name
    raise UnfitError(f"did not expect {_shown(text)}")


def _last_segment(name: str) -> str:
    return _LAST_SEGMENT.split(name)[-1]


def _checked(value: object, type_: inspect.Type) -> Any:
    """Return a fitted value, after a check that it can be converted."""
    fitted = _fit(value, type_)
    if isinstance(type_, inspect.NoneType) and fitted is not None:
        raise UnfitError(f"did not expect {_shown(fitted)}")
    if isinstance(type_, inspect.StructType):
        try:
            msgspec.convert(fitted, type_.cls)
        except msgspec.ValidationError as fault:
            raise UnfitError(str(fault)) from fault
    elif isinstance(type_, inspect.FloatType) and (isinstance(fitted, bool) or not isinstance(fitted, int | float)):
        raise UnfitError(f"expected a number, not {_shown(fitted)}")
    return fitted


def _only(value: object) -> object:
    """Return the only entry of a list, because JSON-LD allows a list around a single value."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS_SHOWN else f"{text[:_MOST_CHARACTERS_SHOWN]}…"


_REPAIRS: Mapping[type[inspect.Type], Callable[[Any, Any], Any]] = {
    inspect.StructType: _fit_struct,
    inspect.VarTupleType: _fit_tuple,
    inspect.StrType: _fit_text,
    inspect.BoolType: _fit_truth,
    inspect.IntType: _fit_whole_number,
    inspect.EnumType: _fit_enum,
    inspect.LiteralType: _fit_literal,
    inspect.UnionType: _fit_union,
    inspect.DictType: _fit_object,
    inspect.Metadata: _fit_metadata,
}
