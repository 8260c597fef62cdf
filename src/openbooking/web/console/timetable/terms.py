"""The price and capacity of one session or Slot, or of all from its date on."""

from datetime import datetime
from enum import StrEnum
from http import HTTPMethod
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.timetable import (
    ChangeFrom,
    EntryKey,
    Facility,
    OccurrenceTerms,
    Price,
    Terms,
    TimetableEntry,
    WeeklyClass,
)
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.timetable.check import check
from openbooking.timetable.checking.faults import Fault
from openbooking.timetable.identity import path_of
from openbooking.timetable.offers import ChangedTerms, prices_of_slot
from openbooking.timetable.surroundings import site_of
from openbooking.timetable.wall_clock import instant
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.console import Console, ConsoleVisit
from openbooking.web.console.day.occurrences import occurrence_row
from openbooking.web.console.timetable.editing import (
    ADD_ROWS,
    BACK,
    CHANGED,
    Asked,
    save_rule,
    timetable_of,
)
from openbooking.web.console.timetable.kinds import NUMBER, choice
from openbooking.web.console.timetable.parts import Field, Part, Shown, errors_at, fill, problem_of, read, show, tidied
from openbooking.web.console.timetable.rule_forms import PRICES, RuleForm
from openbooking.web.pages import Form

_USUAL = "usual"


class Scope(StrEnum):
    """The occurrences that get other terms."""

    ONE = "one"
    FROM = "from"


class TypedTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of the form."""

    scope: Scope
    capacity: int
    prices: tuple[Price, ...]


_PART = Part(
    TypedTerms,
    (
        Field(
            "scope",
            "This applies to",
            choice(Scope),
            required=True,
            choices={Scope.ONE: "Only this one", Scope.FROM: "All from this date on"},
        ),
        Field("capacity", "Spaces", NUMBER, required=True),
    ),
    (PRICES,),
)
_FORM = RuleForm("price and number of spaces", _PART)


class _Place(NamedTuple):
    """A session or Slot in its rule.

    Attributes:
        rule: The rule.
        start: The start on the wall clock.
        minutes: The length.
        court: The key of the court.
        terms: The capacity and the prices at present.
    """

    rule: WeeklyClass | Facility
    start: datetime
    minutes: int
    court: str
    terms: TypedTerms


class TermPages:
    """The form of the price and capacity of an occurrence."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        path = OpportunityPage.TERMS.route
        return [self._console.route(path, self._terms, ("GET", "POST"), managers_only=True)]

    async def _terms(self, visit: ConsoleVisit) -> Response:
        sent = await visit.form() if visit.request.method == HTTPMethod.POST else None
        occurrence = await visit.occurrence()
        timetable = await timetable_of(visit)
        entry = _entry_of(visit, timetable, occurrence.opportunity)
        place = _place(visit, entry, occurrence.opportunity) if entry else None
        row = occurrence_row(visit, occurrence)
        if entry is None or place is None:
            return visit.page("timetable/no_terms.html", row=row)
        asked = Asked(_FORM, OpportunityPage.TERMS.path(occurrence.path), timetable, entry)
        if sent is None or not asked.is_seen(sent):
            return _page(visit, asked, row, place, fill(_PART, place.terms), [CHANGED] if sent else [])
        form, button = tidied(_PART, sent), sent.get("button", "")
        outcome: Response | list[Fault] = []
        if not button.startswith(ADD_ROWS):
            outcome = await _decide(visit, asked, place, sent, form)
        if isinstance(outcome, Response):
            return outcome
        more = button.removeprefix(ADD_ROWS) if button.startswith(ADD_ROWS) else ""
        return _page(visit, asked, row, place, form, outcome, more)


async def _decide(visit: ConsoleVisit, asked: Asked, place: _Place, sent: Form, form: Form) -> Response | list[Fault]:
    """Show the effect of the terms, or save them; return the faults if that is not possible."""
    if sent.get("button") == _USUAL or sent.get(_USUAL):
        return _listed(await save_rule(visit, asked, _with_usual_terms(place), sent, {**form, _USUAL: "yes"}))
    typed, faults = read(_PART, form)
    if asked.known is None:
        return faults
    rule = _with_terms(place, typed)
    found = check(replace(asked.known, rule=rule), asked.timetable.values(), site_of(visit.seller))
    faults += map(_at_field, found)
    if faults or sent.get("button") == BACK:
        return faults
    return _listed(await save_rule(visit, asked, rule, sent, form))


def _listed(outcome: Response | Fault) -> Response | list[Fault]:
    return [outcome] if isinstance(outcome, Fault) else outcome


