"""The forms of the entries of a timetable, and the page that shows the effect of a change before it is saved."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPMethod
from typing import Any, NamedTuple

from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.back_office.plans.timetable_effects import TimetableEffect, timetable_effect
from openbooking.booking.commands.opportunities.timetable import (
    GetTimetable,
    RemoveTimetableEntry,
    SaveTimetableEntry,
)
from openbooking.booking.model.errors import TimetableChangedError
from openbooking.booking.model.timetable import Closure, EntryKey, TimetableEntry, TimetableRule
from openbooking.openactive.errors import OpenBookingError
from openbooking.timetable.check import check, check_removal
from openbooking.timetable.checking.faults import Fault
from openbooking.timetable.concepts import search
from openbooking.timetable.edits import TimetableEdit
from openbooking.timetable.offers import offer_key
from openbooking.timetable.surroundings import site_of
from openbooking.web.console.addresses import (
    CLOSE_PATH,
    TIMETABLE_PATH,
    add_path,
    entry_path,
    remove_path,
)
from openbooking.web.console.confirmation import confirmation
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.console.timetable.choices import Timetable, choices_of
from openbooking.web.console.timetable.effect_rows import effect_values
from openbooking.web.console.timetable.kinds import Input
from openbooking.web.console.timetable.parts import (
    SEARCH,
    Shown,
    errors_at,
    fill,
    fresh,
    problem_of,
    read,
    show,
    tidied,
)
from openbooking.web.console.timetable.rule_forms import COURT_CLOSURE, FORMS, RuleForm, RuleKind, kind_of
from openbooking.web.pages import Form, Problem

_METHODS = ("GET", "POST")
CHANGED = Fault(
    "", "Somebody has changed this entry since you opened it. Nothing has been saved. This is how it is now."
)
_OTHER_EFFECT = "The bookings have changed since you opened this page. Nothing has been saved. Look at them again."
_LONGEST_KEY = 30
ADD_ROWS, BACK = "rows:", "edit"
_FIND, _SAVE = "find", "save"


class Asked(NamedTuple):
    """An entry that is edited.

    Attributes:
        form: The form of its kind.
        action: The path of the form.
        timetable: The stored timetable of the Seller.
        known: The stored entry; None for a new one.
    """

    form: RuleForm
    action: str
    timetable: Timetable
    known: TimetableEntry | None = None

    @property
    def seen(self) -> int | None:
        """The revision of the stored entry."""
        return self.known.revision if self.known else None

    def is_seen(self, sent: Form) -> bool:
        """Return whether a form was made for this revision."""
        return sent.get("seen", "") == str(self.seen or "")


class EditingPages:
    """The pages that add, change and remove entries."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes. All staff close a court; managers change everything else."""
        route = partial(self._console.route, methods=_METHODS, managers_only=True)
        kinds = [(add_path(kind), FORMS[kind]) for kind in RuleKind]
        return [
            *(route(_below(path), partial(self._add, form, path)) for path, form in kinds),
            route("/timetable/entries/{entry}", self._change),
            route("/timetable/entries/{entry}/remove", self._remove),
            self._console.route(_below(CLOSE_PATH), partial(self._add, COURT_CLOSURE, CLOSE_PATH), _METHODS),
        ]

    async def _add(self, form: RuleForm, action: str, visit: ConsoleVisit) -> Response:
        return await _edit(visit, Asked(form, action, await timetable_of(visit)))

    async def _change(self, visit: ConsoleVisit) -> Response:
        timetable = await timetable_of(visit)
        known = _known(visit, timetable)
        return await _edit(visit, Asked(FORMS[kind_of(known.rule)], entry_path(known.key), timetable, known))

    async def _remove(self, visit: ConsoleVisit) -> Response:
        timetable = await timetable_of(visit)
        known = _known(visit, timetable)
        asked = Asked(FORMS[kind_of(known.rule)], remove_path(known.key), timetable, known)
        form = await visit.form() if visit.request.method == HTTPMethod.POST else None
        faults = check_removal(known, timetable.values())
        if faults:
            problem = Problem(faults[0].text) if form is not None else None
            return visit.page("timetable/remove_refused.html", problem=problem, entry=known, faults=faults)
        effect = await _effect(visit, timetable, known.key, None)
        if form is None:
            return _effect_page(visit, asked, effect, {}, is_removal=True)
        confirm = confirmation(visit, len(effect.bookings))
        problem = _stale(asked, effect, form) or confirm.problem(form)
        if problem is None:
            message = form.get("message", "").strip() or None
            command = RemoveTimetableEntry(key=known.entry_key, seen=known.revision, message=message, actor=visit.actor)
            problem = await visit.try_(command)
        if problem:
            return _effect_page(visit, asked, effect, form, problem, is_removal=True)
        return visit.redirect(TIMETABLE_PATH, Notice.TIMETABLE_REMOVED)


