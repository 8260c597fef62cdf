"""`openbooking import-bookings`: take over the bookings of a former system."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.bookings.office import SellerOption, choose_seller
from openbooking.cli.database import administrator, with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.user_error import UserError

if TYPE_CHECKING:
    from openbooking.moving_in.run import MovingInReport
    from openbooking.system import System


def import_bookings(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file; docs/how-to/move-in.md has its columns.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would be booked without any change.")] = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Book the existing bookings of a former system as Orders of the front desk: all rows of the file, or none.

    A row that was booked by an earlier run is left as it is, so that the command can be repeated.
    """
    # Slow to load; --help must be quick.
    from openbooking.moving_in.columns import MOST_BYTES  # noqa: PLC0415
    from openbooking.moving_in.run import MovingIn, import_bookings  # noqa: PLC0415

    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as fault:
        raise UserError(f"{file} cannot be read: {fault.strerror}.") from fault

    async def work(system: "System") -> "MovingInReport":
        chosen = choose_seller(await system.store.sellers(), seller)
        actor = administrator("import-bookings")
        place = MovingIn(system.store, chosen, system.settings.policy, system.ids, system.clock(), actor)
        return await import_bookings(place, content, dry_run=dry_run)

    _show(with_system(database, work, writes_feeds=True), dry_run=dry_run)


def _show(report: "MovingInReport", *, dry_run: bool) -> None:
    """Print the result; raise CommandError if there are faults."""
    for fault in report.faults:
        show(f"Line {fault.line}", fault.column or "row", fault.text)
    if report.faults:
        raise CommandError("Nothing was booked. Correct these lines, and run the command again.")
    if report.known:
        lines = ", ".join(map(str, report.known[:20]))
        more = " and others" if report.known[20:] else ""
        show(f"Rows booked by an earlier run: {len(report.known):,} (line {lines}{more}).")
    show(f"{'Rows that can be booked' if dry_run else 'Rows booked'}: {report.booked:,}.")
