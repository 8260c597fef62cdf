"""Where a setting is read from: the environment variables `OPENBOOKING_*`, or the TOML file of `OPENBOOKING_SETTINGS`.

A secret can also be in a file of its own, which `OPENBOOKING_…_FILE` names. So can the location of a database, because
it may have a password.

Options of a command override environment variables, environment variables override the file, and the file overrides the
defaults. `describe_settings` lists all settings for `openbooking settings`.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from openbooking.kubernetes import PORT_LEFT_OUT, is_of_service
from openbooking.settings.choices import SettingsError
from openbooking.settings.definitions import (
    Settings,
    field_types,
    protocol_settings,
    secret_settings,
    settings_in_files,
)
from openbooking.settings.messages import (
    ENVIRONMENT_PREFIX,
    LIST_COMMAND,
    both_names,
    list_words,
    unknown_setting,
    variable_of,
    wrong_value,
)

FILE_VARIABLE = "OPENBOOKING_SETTINGS"
# Variables with the prefix that are no settings: they tell a Broker under test where the sandbox is, and its API key.
SANDBOX_VARIABLES = ("OPENBOOKING_SANDBOX_URL", "OPENBOOKING_SANDBOX_KEY")
_PORT_VARIABLE = "OPENBOOKING_PORT"
_FILE_SUFFIX = "_file"
_LONGEST_SECRET = 10_000
_NOT_SHOWN = "(set, and not shown)"
_log = structlog.get_logger()


def load_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Return the settings of the settings file, the environment and the overrides.

    Args:
        environment: The environment variables; by default the variables of this process.
        overrides: Values that override the environment and the file, by the name of the setting. None has no effect.

    Raises:
        SettingsError: A setting is unknown, has a wrong value or contradicts another setting, or the file cannot be
            read.
    """
    environment = os.environ if environment is None else environment
    values = _read_file(environment.get(FILE_VARIABLE))
    links = {name for name, value in environment.items() if is_of_service(name, value)}
    no_settings = {FILE_VARIABLE, *SANDBOX_VARIABLES, *links}
    values |= {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in no_settings
    }
    if _PORT_VARIABLE in links:
        _log.warning("settings.left_out", variable=_PORT_VARIABLE, reason=PORT_LEFT_OUT)
    values |= _read_secrets(environment, values)
    values |= {name: value for name, value in overrides.items() if value is not None}
    known = set(Settings.__struct_fields__)
    unknown = [_unknown(name) for name in sorted(values.keys() - known)]
    read, wrong = _read_values({name: value for name, value in values.items() if name in known})
    if unknown or wrong:
        raise SettingsError(" ".join([*unknown, *([LIST_COMMAND] if unknown else ()), *wrong]))
    return Settings(**read)


def describe_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """Return the environment variable, the value and the meaning of each setting. The values of secrets are hidden."""
    protocol, in_files = protocol_settings(), settings_in_files()
    described = []
    for field in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        value = msgspec.to_builtins(getattr(settings, field.name), enc_hook=str)
        if value and field.name in secret_settings():
            value = _NOT_SHOWN
        variable = variable_of(field.name)
        meaning = (field.type.extra_json_schema or {}).get("description", "")
        if field.name in in_files:
            meaning += f" {variable}{_FILE_SUFFIX.upper()} can name a file that holds it."
        if field.name in protocol:
            meaning += " (protocol)"
        described.append((variable, str(value), meaning))
    return described


def _unknown(name: str) -> str:
    """Return the message about a name that is no setting."""
    told = unknown_setting(name, Settings.__struct_fields__)
    if not name.endswith(_FILE_SUFFIX):
        return told
    return f"{told} Files can hold {list_words(sorted(settings_in_files()))} only."


def _read_values(values: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Return the values that the texts of settings state, and a message for each setting with a wrong one."""
    read: dict[str, Any] = {}
    told: list[str] = []
    for name, value in values.items():
        type_ = field_types()[name]
        try:
            read[name] = msgspec.convert(value, type_, strict=False)
        except msgspec.ValidationError:
            told.append(wrong_value(name, value, type_, is_secret=name in settings_in_files()))
    return read, told


def _read_secrets(environment: Mapping[str, str], values: dict[str, Any]) -> dict[str, str]:
    """Return the settings in files that are named by variables such as OPENBOOKING_METRICS_TOKEN_FILE.

    These variables are removed from `values`, because they are no settings.
    """
    secrets = {}
    for name in settings_in_files():
        path = values.pop(f"{name}{_FILE_SUFFIX}", None)
        if not path:
            continue
        if variable_of(name) in environment:
            raise SettingsError(f"{both_names(name)} is set twice: in the environment and in the file {path}.")
        secrets[name] = _read_secret(name, path)
    return secrets


def _read_secret(name: str, path: str) -> str:
    """Return the one line of the file that holds a setting."""
    place = f"The file {path}, which {variable_of(name)}{_FILE_SUFFIX.upper()} names,"
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LONGEST_SECRET + 1)
    except OSError as fault:
        message = f"{place} cannot be read: {fault.strerror}."
        raise SettingsError(message) from fault
    try:
        value = content.decode().strip()
    except UnicodeDecodeError:
        value = ""
    if not value or len(content) > _LONGEST_SECRET or len(value.splitlines()) > 1:
        raise SettingsError(f"{place} must hold one line, the value of {both_names(name)}.")
    return value


def _read_file(path: str | None) -> dict[str, Any]:
    """Return the settings in a TOML file; none if there is no path."""
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        reason = (isinstance(fault, OSError) and fault.strerror) or fault
        message = f"The settings file {path}, which {FILE_VARIABLE} names, cannot be read: {reason}."
        raise SettingsError(message) from fault
