"""`openbooking doctor`: whether the database agrees with itself."""

import asyncio

import typer

from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.settings import Settings, load_settings


def doctor(database: Database = None) -> None:
    """Recount spaces, claims and feeds against what was booked; it changes nothing, and servers may run meanwhile."""
    from openbooking.store.integrity.finding import Finding  # noqa: PLC0415 - longer to load than --help may take
    from openbooking.store.migrate import prepare  # noqa: PLC0415
    from openbooking.system import open_store  # noqa: PLC0415

    async def examine(settings: Settings) -> list[Finding]:
        store = open_store(settings)
        try:
            return await store.check_integrity()
        finally:
            await store.close()

    settings = load_settings(database=database)
    prepare(settings.database, makes_new=False)
    findings = asyncio.run(examine(settings))
    for about, wrong in findings:
        show(f"{about} {wrong}.")
    if findings:
        raise typer.Exit(1)
    show("Spaces, claims and feeds agree with what was booked.")
