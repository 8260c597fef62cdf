"""`openbooking feed`: whether feeds tell the truth, and what helps where they cannot."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.store import Store
from openbooking.cli.database import with_store
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.rpde import MAX_CHANGE_NUMBER
from openbooking.settings import Settings, load_settings

# However fast items have changed since a backup, their numbers have not run ahead of the clock by a day's milliseconds.
_AHEAD = timedelta(days=1)

REPUBLISHER = Actor(ActorKind.ADMINISTRATOR, "feed republish")

feeds = typer.Typer(no_args_is_help=True)


@feeds.callback()
def group() -> None:
    """Whether feeds tell the truth, and what helps after a restore."""


@feeds.command("verify")
def verify(
    url: Annotated[
        str | None, typer.Argument(help="A feed of any system.", show_default="all open feeds of this one")
    ] = None,
    database: Database = None,
) -> None:
    """Follow a feed to its end, as a data user does, and tell what is wrong with it.

    The open feeds of this system, at its site_url, are compared with its database too; it may be in use meanwhile.
    """
    settings = load_settings(database=database)
    from openbooking.harvest.verification import verify_feed  # noqa: PLC0415 - longer to load than --help may take
    from openbooking.serving.own_feeds import verify_own_feeds  # noqa: PLC0415

    if not url:
        from openbooking.store.migrate import prepare  # noqa: PLC0415 - longer to load than --help may take

        prepare(settings.database, makes_new=False)
    sound = True
    for verdict in [verify_feed(url, show)] if url else verify_own_feeds(settings, show):
        show(f"{verdict.url}: {verdict.items} items on {verdict.pages} pages, {verdict.faults} faults")
        sound = sound and not verdict.faults
    if not sound:
        raise typer.Exit(1)


@feeds.command("republish")
def republish_feeds(database: Database = None) -> None:
    """After a change of site_url or api_path: write every item of the open feeds again, at the new address.

    Brokers find nothing by the old one any more. If it is stopped, run it again.
    """
    from openbooking.booking.commands.republish import republish  # noqa: PLC0415 - longer to load than --help may take

    async def do(store: Store) -> int:
        every = tuple(OpportunityType)
        return sum([await republish(store, seller.key, REPUBLISHER, every) for seller in await store.sellers()])

    show(f"Items of the open feeds that are renewed: {with_store(database, do):,}.")


@feeds.command("renumber")
def renumber(
    above: Annotated[
        int,
        typer.Option(
            help="A number that data users have seen.", min=0, max=MAX_CHANGE_NUMBER // 2, show_default="the clock's"
        ),
    ] = 0,
    database: Database = None,
) -> None:
    """After a restore from a backup: give every item of every feed a new number, so that it is harvested again.

    New numbers are above all there can have been since the backup was made; servers may run meanwhile.
    """
    from openbooking.store.migrate import prepare  # noqa: PLC0415 - longer to load than --help may take
    from openbooking.system import open_store  # noqa: PLC0415

    async def do(settings: Settings) -> int:
        store = open_store(settings)
        try:
            tomorrow = int((datetime.now(UTC) + _AHEAD).timestamp() * 1000)
            return await store.renumber(max(above, tomorrow))
        finally:
            await store.close()

    settings = load_settings(database=database)
    prepare(settings.database, makes_new=False)
    show(f"{asyncio.run(do(settings))} feed items have new numbers, and will be harvested again.")