async def timetable_of(visit: ConsoleVisit) -> Timetable:
    """Return the timetable of the Seller."""
    return await visit.execute(GetTimetable(seller=visit.seller.key, actor=visit.actor))


def _below(path: str) -> str:
    """Return a path below the address of the console."""
    return path.removeprefix(CONSOLE_PATH)


def _known(visit: ConsoleVisit, timetable: Timetable) -> TimetableEntry:
    """Return the entry that the path names.

    Raises:
        NotFoundOnConsoleError: The Seller has no such entry.
    """
    entry = timetable.get(EntryKey(visit.seller.key, visit.request.path_params["entry"]))
    if entry is None or entry.ended:
        raise NotFoundOnConsoleError
    return entry


async def _edit(visit: ConsoleVisit, asked: Asked) -> Response:
    """Show the form of an entry, or do what its buttons say."""
    part = asked.form.part
    sent = await visit.form() if visit.request.method == HTTPMethod.POST else None
    if sent is None or not asked.is_seen(sent):
        return _form_page(visit, asked, _first_fields(visit, asked), [CHANGED] if sent else [])
    form, button = tidied(part, sent), sent.get("button", "")
    if button == _FIND or button.startswith(ADD_ROWS):
        return _form_page(visit, asked, form, button=button)
    rule, faults = read(part, form, asked.known.rule if asked.known else None)
    faults = list(check(_entry(visit, asked, rule), asked.timetable.values(), site_of(visit.seller), faults))
    if faults or button == BACK:
        return _form_page(visit, asked, form, faults)
    outcome = await save_rule(visit, asked, rule, sent, form)
    if isinstance(outcome, Response):
        return outcome
    if outcome == CHANGED and asked.known:
        timetable = await timetable_of(visit)
        now = asked._replace(timetable=timetable, known=_known(visit, timetable))
        return _form_page(visit, now, _first_fields(visit, now), [outcome])
    return _form_page(visit, asked, form, [outcome])


async def save_rule(visit: ConsoleVisit, asked: Asked, rule: TimetableRule, sent: Form, form: Form) -> Response | Fault:
    """Show the effect of a rule without faults, or save it if people have confirmed the effect.

    Args:
        visit: The visit.
        asked: The entry.
        rule: The rule.
        sent: The fields that were sent, with those of the confirmation.
        form: The fields of the rule, which the page of the effect sends again.

    Returns:
        The response, or the fault because of which nothing was saved.
    """
    entry = _entry(visit, asked, rule)
    if asked.known and asked.known.rule == rule:
        return visit.redirect(TIMETABLE_PATH, Notice.TIMETABLE_UNCHANGED)
    if asked.known or isinstance(rule, Closure):
        effect = await _effect(visit, asked.timetable, entry.key, rule)
        if sent.get("button") != _SAVE:
            return _effect_page(visit, asked, effect, {}, fields=form)
        problem = _stale(asked, effect, sent) or confirmation(visit, len(effect.bookings)).problem(sent)
        if problem:
            return _effect_page(visit, asked, effect, sent, problem, fields=form)
    message = sent.get("message", "").strip() or None
    command = SaveTimetableEntry(key=entry.entry_key, rule=rule, seen=asked.seen, message=message, actor=visit.actor)
    try:
        await visit.execute(command)
    except TimetableChangedError:
        return CHANGED
    except OpenBookingError as refusal:
        return Fault("", refusal.description or refusal.name)
    return visit.redirect(TIMETABLE_PATH, Notice.TIMETABLE_SAVED)


