"""`openbooking feed`: whether feeds tell the truth."""

from typing import Annotated

import typer

from openbooking.cli.options import Database
from openbooking.settings import load_settings

feeds = typer.Typer(no_args_is_help=True)


@feeds.callback()
def group() -> None:
    """Whether feeds tell the truth."""


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
    from openbooking.cli.feed_verify import verify_feed, verify_own_feeds  # noqa: PLC0415 - too long for --help

    harvests = verify_feed(url) if url else verify_own_feeds(settings)
    for harvest in harvests:
        for line in harvest.wrong:
            typer.echo(line)
        count = f"{len(harvest.items)} items on {harvest.pages} pages"
        typer.echo(f"{harvest.url}: {count}, {len(harvest.wrong)} faults")
    if any(harvest.wrong for harvest in harvests):
        raise typer.Exit(1)
