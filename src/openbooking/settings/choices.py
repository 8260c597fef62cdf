"""The settings that are a choice between a few words, and the error of all settings."""

from enum import StrEnum

from openbooking.user_error import UserError


class AccessMode(StrEnum):
    """The ways to authenticate callers."""

    API_KEY = "api-key"
    OPENID = "openid"
    HEADERS = "headers"


class SmtpSecurity(StrEnum):
    """The ways to encrypt a connection to the mail server."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SettingsError(UserError):
    """A setting is unknown, has a wrong value or contradicts another setting."""