async def _effect(visit: ConsoleVisit, timetable: Timetable, key: str, rule: TimetableRule | None) -> TimetableEffect:
    """Return the effect of another rule of an entry; None for its removal."""
    edit = TimetableEdit(
        seller=visit.seller.key,
        stored={each.key: each for each in timetable.values() if not each.ended},
        rules={} if rule is None else {key: rule},
        removed=frozenset({key} if rule is None else ()),
        actor=visit.actor,
        site=site_of(visit.seller),
    )
    system = visit.console.system
    return await timetable_effect(system.store, edit, system.settings.policy, system.clock())


def _stale(asked: Asked, effect: TimetableEffect, sent: Form) -> Problem | None:
    """Return the problem with a confirmation that was made for another entry or other bookings."""
    if not asked.is_seen(sent):
        return Problem(CHANGED.text)
    return Problem(_OTHER_EFFECT) if sent.get("effect") != effect.seen else None


def _entry(visit: ConsoleVisit, asked: Asked, rule: TimetableRule) -> TimetableEntry:
    """Return the entry with a new rule. A new entry gets a key that is made of its name."""
    if asked.known:
        return replace(asked.known, rule=rule)
    taken = {key.key for key in asked.timetable}
    name = offer_key(rule.name)[:_LONGEST_KEY].strip("-") or kind_of(rule)
    key = next(
        key for number in range(1, len(taken) + 2) if (key := name if number == 1 else f"{name}-{number}") not in taken
    )
    return TimetableEntry(seller=visit.seller.key, key=key, rule=rule, changed_by=visit.actor)


def _first_fields(visit: ConsoleVisit, asked: Asked) -> Form:
    """Return the fields of the form as it is opened. The query gives some fields of a new entry."""
    part = asked.form.part
    if asked.known:
        return fill(part, asked.known.rule)
    names = {field.name for field in part.fields}
    given = {name: text for name, text in visit.query.items() if name in names}
    venues = choices_of(asked.timetable)["venue"]
    usual = {"venue": next(iter(venues))} if len(venues) == 1 and part.make is not Closure else {}
    return fresh(part, {**_fresh(visit), **usual, **given})


def _fresh(visit: ConsoleVisit) -> dict[str, str]:
    """Return the texts of new forms that depend on the Seller and the day."""
    return {"vat": visit.seller.default_vat, "first": str(visit.today)}


def _form_page(
    visit: ConsoleVisit, asked: Asked, form: Form, faults: Sequence[Fault] = (), button: str = ""
) -> Response:
    part = asked.form.part
    more = button.removeprefix(ADD_ROWS) if button.startswith(ADD_ROWS) else ""
    concepts = next((field for field in part.fields if field.kind.input is Input.CONCEPTS), None)
    searched = form.get(f"{concepts.name}.{SEARCH}", "").strip() if concepts else ""
    found = search(concepts.vocabulary, searched) if concepts and searched else ()
    needed = frozenset[str]() if site_of(visit.seller) else frozenset({"url"})
    shown = Shown({}, choices_of(asked.timetable), _fresh(visit), more, found, needed)
    empty = show(part, form, shown)
    errors = errors_at(faults, empty)
    if button == _FIND and not found:
        errors = {"concepts": "Nothing in the list has this name. Try another word."}
    return visit.page(
        "timetable/entry.html",
        problem=problem_of(errors, empty),
        asked=asked,
        part=show(part, form, shown._replace(errors=errors)),
    )


def _effect_page(  # noqa: PLR0913 - the parts of two pages that are alike
    visit: ConsoleVisit,
    asked: Asked,
    effect: TimetableEffect,
    sent: Form,
    problem: Problem | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    is_removal: bool = False,
) -> Response:
    """Return the page that shows the effect of a change or a removal."""
    values: dict[str, Any] = effect_values(effect)
    return visit.page(
        "timetable/effect.html",
        problem=problem,
        asked=asked,
        fields=fields or {},
        is_removal=is_removal,
        effect=effect,
        confirmation=confirmation(visit, len(effect.bookings)),
        form=defaultdict(str, sent),
        **values,
    )
