"""`openbooking migrate` and `openbooking settings`, and the way in which commands open the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from openbooking.cli.options import Database
from openbooking.cli.output import is_terminal, show, show_aside, show_table
from openbooking.settings import describe_settings, load_settings
from openbooking.store.location import full_name, redact_password

if TYPE_CHECKING:
    from openbooking.store.sql import SqlStore
    from openbooking.system import System

Result = TypeVar("Result")


def migrate(database: Database = None) -> None:
    """Bring the database to the schema of this version; back it up before. Without a database, make a new one."""
    from openbooking.store.migrate import upgrade  # noqa: PLC0415 - takes longer to load than --help may

    url = load_settings(database=database).database
    revision, is_new = upgrade(url)
    if is_new:
        show(f"There was no database; {full_name(url)} is made.")
    show(f"{full_name(url)} has schema {revision}, which this version works with.")


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
    """Open the Booking System, do some work on it and return the result.

    Args:
        database: The value of --database; None for that of the settings.
        work: Called with the open system.
        writes_feeds: Whether the work writes feed items. They contain the address of the settings, so the feeds must
            not contain another one.
        makes_new: Whether to make a database if there is none. The user is told so whether or not the work succeeds,
            except by work that writes feeds: an import reports each Seller.

    Raises:
        SchemaError: There is no database of this version's schema.
        AddressMismatchError: The work writes feeds, and they contain another address. Nothing was changed.
    """
    # Longer to load than --help may take.
    from openbooking.serving.addresses import check_address  # noqa: PLC0415
    from openbooking.store.migrate import prepare  # noqa: PLC0415
    from openbooking.system import open_system  # noqa: PLC0415

    # A replica may lag behind the rows that the work changes.
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
            show_aside(f"There was no database; {full_name(settings.database)} is made.")


def with_database(database: str | None, work: Callable[["SqlStore"], Awaitable[Result]]) -> Result:
    """Do some work on an existing database, whatever address its feeds contain, and return the result."""
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - longer to load than --help may take
    from openbooking.system import opened_store  # noqa: PLC0415

    settings = load_settings(database=database)

    async def do() -> Result:
        async with opened_store(settings) as store:
            return await work(store)

    prepare(settings.database, makes_new=False)
    return asyncio.run(do())
