"""Where a setting is read from: the environment variables `OPENBOOKING_*`, or the TOML file of `OPENBOOKING_SETTINGS`.

A secret can also be in a file of its own, which `OPENBOOKING_…_FILE` names.

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
from openbooking.settings.definitions import Settings, SettingsError

ENVIRONMENT_PREFIX = "OPENBOOKING_"
FILE_VARIABLE = "OPENBOOKING_SETTINGS"
# Variables with the prefix that are no settings: they tell a Broker under test where the sandbox is, and its API key.
SANDBOX_VARIABLES = ("OPENBOOKING_SANDBOX_URL", "OPENBOOKING_SANDBOX_KEY")
_PORT_VARIABLE = "OPENBOOKING_PORT"
_FILE_SUFFIX = "_file"
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
    for name in sorted(values.keys() - set(Settings.__struct_fields__)):
        variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
        raise SettingsError(f"There is no setting {name} ({variable}). `openbooking settings` lists all settings.")
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as fault:
        raise SettingsError(str(fault)) from fault


def secret_settings() -> frozenset[str]:
    """Return the names of the settings whose values are secrets."""
    fields = msgspec.inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    return frozenset(field.name for field in fields if (field.type.extra_json_schema or {}).get("writeOnly"))


def protocol_settings() -> frozenset[str]:
    """Return the names of the settings that change the messages of the Open Booking API."""
    fields = msgspec.inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    return frozenset(field.name for field in fields if (field.type.extra_json_schema or {}).get("protocol"))


def describe_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """Return the environment variable, the value and the meaning of each setting. The values of secrets are hidden."""
    protocol = protocol_settings()
    described = []
    for field in msgspec.inspect.type_info(Settings).fields:  # type: ignore[attr-defined]
        value = msgspec.to_builtins(getattr(settings, field.name), enc_hook=str)
        schema = field.type.extra_json_schema or {}
        if value and schema.get("writeOnly"):
            value = _NOT_SHOWN
        meaning = schema.get("description", "") + (" (protocol)" if field.name in protocol else "")
        described.append((f"{ENVIRONMENT_PREFIX}{field.name.upper()}", str(value), meaning))
    return described


def _read_secrets(environment: Mapping[str, str], values: dict[str, Any]) -> dict[str, str]:
    """Return the secrets in files that are named by variables such as OPENBOOKING_METRICS_TOKEN_FILE.

    These variables are removed from `values`, because they are no settings.
    """
    secrets = {}
    for name in secret_settings():
        path = values.pop(f"{name}{_FILE_SUFFIX}", None)
        if not path:
            continue
        if f"{ENVIRONMENT_PREFIX}{name.upper()}" in environment:
            raise SettingsError(f"{name} is set twice: in the environment and in the file {path}.")
        try:
            secrets[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            message = f"The file {path} with the setting {name} cannot be read: {fault}"
            raise SettingsError(message) from fault
    return secrets


def _read_file(path: str | None) -> dict[str, Any]:
    """Return the settings in a TOML file; none if there is no path."""
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        message = f"The settings file {path} cannot be read: {fault}"
        raise SettingsError(message) from fault
