"""`openbooking timetable`: apply files, export, list, show and remove entries, close courts, and show a week."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from openbooking.back_office.office import Office
from openbooking.back_office.pages import read_rows
from openbooking.back_office.rows.occurrence_rows import OccurrenceRow, occurrence_row
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import Closure, Facility, TimetableRule, Venue
from openbooking.cli.bookings.office import SellerOption, Yes, with_office
from openbooking.cli.database import administrator
from openbooking.cli.faults import CommandError
from openbooking.cli.listing import Csv, Json, Output
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.cli.timetable.calendars import import_ics, show_calendar
from openbooking.cli.timetable.changing import (
    ChangeOptions,
    DryRun,
    Message,
    Rules,
    change_timetable,
    stored_entries,
)
from openbooking.cli.timetable.rows import EntryRow, entry_row
from openbooking.cli.values import day_option, read_period
from openbooking.timetable.files.content import SourceFile, read_files
from openbooking.timetable.files.documents import TimetableFileError
from openbooking.timetable.files.shapes import path_of_field
from openbooking.timetable.files.toml_writing import write_toml
from openbooking.timetable.files.words import read_date_time
from openbooking.timetable.whole_check import new_faults

timetable = typer.Typer(
    help="Read a timetable from files, export it, and list, remove and close its entries.", no_args_is_help=True
)

timetable.command("import-ics")(import_ics)

_DAYS_OF_A_WEEK = 7
Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="The keys of entries.")]


def _read_time(text: str) -> datetime:
    try:
        return read_date_time(text)
    except ValueError as fault:
        message = f"{text!r} is no date and time such as '2026-12-05 18:15'."
        raise typer.BadParameter(message) from fault


def _time_option(name: str, meaning: str) -> Any:
    """Return an option whose value is a time on the wall clock."""
    return typer.Option(name, parser=_read_time, metavar="TIME", help=meaning)


@timetable.command("apply")
def apply(  # noqa: PLR0913 - one parameter for each option
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="A TOML file, or CSV files of venues, classes or courts.")
    ],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Remove the entries that the files do not have.")] = False,
    message: Message = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Store the entries of files, all or none of them. Show beforehand what will change, and ask.

    Entries that the files do not have stay, unless --replace is given.
    """
    sources = [SourceFile(str(file), _content(file)) for file in files]

    def decide(chosen: Seller, stored: Mapping[str, TimetableRule]) -> Rules:
        rules = read_files(chosen, sources, stored, replace=replace)
        return Rules(rules, frozenset(stored.keys() - rules.keys()) if replace else frozenset())

    options = ChangeOptions("apply", database, seller, message, yes=yes, dry_run=dry_run)
    try:
        change_timetable(options, decide)
    except TimetableFileError as fault:
        for each in fault.faults:
            show_aside(each)
        number = len(fault.faults)
        raise CommandError(f"{number} fault{'s' if number > 1 else ''} found, so nothing was applied.") from fault


