"""`openbooking migrate` and `openbooking settings`, and how commands get at the database."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from openbooking.booking.store import Store
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.settings import describe_settings, load_settings

Result = TypeVar("Result")


def migrate(database: Database = None) -> None:
    """Bring the database to the schema of this version; back it up before."""
    from openbooking.store.migrate import upgrade  # noqa: PLC0415 - takes longer to load than --help may

    path = load_settings(database=database).database
    revision = _opening(path, upgrade)
    typer.echo(f"{path} has schema {revision}, which this version works with.")


def settings() -> None:
    """Show every setting: its environment variable, its value and what it means."""
    described = describe_settings(load_settings())
    if not sys.stdout.isatty():
        for name, value, meaning in described:
            typer.echo(f"# {meaning}\n{name}={value}")
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("Environment variable", "Value", "Meaning")
    for row in described:
        table.add_row(*row)
    Console().print(table)


def with_store(database: Path | None, work: Callable[[Store], Awaitable[Result]]) -> Result:
    """The result of some work on the store, which is created if there is none yet."""
    from openbooking.system import open_system  # noqa: PLC0415

    settings = load_settings(database=database)
    prepare_database(settings.database)

    async def do() -> Result:
        async with open_system(settings) as system:
            return await work(system.store)

    return asyncio.run(do())


def prepare_database(path: Path) -> None:
    """Create the database, or raise SchemaError or CommandError where it cannot be worked with."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415

    _opening(path, prepare)


def _opening(path: Path, work: Callable[[Path], Result]) -> Result:
    from sqlalchemy.exc import DatabaseError  # noqa: PLC0415

    try:
        return work(path)
    except DatabaseError as fault:
        raise CommandError(f"The database {path} cannot be opened: {fault.orig}.") from fault