def _at_field(fault: Fault) -> Fault:
    """Return a fault of changed terms at the field of the form."""
    before, found, field = fault.field.partition(".terms.")
    return Fault(field if found else before, fault.text)


def _entry_of(visit: ConsoleVisit, timetable: Any, opportunity: Opportunity) -> TimetableEntry | None:
    """Return the entry that has made an occurrence; None if no class or facility of the timetable has."""
    key = opportunity.source.rpartition("/")[2]
    entry = timetable.get(EntryKey(visit.seller.key, key))
    is_made = entry is not None and entry.source == opportunity.source and not entry.ended
    return entry if is_made and isinstance(entry.rule, WeeklyClass | Facility) else None


def _place(visit: ConsoleVisit, entry: TimetableEntry, opportunity: Opportunity) -> _Place | None:
    rule, start = entry.rule, opportunity.start
    if not isinstance(rule, WeeklyClass | Facility) or start is None or opportunity.end is None:
        return None
    zone = visit.console.system.settings.policy.time_zone
    local = start.astimezone(zone).replace(tzinfo=None, fold=0)
    minutes = round((opportunity.end - start).total_seconds() / 60)
    courts = rule.courts if isinstance(rule, Facility) else ()
    type_ = OpportunityType.INDIVIDUAL_FACILITY_USE
    found = (court.key for court in courts if path_of(type_, entry.entry_key, court.key) == opportunity.parent)
    court = next(found, "")
    changed = ChangedTerms(rule.changes, rule.single, zone).at(local.date(), start, court)
    usual = rule.prices if isinstance(rule, WeeklyClass) else prices_of_slot(rule.prices, local, minutes)
    terms = TypedTerms(
        scope=Scope.ONE,
        capacity=opportunity.capacity or 0,
        prices=usual if changed.prices is None else changed.prices,
    )
    # Two local times can be one instant when clocks change; the rule may name the other one.
    same = (each.start for each in rule.single if each.court == court and instant(each.start, zone) == start)
    return _Place(rule, next(same, local), minutes, court, terms)


def _with_terms(place: _Place, typed: TypedTerms) -> WeeklyClass | Facility:
    """Return the rule with other terms. What was not changed on the form follows the rule."""
    terms = Terms(
        capacity=typed.capacity if typed.capacity != place.terms.capacity else None,
        prices=typed.prices if typed.prices != place.terms.prices else None,
    )
    if terms == Terms():
        return place.rule
    if typed.scope is Scope.ONE:
        single = [each for each in place.rule.single if not _is_at(each, place)]
        before = next((each.terms for each in place.rule.single if _is_at(each, place)), Terms())
        new = OccurrenceTerms(place.start, _joined(before, terms), place.court)
        return replace(place.rule, single=tuple(sorted([*single, new], key=lambda each: (each.start, each.court))))
    day = place.start.date()
    changes = [each for each in place.rule.changes if each.date != day]
    earlier = next((each.terms for each in place.rule.changes if each.date == day), Terms())
    changes.append(ChangeFrom(day, _joined(earlier, terms)))
    return replace(place.rule, changes=tuple(sorted(changes, key=lambda each: each.date)))


def _with_usual_terms(place: _Place) -> WeeklyClass | Facility:
    """Return the rule without terms for this occurrence alone."""
    return replace(place.rule, single=tuple(each for each in place.rule.single if not _is_at(each, place)))


def _is_at(terms: OccurrenceTerms, place: _Place) -> bool:
    return (terms.start, terms.court) == (place.start, place.court)


def _joined(before: Terms, after: Terms) -> Terms:
    return Terms(
        capacity=before.capacity if after.capacity is None else after.capacity,
        prices=before.prices if after.prices is None else after.prices,
    )


def _page(  # noqa: PLR0913, PLR0917 - the parts of a form that is shown again
    visit: ConsoleVisit,
    asked: Asked,
    row: dict[str, Any],
    place: _Place,
    form: Form,
    faults: list[Fault],
    more: str = "",
) -> Response:
    shown = Shown(fresh={"vat": visit.seller.default_vat}, more=more)
    empty = show(_PART, form, shown)
    errors = errors_at(faults, empty)
    return visit.page(
        "timetable/terms.html",
        problem=problem_of(errors, empty),
        asked=asked,
        row=row,
        part=show(_PART, form, shown._replace(errors=errors)),
        is_facility=isinstance(place.rule, Facility),
        has_single=any(_is_at(each, place) for each in place.rule.single),
    )
