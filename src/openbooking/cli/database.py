"""`openbooking migrate` and `openbooking settings`, and how commands get at the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from openbooking.booking.store import Store
from openbooking.cli.options import Database
from openbooking.cli.output import is_terminal, show, show_aside, show_table
from openbooking.settings import describe_settings, load_settings
from openbooking.store.location import full_name, without_password

if TYPE_CHECKING:
    from openbooking.system import System

Result = TypeVar("Result")


def migrate(database: Database = None) -> None:
    """Bring the database to the schema of this version; back it up before. Where there is none, make a new one."""
    from openbooking.store.migrate import upgrade  # noqa: PLC0415 - takes longer to load than --help may

    url = load_settings(database=database).database
    revision, is_new = upgrade(url)
    if is_new:
        show(f"There was no database; {full_name(url)} is made.")
    show(f"{full_name(url)} has schema {revision}, which this version works with.")


def settings() -> None:
    """Show every setting: its environment variable, its value and what it means."""
    described = [(name, without_password(value), told) for name, value, told in describe_settings(load_settings())]
    if is_terminal():
        show_table(("Environment variable", "Value", "Meaning"), described)
        return
    for name, value, meaning in described:
        show(f"# {meaning}")
        show(f"{name}={value}")


def with_store(
    database: str | None,
    work: Callable[[Store], Awaitable[Result]],
    *,
    writes_feeds: bool = False,
    makes_new: bool = False,
) -> Result:
    """The result of some work on the store; see `with_system`."""
    return with_system(database, lambda system: work(system.store), writes_feeds=writes_feeds, makes_new=makes_new)


def with_system(
    database: str | None,
    work: Callable[["System"], Awaitable[Result]],
    *,
    writes_feeds: bool = False,
    makes_new: bool = False,
) -> Result:
    """The result of some work on the Booking System.

    Where there is no database a new one is made if the work `makes_new`; else SchemaError is raised, and nothing made.
    It is told that one was made, but by an import, which tells of each Seller.

    Work that writes feed items writes the address that is set into them. Raises CommandError for such work, before
    anything is changed, where the feeds carry another address.
    """
    # Longer to load than --help may take.
    from openbooking.serving.addresses import check_address  # noqa: PLC0415
    from openbooking.store.migrate import prepare  # noqa: PLC0415
    from openbooking.system import open_system  # noqa: PLC0415

    # A replica may lag behind what is to be changed.
    settings = replace(load_settings(database=database), replica="")

    async def do() -> Result:
        async with open_system(settings, serves=False) as system:
            if writes_feeds:
                await check_address(system.store, system.ids)
            return await work(system)

    is_new = prepare(settings.database, makes_new=makes_new)
    result = asyncio.run(do())
    if is_new and not writes_feeds:
        show_aside(f"There was no database; {full_name(settings.database)} is made.")
    return result