@timetable.command("export")
def export(
    *,
    ics: Annotated[
        str,
        typer.Option(
            metavar="KEY|PATH",
            help="Print a calendar instead: that of a venue, or of the path of a class, a facility or a court.",
        ),
    ] = "",
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Print all entries as TOML, which `openbooking timetable apply` reads, or with --ics a calendar."""
    if ics:
        show_calendar(database, seller, ics)
        return
    _show_entries(database, seller, "export")


@timetable.command("list")
def list_entries(
    *, json: Json = False, csv: Csv = False, seller: SellerOption = None, database: Database = None
) -> None:
    """List the entries, and until when their occurrences are published."""
    output = Output(EntryRow, json=json, csv=csv)

    async def work(office: Office) -> None:
        entries = await stored_entries(office, administrator("timetable list"))
        output.show(map(entry_row, entries.values()))

    with_office(database, seller, work)


@timetable.command("show")
def show_entries(keys: Keys, *, seller: SellerOption = None, database: Database = None) -> None:
    """Print some entries as TOML."""
    _show_entries(database, seller, "show", keys)


@timetable.command("remove")
def remove(  # noqa: PLR0913 - one parameter for each option
    keys: Keys,
    *,
    message: Message = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Remove entries, with their coming occurrences. Show beforehand what will change, and ask."""

    def decide(chosen: Seller, stored: Mapping[str, TimetableRule]) -> Rules:
        _require(keys, stored)
        _check(chosen, stored, {key: rule for key, rule in stored.items() if key not in keys})
        return Rules(removed=frozenset(keys))

    change_timetable(ChangeOptions("remove", database, seller, message, yes=yes, dry_run=dry_run), decide)


@timetable.command("close")
def close(  # noqa: PLR0913 - one parameter for each option
    courts: Annotated[
        list[str],
        typer.Argument(metavar="COURT...", help="FACILITY/COURT, or the key of a class, a facility or a venue."),
    ],
    *,
    first: Annotated[datetime, _time_option("--from", 'The start, such as "2026-12-05 18:00".')],
    last: Annotated[datetime, _time_option("--to", "The end.")],
    name: Annotated[str, typer.Option(help="The reason.")] = "Closed",
    message: Message = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Add a closure of courts, classes, facilities or venues. Show beforehand what will change, and ask."""

    def decide(chosen: Seller, stored: Mapping[str, TimetableRule]) -> Rules:
        closures = dict(_closure(court, stored, name, first, last) for court in courts)
        _check(chosen, stored, {**stored, **closures})
        return Rules(closures)

    change_timetable(ChangeOptions("close", database, seller, message, yes=yes, dry_run=dry_run), decide)


@timetable.command("week")
def week(
    *,
    day: Annotated[date | None, day_option("A day of the week.", "--of", default="today")] = None,
    json: Json = False,
    csv: Csv = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """List the occurrences of a week, from Monday to Sunday, and how many spaces are booked."""
    output = Output(OccurrenceRow, json=json, csv=csv)

    async def work(office: Office) -> None:
        chosen = day or office.context.now.date()
        monday = chosen - timedelta(days=chosen.weekday())
        since, until = read_period(monday, monday + timedelta(days=_DAYS_OF_A_WEEK - 1), office.context.zone)
        found = read_rows(lambda after: office.views.occurrences(since, until, after))
        output.show([occurrence_row(occurrence, office.context) async for occurrence in found])

    with_office(database, seller, work)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise CommandError(f"{file} cannot be read: {fault.strerror}.") from fault


def _show_entries(database: str | None, seller: str | None, command: str, keys: Iterable[str] | None = None) -> None:
    """Print entries as TOML: those with some keys, or all of them."""

    async def work(office: Office) -> None:
        entries = await stored_entries(office, administrator(f"timetable {command}"))
        stored = {key: entry.rule for key, entry in entries.items()}
        _require(keys or (), stored)
        written = write_toml({key: stored[key] for key in keys or stored}, office.seller.default_vat)
        for line in written.splitlines():
            show(line)

    with_office(database, seller, work)


def _require(keys: Iterable[str], stored: Mapping[str, TimetableRule]) -> None:
    """Raise CommandError unless all keys are those of stored entries."""
    unknown = [key for key in keys if key not in stored]
    if unknown:
        raise CommandError(f"The timetable has no entry {unknown[0]}. `openbooking timetable list` lists the entries.")


def _check(seller: Seller, stored: Mapping[str, TimetableRule], after: Mapping[str, TimetableRule]) -> None:
    """Raise CommandError if the change causes faults."""
    told = [
        f"{key}{''.join(f' {part}' for part in path_of_field(after[key], fault.field))}: {fault.text}"
        for key, faults in new_faults(seller, stored, after).items()
        for fault in faults
    ]
    if told:
        raise CommandError(" ".join(told))


def _closure(
    place: str, stored: Mapping[str, TimetableRule], name: str, start: datetime, end: datetime
) -> tuple[str, Closure]:
    """Return the key and the rule of the closure of a court, class, facility or venue."""
    entry, slash, court = place.partition("/")
    _require([entry], stored)
    if slash and not isinstance(stored[entry], Facility):
        raise CommandError(f"{entry} is no facility, so it has no court {court}.")
    key = f"closed-{place.replace('/', '-')}-{start:%Y%m%d-%H%M}"
    if isinstance(stored[entry], Venue):
        return key, Closure(name=name, start=start, end=end, venue=entry)
    return key, Closure(name=name, start=start, end=end, entry=entry, court=court)
