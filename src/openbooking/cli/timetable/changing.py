"""The change of a timetable by a command: its effect is shown, confirmed and then applied as a whole."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, NamedTuple

import typer

from openbooking.back_office.office import Office
from openbooking.back_office.pages import read_rows
from openbooking.back_office.plans import Plan
from openbooking.booking.commands.find_opportunities import FindBySource
from openbooking.booking.commands.timetable import ApplyTimetable, GetTimetable
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.timetable import SOURCE_PREFIX, TimetableEntry, TimetableRule
from openbooking.cli.bookings.office import ask, check_message, with_office
from openbooking.cli.database import administrator
from openbooking.cli.listing import Output
from openbooking.cli.output import show
from openbooking.cli.timetable.rows import BookedRow, EffectRow, booked_rows, effect_rows
from openbooking.settings import load_settings
from openbooking.timetable.changes import TimetableChanges
from openbooking.timetable.preview import TimetableEdit, effects
from openbooking.timetable.surroundings import site_of

Message = Annotated[str, typer.Option(help="The message to Customers whose bookings the change cancels.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the effect, and change nothing.")]

_ROWS_OF_A_PAGE = 500
_INSTANT = timedelta(microseconds=1)


class Rules(NamedTuple):
    """The rules that a command stores, by key, and the keys of the entries that it removes."""

    stored: Mapping[str, TimetableRule] = {}
    removed: frozenset[str] = frozenset()


# Returns the rules of a command. The arguments are the Seller and the stored rules.
Decide = Callable[[Seller, Mapping[str, TimetableRule]], Rules]


class ChangeOptions(NamedTuple):
    """The options of a command that changes a timetable.

    Attributes:
        command: The name of the command, for the activity log.
        database: The value of --database.
        seller: The value of --seller.
        message: The value of --message.
        yes: The value of --yes.
        dry_run: The value of --dry-run.
    """

    command: str
    database: str | None
    seller: str | None
    message: str = ""
    yes: bool = False
    dry_run: bool = False


def change_timetable(options: ChangeOptions, decide: Decide) -> None:
    """Show the effect of a change, ask, and apply the change."""
    actor, message = administrator(f"timetable {options.command}"), check_message(options.message)
    policy = load_settings(database=options.database).policy

    async def work(office: Office) -> None:
        edit = await _edit(office, decide, actor)
        if not (edit.added or edit.changed or edit.removed):
            show("Nothing changes.")
            return
        stored = await office.execute(FindBySource(frozenset({f"{SOURCE_PREFIX}{edit.seller}/"}), actor=actor))
        found = await _effects(office, edit, stored, policy)
        _show_effect(edit, found, [row for each in found.values() for row in booked_rows(each, stored, office.context)])
        if options.dry_run:
            show("Nothing was changed, because of --dry-run.")
            return
        plan = _plan(edit, found, message)
        if not options.yes:
            ask(plan)
        await office.execute(plan.command)
        show(plan.done)

    with_office(options.database, options.seller, work, changes=True)


async def stored_entries(office: Office, actor: Actor) -> dict[str, TimetableEntry]:
    """Return the entries of the timetable of the Seller that have not ended, by key, in the order of their keys."""
    timetable = await office.execute(GetTimetable(seller=office.seller.key, actor=actor))
    return {key.key: entry for key, entry in sorted(timetable.items()) if not entry.ended}


async def _edit(office: Office, decide: Decide, actor: Actor) -> TimetableEdit:
    stored = await stored_entries(office, actor)
    rules = decide(office.seller, {key: entry.rule for key, entry in stored.items()})
    return TimetableEdit(office.seller.key, stored, rules.stored, rules.removed, actor, site_of(office.seller))


async def _effects(
    office: Office, edit: TimetableEdit, stored: Mapping[str, Opportunity], policy: Policy
) -> dict[str, TimetableChanges]:
    """Return the changes of the occurrences of each entry, with the numbers of booked spaces."""
    found = {key.key: each for key, each in effects(edit, stored.values(), {}, policy, office.context.now)}
    affected = [
        item
        for changes in found.values()
        for item in (*changes.removed, *(change.before for change in changes.changed))
        if item.type.bookable
    ]
    booked = await _booked(office, affected)
    return {
        key: changes._replace(booked={path: booked[path] for path in _affected_paths(changes) & booked.keys()})
        for key, changes in found.items()
    }


def _affected_paths(changes: TimetableChanges) -> set[str]:
    return {*(item.path for item in changes.removed), *(change.after.path for change in changes.changed)}


async def _booked(office: Office, affected: Iterable[Opportunity]) -> dict[str, int]:
    """Return how many spaces of Opportunities are booked, by path, without those that are not booked."""
    now = office.context.now
    coming = {item.path: item.start for item in affected if item.start and item.start >= now}
    others = [item.path for item in affected if item.path not in coming]
    booked = {}
    if coming:
        since, until = min(coming.values()), max(coming.values())
        view = office.views.occurrences
        period = (since, until + _INSTANT)
        async for row in read_rows(lambda after: view(*period, after, limit=_ROWS_OF_A_PAGE)):
            booked[row.path] = row.booked
    for path in others:
        found = await office.views.occurrence(path)
        booked[path] = found.booked if found else 0
    return {path: spaces for path, spaces in booked.items() if spaces}


def _show_effect(edit: TimetableEdit, found: Mapping[str, TimetableChanges], booked: Sequence[BookedRow]) -> None:
    Output(EffectRow, json=False, csv=False).show(effect_rows(edit, found))
    if booked:
        show()
        show("These occurrences have bookings:")
        Output(BookedRow, json=False, csv=False).show(booked)


def _plan(edit: TimetableEdit, found: Mapping[str, TimetableChanges], message: str) -> Plan:
    command = ApplyTimetable(
        seller=edit.seller,
        seen={key: entry.revision for key, entry in edit.stored.items()},
        rules=edit.rules,
        removed=edit.removed,
        message=message or None,
        actor=edit.actor,
    )
    numbers = f"{len(edit.added)} added, {len(edit.changed)} changed, {len(edit.removed)} removed"
    done = f"Entries: {numbers}. A running server publishes the occurrences within a minute."
    cancelled = sum(len(changes.removed_booked) for changes in found.values())
    if not cancelled:
        return Plan(command, done, question="Apply this?")
    question = f"This cancels {cancelled} booked occurrences, and cannot be undone. Type this number to apply it"
    return Plan(command, done, question=question, number=cancelled)
