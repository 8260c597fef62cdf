"""Settings: `definitions` names them, `bounds` limits their values, `loading` reads them from environment and file."""

from openbooking.settings.definitions import AccessMode, Settings, SettingsError, SmtpSecurity
from openbooking.settings.loading import (
    ENVIRONMENT_PREFIX,
    FILE_VARIABLE,
    describe_settings,
    load_settings,
    protocol_settings,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "FILE_VARIABLE",
    "AccessMode",
    "Settings",
    "SettingsError",
    "SmtpSecurity",
    "describe_settings",
    "load_settings",
    "protocol_settings",
]
