"""The table of all settings, from the type `Settings`."""

from typing import Any

import msgspec
from msgspec import inspect

from openbooking.settings import Settings
from openbooking.settings.definitions import protocol_settings, secret_settings
from openbooking.settings.messages import ENVIRONMENT_PREFIX
from support.reference.tables import code, codes, table

_NAMES: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
}


def settings_table() -> str:
    """Return a row for each setting: its variable, values, default and meaning."""
    fields = msgspec.inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    return table(("Variable", "Values", "Default", "Meaning"), map(_row, fields))


def _row(field: Any) -> tuple[str, str, str, str]:
    variable = code(f"{ENVIRONMENT_PREFIX}{field.name.upper()}")
    if field.name in secret_settings():
        variable += f", or a file with the value that `{ENVIRONMENT_PREFIX}{field.name.upper()}_FILE` names"
    schema = field.type.extra_json_schema
    meaning = schema["description"] + (" (protocol)" if field.name in protocol_settings() else "")
    default = msgspec.to_builtins(field.default, enc_hook=str)
    shown = str(default).lower() if isinstance(default, bool) else default
    return variable, _values(field.type.type), code(shown) if shown != "" else "none", meaning


def _values(type_: Any) -> str:
    """Return the values that a setting may have, with its bounds."""
    if isinstance(type_, inspect.Metadata):
        return _values(type_.type)
    if isinstance(type_, inspect.EnumType):
        return codes(type_.cls)
    if isinstance(type_, inspect.BoolType):
        return codes(("true", "false"))
    bounds = ((name, getattr(type_, name, None)) for name in ("ge", "gt", "le", "lt"))
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    told = [f"{words[name]} {bound:,}" for name, bound in bounds if bound is not None]
    return ", ".join([_NAMES[type(type_)], *told])
