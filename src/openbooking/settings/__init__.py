"""Settings: `definitions` names them, `bounds` and `contradictions` limit their values, `loading` reads them."""

from openbooking.settings.choices import AccessMode, SettingsError, SmtpSecurity
from openbooking.settings.definitions import Settings, protocol_settings
from openbooking.settings.loading import FILE_VARIABLE, describe_settings, load_settings
from openbooking.settings.messages import ENVIRONMENT_PREFIX

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
