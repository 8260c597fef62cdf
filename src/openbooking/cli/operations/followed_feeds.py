"""`openbooking import --follow` and `openbooking import status`."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openbooking.cli.database import with_system
from openbooking.cli.listing import Output
from openbooking.cli.output import show
from openbooking.printable import clean_text

if TYPE_CHECKING:
    from openbooking.importing.following.page_import import FollowOptions
    from openbooking.system import System


def follow(urls: Sequence[str], options: "FollowOptions", every: float, database: str | None) -> None:
    """Follow feeds until the process is stopped, and print a line for each page and each fault.

    Raises:
        ImportRefusedError: A feed cannot be followed.
    """
    # Slow to load; --help must be quick.
    from openbooking.harvest.client import async_client  # noqa: PLC0415
    from openbooking.importing.following.feed_follower import Means  # noqa: PLC0415
    from openbooking.importing.following.follow import follow_feeds  # noqa: PLC0415
    from openbooking.importing.following.progress import Pauses  # noqa: PLC0415

    async def work(system: "System") -> None:
        async with async_client() as client:
            means = Means(
                store=system.store,
                records=system.identity.store,
                client=client,
                clock=system.clock,
                options=options,
                pauses=Pauses(at_end=every),
                tell=lambda line: show(clean_text(line)),
                sleep=asyncio.sleep,
            )
            await follow_feeds(urls, means)

    with_system(database, work, writes_feeds=True, makes_new=True)


def show_status(database: str | None, *, json: bool, csv: bool) -> None:
    """Print a row for each feed that is followed."""
    from openbooking.back_office.rows.import_rows import ImportRow, import_row  # noqa: PLC0415 - slow to load
    from openbooking.back_office.rows.tables import TableContext  # noqa: PLC0415
    from openbooking.identity.import_records import FollowedFeed  # noqa: PLC0415

    async def work(system: "System") -> list[ImportRow]:
        zone = system.settings.policy.time_zone
        context = TableContext({}, zone, system.clock().astimezone(zone))
        return [import_row(feed, context) for feed in await system.identity.store.find(FollowedFeed)]

    Output(ImportRow, json=json, csv=csv).show(with_system(database, work))
