"""Readers of what the developer sends: JSON of the API, and the fields of the forms."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from openbooking.sandbox.control.actions import AnyAction
from openbooking.sandbox.faults.plans import FaultPlan

T = TypeVar("T")

_AT = re.compile(r" - at `\$\.?([^`\[]*)")
_NAMED = re.compile(r"(?:unknown|required) field `([^`]+)`|^`([^`]+)`")
_DAYS = 366


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By how much the clock is turned forwards, each part by a year at most."""

    days: Annotated[float, Meta(ge=0, le=_DAYS)] = 0
    hours: Annotated[float, Meta(ge=0, le=_DAYS * 24)] = 0
    minutes: Annotated[float, Meta(ge=0, le=_DAYS * 1_440)] = 0
    seconds: Annotated[float, Meta(ge=0, le=_DAYS * 86_400)] = 0

    @property
    def by(self) -> timedelta:
        """The whole time."""
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds)


class InvalidInputError(Exception):
    """What the developer sent cannot be read.

    Attributes:
        text: What is wrong.
        field: The name of the wrong field; empty if the whole input is wrong.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.field = field


def read_json(body: bytes, type_: Any) -> Any:
    """Return a JSON body as an object of a type, or raise InvalidInputError."""
    try:
        return msgspec.json.decode(body or b"{}", type=type_)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise _invalid(fault) from fault


def read_values(values: Mapping[str, Any], type_: Any) -> Any:
    """Return the values of a form or a TOML table as an object of a type, or raise InvalidInputError.

    Texts are read as numbers where a number is expected.
    """
    try:
        return msgspec.convert(dict(values), type_, strict=False)
    except msgspec.ValidationError as fault:
        raise _invalid(fault) from fault


def read_action(body: bytes) -> AnyAction:
    """Return the action in a JSON body, or raise InvalidInputError."""
    action: AnyAction = read_json(body, AnyAction)
    return action


def read_plan(body: bytes) -> FaultPlan:
    """Return the plan of faults in a JSON body, or raise InvalidInputError."""
    plan: FaultPlan = read_json(body, FaultPlan)
    return plan


def read_turn(body: bytes) -> Turn:
    """Return the turn of the clock in a JSON body, or raise InvalidInputError."""
    turn: Turn = read_json(body, Turn)
    return turn


def _invalid(fault: Exception) -> InvalidInputError:
    text = str(fault)
    at, named = _AT.search(text), _NAMED.search(text)
    field = (at[1] if at else "") or (next(filter(None, named.groups())) if named else "")
    return InvalidInputError(text, field.partition(".")[0])
