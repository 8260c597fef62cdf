"""`openbooking import`: import the Opportunities that a provider publishes, to sell them here."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from operator import ge
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.listing import Csv, Json
from openbooking.cli.operations.followed_feeds import follow, show_status
from openbooking.cli.options import Database
from openbooking.cli.output import confirm, show
from openbooking.importing.errors import NotConfirmedError
from openbooking.openactive.money import VatTreatment
from openbooking.settings import load_settings
from openbooking.user_error import UserError

if TYPE_CHECKING:
    from openbooking.importing.reading.schedules import Horizon
    from openbooking.system import System


def import_(  # noqa: PLR0913 - one parameter for each option
    paths_or_urls: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|URL|status",
            help="A file, a folder of files, - for standard input, or the URL of a feed or a file; with --follow the "
            "URLs of several feeds. The word status shows the feeds that are followed.",
        ),
    ],
    *,
    seller: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The Seller of all items, instead of the Sellers that the items name."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The name of the source, by which a later import recognises the items.",
            show_default="the URL without cursor and credentials, or the full path",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result for each item to a file, as JSON lines.")
    ] = None,
    hand_over: Annotated[
        bool,
        typer.Option(
            "--hand-over", help="Allow items to change their Seller: withdraw them from the present Seller first."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report the result for each item without any change.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Import without asking, even if that cancels Orders.")] = False,
    vat: Annotated[
        VatTreatment | None,
        typer.Option(help="The VAT treatment of imported Offers.", show_default="the Seller's: see seller add --vat"),
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep a copy of the feed in FILE. The next import reads only later changes.",
        ),
    ] = None,
    follow_: Annotated[
        bool,
        typer.Option("--follow", help="Read feeds to their end and go on, until the process is stopped."),
    ] = False,
    expand_schedules: Annotated[
        bool,
        typer.Option("--expand-schedules", help="Make the sessions of Schedules, for feeds that publish no sessions."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With --follow: read the feeds again from their first page, then go on.")
    ] = False,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="With --follow: the pause at the end of a feed.")
    ] = 60,
    json: Json = False,
    csv: Csv = False,
    database: Database = None,
) -> None:
    """Import sessions, facilities, Slots and events that a provider publishes. Repeat the import to update them.

    With --follow, an import resumes where it was stopped, and tries again after faults. `openbooking import status`
    shows how far each feed was followed; --json and --csv are for that list.

    The exit status is 0 if all items were imported, 1 if some items could not be imported, and 2 if some of the input
    could not be read.
    """
    if paths_or_urls == ["status"]:
        show_status(database, json=json, csv=csv)
        return
    if follow_:
        refused = {
            "--source": source,
            "--copy": copy,
            "--dry-run": dry_run,
            "--hand-over": hand_over,
            "--expand-schedules": expand_schedules,
        }
        _check_follow_options(refused)
        unasked = None if yes else load_settings(database=database).orders_cancelled_unasked
        confirm_pages = None if unasked is None else partial(ge, unasked)
        from openbooking.importing.following.page_import import FollowOptions  # noqa: PLC0415 - slow to load

        with _open_report(report) as json_file:
            chosen_options = FollowOptions(seller, vat, confirm_pages, json_file, again)
            follow(paths_or_urls, chosen_options, every, database)
        return
    if len(paths_or_urls) > 1:
        raise CommandError("Give one file or feed, or several feeds with --follow.")
    (path_or_url,) = paths_or_urls
    # Slow to load; --help must be quick.
    from openbooking.cli.operations.import_report import ConsoleReport  # noqa: PLC0415
    from openbooking.importing.page_sources import pages  # noqa: PLC0415
    from openbooking.importing.reading.source import named_source, source_of  # noqa: PLC0415
    from openbooking.importing.report import ExitStatus  # noqa: PLC0415
    from openbooking.importing.run import ImportOptions, run_import  # noqa: PLC0415

    try:
        known_as = named_source(source) if source else source_of(path_or_url)
        options = ImportOptions(known_as, seller, hand_over=hand_over, dry_run=dry_run, vat=vat)
        unasked = load_settings(database=database).orders_cancelled_unasked
        with _open_report(report) as json_lines:
            lines = ConsoleReport(json_lines)
            confirm_orders = None if yes else partial(_confirm_orders, unasked)

            async def work(system: "System") -> None:
                chosen = options._replace(horizon=_horizon(system)) if expand_schedules else options
                await run_import(system.store, pages(path_or_url, copy, lines.counting), lines, chosen, confirm_orders)

            with_system(database, work, writes_feeds=True, makes_new=not dry_run)
    except NotConfirmedError as refusal:
        status = max(lines.exit_status, ExitStatus.LEFT_OUT)
        raise CommandError(f"{refusal} List them with --dry-run, and import with --yes.", status) from refusal
    except UserError as refusal:
        raise CommandError(str(refusal), ExitStatus.NOT_READ_TO_THE_END) from refusal
    show(lines.summary())
    if dry_run:
        show(_dry_run_summary(len(lines.cancelled), unasked))
    if lines.exit_status:
        raise typer.Exit(lines.exit_status)


def _horizon(system: "System") -> "Horizon":
    """Return the time for which sessions of Schedules are made: as far ahead as those of timetables.

    It begins two days ago, so that an import does not withdraw sessions before the upkeep takes them out of the feeds.
    """
    from openbooking.importing.reading.schedules import Horizon  # noqa: PLC0415 - slow to load

    now = system.clock()
    return Horizon(now - timedelta(days=2), now + system.settings.policy.publish_ahead)


def _check_follow_options(refused: Mapping[str, object]) -> None:
    """Raise CommandError if an option is given that does not go with --follow."""
    for name, value in refused.items():
        if value:
            raise CommandError(f"{name} cannot be used with --follow.")


def _dry_run_summary(orders: int, unasked: int) -> str:
    """Return the last line of a dry run, with the number of Orders that the import would cancel."""
    if not orders:
        return "Nothing was changed."
    asks = f" and asks first, because these are more than {unasked:,}" if orders > unasked else ""
    return f"Nothing was changed. The import cancels {orders:,} Orders{asks}."


def _confirm_orders(unasked: int, orders: int) -> bool:
    """Return whether this number of Orders may be cancelled. Ask at the terminal if it is more than `unasked`."""
    if orders <= unasked:
        return True
    return sys.stdin.isatty() and confirm(f"The import cancels {orders:,} Orders, which cannot be undone. Continue?")


def _open_report(report: Path | None) -> AbstractContextManager[IO[bytes] | None]:
    """Open the file of --report for writing, if there is one."""
    if report is None:
        return nullcontext()
    try:
        return report.open("wb")
    except OSError as fault:
        raise UserError(f"The report {report} cannot be written: {fault.strerror}.") from fault
