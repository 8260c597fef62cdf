"""The change of a timetable by a command: its effect is shown, confirmed and then applied as a whole."""

from collections.abc import Callable, Mapping
from typing import Annotated, NamedTuple

import typer

from openbooking.back_office.office import Office
from openbooking.back_office.plans.plan import Plan, count
from openbooking.back_office.plans.timetable_effects import TimetableEffect, timetable_effect
from openbooking.back_office.rows.tables import TableContext
from openbooking.booking.commands.opportunities.timetable import ApplyTimetable, GetTimetable
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.timetable import TimetableEntry, TimetableRule
from openbooking.cli.bookings.office import ask, check_message, with_office
from openbooking.cli.database import administrator
from openbooking.cli.listing import Output
from openbooking.cli.output import show
from openbooking.cli.timetable.rows import BookedRow, EffectRow, booked_rows, effect_rows
from openbooking.settings import load_settings
from openbooking.timetable.edits import TimetableEdit
from openbooking.timetable.surroundings import site_of

Message = Annotated[str, typer.Option(help="The message to Customers whose bookings the change cancels.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the effect, and change nothing.")]


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
        effect = await timetable_effect(office.store, edit, policy, office.context.now)
        _show_effect(edit, effect, office.context)
        if options.dry_run:
            show("Nothing was changed, because of --dry-run.")
            return
        plan = _plan(edit, effect, message)
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


def _show_effect(edit: TimetableEdit, effect: TimetableEffect, context: TableContext) -> None:
    Output(EffectRow, json=False, csv=False).show(effect_rows(edit, effect))
    booked = [row for each in effect.entries for row in booked_rows(each, context)]
    if booked:
        show()
        show("These occurrences have bookings:")
        Output(BookedRow, json=False, csv=False).show(booked)


def _plan(edit: TimetableEdit, effect: TimetableEffect, message: str) -> Plan:
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
    cancelled = len(effect.cancelled)
    if not cancelled:
        return Plan(command, done, question="Apply this?")
    what = f"{count(cancelled, 'booked occurrence')} of {count(len(effect.bookings), 'customer')}"
    question = f"This cancels {what}, and cannot be undone. Type the number of occurrences to apply it"
    return Plan(command, done, question=question, number=cancelled)
