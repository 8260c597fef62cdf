"""`openbooking feed`: check feeds, publish them again and renumber them."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.cli.database import with_database, with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.rpde import MAX_CHANGE_NUMBER
from openbooking.settings import load_settings

if TYPE_CHECKING:
    from openbooking.system import System

# Change numbers follow the clock in milliseconds. Numbers since a backup are less than a day ahead of the clock.
_AHEAD = timedelta(days=1)

REPUBLISHER = Actor(ActorKind.ADMINISTRATOR, "feed republish")

feeds = typer.Typer(help="Check feeds against the database, and renumber them after a restore.", no_args_is_help=True)


@feeds.command("verify")
def verify(
    url: Annotated[
        str | None, typer.Argument(help="A feed of any system.", show_default="all open feeds of this one")
    ] = None,
    database: Database = None,
) -> None:
    """Read a feed to its end, as a harvester does, and report its faults.

    Without a URL, read the open feeds at the site_url of this system, and compare them with the database. Servers may
    keep running.
    """
    settings = load_settings(database=database)
    from openbooking.harvest.verification import verify_feed  # noqa: PLC0415 - slow to load
    from openbooking.serving.own_feeds import verify_own_feeds  # noqa: PLC0415

    sound = True
    for verdict in [verify_feed(url, show)] if url else verify_own_feeds(settings, show):
        show(f"{verdict.url}: {verdict.items} items on {verdict.pages} pages, {verdict.faults} faults")
        sound = sound and not verdict.faults
    if not sound:
        raise typer.Exit(1)


@feeds.command("republish")
def republish_feeds(database: Database = None) -> None:
    """Write every item of the open feeds again, after a change of site_url or api_path.

    Brokers can no longer book by the old addresses. If the command is interrupted, run it again.
    """
    from openbooking.booking.commands.opportunities.republish import republish  # noqa: PLC0415 - slow to load

    async def do(system: "System") -> int:
        store, every = system.store, tuple(OpportunityType)
        return sum([await republish(store, seller.key, REPUBLISHER, every) for seller in await store.sellers()])

    show(f"Wrote {with_system(database, do):,} items of the open feeds again.")


@feeds.command("renumber")
def renumber(
    above: Annotated[
        int,
        typer.Option(
            help="The highest number that harvesters have seen.",
            min=0,
            max=MAX_CHANGE_NUMBER // 2,
            show_default="the clock's",
        ),
    ] = 0,
    database: Database = None,
) -> None:
    """Give every item of every feed a new change number after a restore, so that harvesters read all items again.

    The new numbers are higher than all numbers since the backup. Servers may keep running.
    """
    tomorrow = int((datetime.now(UTC) + _AHEAD).timestamp() * 1000)
    number = with_database(database, lambda store: store.renumber(max(above, tomorrow)))
    show(f"{number} feed items have new numbers. Harvesters will read them again.")
