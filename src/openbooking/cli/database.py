"""`openbooking migrate` and `openbooking settings`, and how commands get at the database."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from openbooking.booking.store import Store
from openbooking.cli.options import Database
from openbooking.settings import describe_settings, load_settings
from openbooking.store.location import without_password

if TYPE_CHECKING:
    from openbooking.system import System

Result = TypeVar("Result")


def migrate(database: Database = None) -> None:
    """Bring the database to the schema of this version; back it up before."""
    from openbooking.store.migrate import upgrade  # noqa: PLC0415 - takes longer to load than --help may

    url = load_settings(database=database).database
    typer.echo(f"{without_password(url)} has schema {upgrade(url)}, which this version works with.")


def settings() -> None:
    """Show every setting: its environment variable, its value and what it means."""
    described = [(name, without_password(value), told) for name, value, told in describe_settings(load_settings())]
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


def with_store(database: str | None, work: Callable[[Store], Awaitable[Result]]) -> Result:
    """The result of some work on the store, which is created if there is none yet."""
    return with_system(database, lambda system: work(system.store))


def with_system(database: str | None, work: Callable[["System"], Awaitable[Result]]) -> Result:
    """The result of some work on the Booking System, whose database is created if there is none yet."""
    from openbooking.system import open_system  # noqa: PLC0415

    settings = load_settings(database=database)

    async def do() -> Result:
        async with open_system(settings) as system:
            return await work(system)

    return asyncio.run(do())
