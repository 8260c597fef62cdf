"""`openbooking --version`, and with --verbose what a report of a fault needs."""

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from openbooking import __version__
from openbooking.cli.output import show
from openbooking.settings import Settings, SettingsError, describe_settings, load_settings
from openbooking.store.location import redact_password

# The database driver of Brokers, which an extra installs.
_OPTIONAL = ("psycopg",)
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def show_version(*, verbose: bool) -> None:
    """Print the version; if `verbose` is set, also versions of Python and libraries, and settings without secrets."""
    if not verbose:
        show(__version__)
        return
    for name, value in (("openbooking", __version__), *_environment(), *_libraries(), *_settings()):
        show(f"{name}:", value)


def _environment() -> Iterator[tuple[str, str]]:
    import sqlite3  # noqa: PLC0415 - slow to load

    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "platform", platform.platform()
    yield "SQLite", sqlite3.sqlite_version


def _libraries() -> Iterator[tuple[str, str]]:
    """Yield the name and the version of each library that this package uses, also of optional ones."""
    found = [requirement for requirement in requires("openbooking") or () if "extra ==" not in requirement]
    for name in sorted({match[0] for match in map(_NAME.match, (*found, *_OPTIONAL)) if match}):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"


def _settings() -> Iterator[tuple[str, str]]:
    """Yield the settings that differ from their defaults, without secrets; or the error in the settings."""
    try:
        settings = load_settings()
    except SettingsError as fault:
        yield "settings", str(fault)
        return
    defaults = {name: value for name, value, _ in describe_settings(Settings())}
    for name, value, _ in describe_settings(settings):
        if value != defaults[name]:
            yield name, redact_password(value)
