"""Messages about settings that are unknown or have a wrong value.

A message names the setting as code and files write it, and the environment variable, because the reader may know only
one of these names.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

ENVIRONMENT_PREFIX = "OPENBOOKING_"
LIST_COMMAND = "`openbooking settings` lists all settings."


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{ENVIRONMENT_PREFIX}{name.upper()}"


def both_names(name: str) -> str:
    """Return the name of a setting with its environment variable: `port (OPENBOOKING_PORT)`."""
    return f"{name} ({variable_of(name)})"


def wrong_text(name: str, value: str, requirement: str) -> str:
    """Return the message about a text that a setting cannot have.

    Args:
        name: The name of the setting.
        value: The text.
        requirement: The texts that the setting can have, such as `an e-mail address`.
    """
    return f"{both_names(name)} is {value!r}. It must be {requirement}."


def unknown_setting(name: str, known: Iterable[str]) -> str:
    """Return the message about a name that is no setting, with the setting whose name is nearest."""
    found = nearest(name, known)
    advice = f" Did you mean {both_names(found)}?" if found else ""
    return f"There is no setting {both_names(name)}.{advice}"


def wrong_value(name: str, value: object, type_: Any, *, is_secret: bool = False) -> str:
    """Return the message about a value that a setting cannot have, with the values that it can have.

    Args:
        name: The name of the setting.
        value: The value.
        type_: The type of the setting, with its bounds.
        is_secret: Whether the value must not be shown.
    """
    described = inspect.type_info(type_)
    while isinstance(described, inspect.Metadata):
        described = described.type
    found = "has a value of a wrong type" if is_secret else f"is {str(value)!r}"
    return f"{both_names(name)} {found}. It must be {_requirement(described)}.{_nearest_choice(str(value), described)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that a wrong word resembles most; empty if it resembles none."""
    return next(iter(get_close_matches(word.lower(), known, n=1)), "")


def list_words(words: Iterable[str]) -> str:
    """Return words as a list for people: `off, named or anonymous`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _requirement(type_: inspect.Type) -> str:
    """Return the values that a type allows, in words."""
    match type_:
        case inspect.EnumType(cls=choices):
            return list_words(str(choice.value) for choice in choices)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return f"a whole number{_bounds(type_)}"
        case inspect.FloatType():
            return f"a number{_bounds(type_)}"
        case _:
            return "a text"


def _bounds(type_: inspect.IntType | inspect.FloatType) -> str:
    """Return the bounds of a number, such as ` from 0 to 65535`."""
    if type_.ge is not None and type_.le is not None:
        return f" from {type_.ge:.15g} to {type_.le:.15g}"
    bounds = (("of at least", type_.ge), ("above", type_.gt), ("of at most", type_.le))
    return "".join(f" {words} {bound:.15g}" for words, bound in bounds if bound is not None)


def _nearest_choice(value: str, type_: inspect.Type) -> str:
    """Return a question that names the choice that a wrong text resembles; empty if there is none."""
    if not isinstance(type_, inspect.EnumType):
        return ""
    found = nearest(value, [str(choice.value) for choice in type_.cls])
    return f" Did you mean {found}?" if found else ""
