"""`openbooking timetable import-ics`, and the calendar that `openbooking timetable export --ics` prints."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.back_office.plans.plan import count
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import Concept, EntryKey, Price, TimetableRule, Venue
from openbooking.booking.views import StoreWithViews
from openbooking.cli.bookings.office import SellerOption, Yes, choose_seller
from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.cli.timetable.changing import ChangeOptions, DryRun, Message, Rules, change_timetable
from openbooking.cli.values import amount_option
from openbooking.settings import load_settings
from openbooking.timetable.concepts import Vocabulary, find, search

if TYPE_CHECKING:
    from openbooking.system import System
    from openbooking.timetable.calendars.reading import LeftOut, ReadCalendar


def import_ics(  # noqa: PLR0913 - one parameter for each option
    path_or_url: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="The iCalendar file, or its URL (https, http or webcal).")
    ],
    *,
    venue: Annotated[str, typer.Option(metavar="KEY", help="The key of the venue of all events.")],
    capacity: Annotated[int, typer.Option(help="How many spaces of each date are sold.")],
    price: Annotated[Decimal, amount_option("The price of one space; 0 if it is free.")],
    price_name: Annotated[str, typer.Option(help="The name of the price.")] = "Standard",
    activity: Annotated[
        list[str] | None,
        typer.Option(help="An activity of OpenActive's list, of events without such a category; may be repeated."),
    ] = None,
    url: Annotated[str, typer.Option(help="The web page of events without one; by default that of the Seller.")] = "",
    message: Message = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    seller: SellerOption = None,
    database: Database = None,
) -> None:
    """Store the weekly classes and single events of a calendar, all or none of them. Show what will change, and ask.

    An event that the timetable cannot represent is left out, and listed with its line and UID. The exit
    status then is 1.

    A later import of the same calendar changes the entries of the first one, but not their capacities and prices.
    """
    # Slow to load; --help must be quick.
    from openbooking.importing.calendar_files import read_calendar_file  # noqa: PLC0415
    from openbooking.timetable.calendars.edit import edit_by_calendar  # noqa: PLC0415
    from openbooking.timetable.calendars.reading import EntryDefaults, read_calendar  # noqa: PLC0415

    concepts = tuple(_concept(name) for name in activity or ())
    zone = load_settings(database=database).policy.time_zone
    content = read_calendar_file(path_or_url)
    left_out: list[LeftOut] = []

    def decide(chosen: Seller, stored: Mapping[str, TimetableRule]) -> Rules:
        prices = (Price(name=price_name, amount=price, vat=chosen.default_vat),)
        read = read_calendar(content, EntryDefaults(venue, capacity, prices, url, concepts), zone, datetime.now(UTC))
        _show_locations(read, venue, stored)
        edit = edit_by_calendar(read, stored, chosen)
        left_out.extend(edit.left_out)
        for each in edit.left_out:
            show("left out", f"line {each.line}", each.uid, each.reason)
        return Rules(edit.rules)

    change_timetable(ChangeOptions("import-ics", database, seller, message, yes=yes, dry_run=dry_run), decide)
    if left_out:
        told = f"Left out: {count(len(left_out), 'event')}, with the reasons above."
        raise CommandError(
            f"{told} Correct an option that is the reason, such as --activity; enter the others by hand."
        )


def show_calendar(database: str | None, seller: str | None, name: str) -> None:
    """Print the calendar of a class, facility, court or Venue, as it is published.

    Args:
        database: The value of --database.
        seller: The value of --seller.
        name: The key of a Venue, or the path of a SessionSeries, a FacilityUse or an IndividualFacilityUse.
    """
    from openbooking.timetable.calendars.published import (  # noqa: PLC0415 - slow to load
        CalendarSource,
        opportunity_calendar,
        venue_calendar,
    )

    async def work(system: "System") -> bytes | None:
        chosen = choose_seller(await system.store.sellers(), seller)
        if not isinstance(system.store, StoreWithViews):
            raise CommandError("This store has no views, so it has no calendars.")
        source = CalendarSource(system.store, system.store.views, system.ids, system.settings.policy.time_zone)
        if "/" in name:
            return await opportunity_calendar(source, name, system.clock())
        return await venue_calendar(source, EntryKey(chosen.key, name), system.clock())

    calendar = with_system(database, work)
    if calendar is None:
        raise CommandError(f"{name} is neither the key of a venue nor the path of a class or facility on sale.")
    for line in calendar.decode().splitlines():
        show(line)


def _concept(name: str) -> Concept:
    concept = find(Vocabulary.ACTIVITIES, name)
    if concept is None:
        labels = ", ".join(each.label for each in search(Vocabulary.ACTIVITIES, name, 5))
        hint = f" It has {labels}." if labels else ""
        raise CommandError(f"OpenActive's activity list has no {name}.{hint}")
    return concept


def _show_locations(read: "ReadCalendar", key: str, stored: Mapping[str, TimetableRule]) -> None:
    """Report the locations of the calendar that are not the Venue; raise CommandError if there is no such Venue."""
    venue = stored.get(key)
    if not isinstance(venue, Venue):
        known = ", ".join(sorted(name for name, rule in stored.items() if isinstance(rule, Venue)))
        hint = f"Its venues are: {known}." if known else "Add it in the console, or with `openbooking timetable apply`."
        raise CommandError(f"The timetable has no venue {key}. {hint}")
    for location, number in sorted(read.locations.items()):
        if venue.name.casefold() not in location.casefold():
            show_aside(f"Taken over at {venue.name}: {count(number, 'event')} at {location!r}.")
