"""`openbooking migrate` and `openbooking settings`, and the functions with which all commands open the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.cli.options import Database
from openbooking.cli.output import is_terminal, show, show_aside, show_table
from openbooking.settings import describe_settings, load_settings
from openbooking.store.location import full_name, redact_password

if TYPE_CHECKING:
    from openbooking.store.sql import SqlStore
    from openbooking.system import System

Result = TypeVar("Result")


def migrate(database: Database = None) -> None:
    """Migrate the database to the schema of this version, or make a new database. Make a backup first."""
    from openbooking.store.migrate import upgrade  # noqa: PLC0415 - slow to load

    url = load_settings(database=database).database
    revision, is_new = upgrade(url)
    if is_new:
        show(f"Made a new database: {full_name(url)}.")
    show(f"{full_name(url)} has schema {revision}, the schema of this version.")


def settings() -> None:
    """Show every setting: its environment variable, its value and its meaning."""
    described = [(name, redact_password(value), told) for name, value, told in describe_settings(load_settings())]
    if is_terminal():
        show_table(("Environment variable", "Value", "Meaning"), described)
        return
    for name, value, meaning in described:
        show(f"# {meaning}")
        show(f"{name}={value}")


def with_system(
    database: str | None,
    work: Callable[["System"], Awaitable[Result]],
    *,
    writes_feeds: bool = False,
    makes_new: bool = False,
) -> Result:
    """Open the Booking System, call a function with it and return the result.

    Args:
        database: The value of --database; None for the database of the settings.
        work: The function. It is called with the open Booking System.
        writes_feeds: Whether the function writes feed items. New items contain the address of the settings, so items
            that are in the feeds must have the same address.
        makes_new: Whether to make a database if there is none. The command then reports the new database, unless it
            writes feeds: an import reports each new Seller instead.

    Raises:
        SchemaError: There is no database of this version's schema.
        AddressMismatchError: The feeds contain another address, and `writes_feeds` is set. Nothing was changed.
    """
    # Slow to load; --help must be quick.
    from openbooking.serving.addresses import check_address  # noqa: PLC0415
    from openbooking.store.migrate import prepare  # noqa: PLC0415
    from openbooking.system import open_system  # noqa: PLC0415

    # A replica may lag behind the rows that the command changes.
    settings = replace(load_settings(database=database), replica="")

    async def do() -> Result:
        async with open_system(settings, serves=False) as system:
            if writes_feeds:
                await check_address(system.store, system.ids)
            return await work(system)

    is_new = prepare(settings.database, makes_new=makes_new)
    try:
        return asyncio.run(do())
    finally:
        if is_new and not writes_feeds:
            show_aside(f"Made a new database: {full_name(settings.database)}.")


def with_database(database: str | None, work: Callable[["SqlStore"], Awaitable[Result]]) -> Result:
    """Open the store of an existing database, call a function with it and return the result.

    The feeds may contain another address than the address of the settings.
    """
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - slow to load
    from openbooking.system import use_store  # noqa: PLC0415

    settings = load_settings(database=database)

    async def do() -> Result:
        async with use_store(settings) as store:
            return await work(store)

    prepare(settings.database, makes_new=False)
    return asyncio.run(do())


def administrator(command: str) -> Actor:
    """Return the actor of the changes of a command."""
    return Actor(ActorKind.ADMINISTRATOR, command)
