"""`openbooking check`: find faults of settings and surroundings before a server starts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import typer

from openbooking.cli.listing import Json
from openbooking.cli.options import Database, Host, Port, Workers
from openbooking.cli.output import show, show_json
from openbooking.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from openbooking.serving.start_checks import Finding


def check(
    host: Host = None, port: Port = None, database: Database = None, workers: Workers = None, *, json: Json = False
) -> None:
    """Check settings, database, port, address, mail server and secrets before `openbooking serve`. Changes nothing.

    Each line has the result (ok, warning or failed), the subject, what was found and what helps. The exit status is 1
    if a server would not start. `openbooking doctor` checks the content of the database.
    """
    from openbooking.serving.start_checks import Result  # noqa: PLC0415 - slow to load

    results = set()
    for finding in _findings(host, port, database, workers):
        results.add(finding.result)
        if json:
            show_json(msgspec.json.encode(finding).decode())
        else:
            show(finding.result, finding.check, *filter(None, (finding.message, finding.remedy)))
    if Result.FAILED in results:
        raise typer.Exit(1)


def _findings(host: str | None, port: int | None, database: str | None, workers: int | None) -> "Iterator[Finding]":
    from openbooking.serving.start_checks import Finding, Result, check_start  # noqa: PLC0415 - slow to load

    try:
        settings = load_settings(host=host, port=port, database=database, workers=workers)
    except SettingsError as fault:
        yield Finding("settings", Result.FAILED, str(fault), "Correct the settings, and run `openbooking check` again.")
        return
    yield Finding("settings", Result.OK, "The settings are valid.")
    yield from check_start(settings)
