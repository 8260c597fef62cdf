"""The register of one occurrence: the attendees, and who of them has come."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import person_name
from openbooking.booking.commands.orders.seller_decisions import RecordAttendance, SellerCommand, UndoAttendance
from openbooking.booking.model.order import Access, BookedItem, OrderKey, PersonalData
from openbooking.booking.model.record import ItemState, OrderRecord
from openbooking.booking.views import Occurrence
from openbooking.openactive.terms import OrderItemStatus
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.console.day.occurrences import has_begun, occurrence_row
from openbooking.web.pages import Form, Problem

_ATTENDEES_ON_PAGE = 500


class Attendee(NamedTuple):
    """A row of the register: one item of an Order.

    Attributes:
        key: The key of the Order.
        number: The number of the item.
        name: The name of the attendee, else of the Customer.
        customer: The name of the Customer, if the attendee is somebody else.
        person: The attendee, else the Customer, as the Broker sent them.
        answers: The answers to the intake form: pairs of question and answer.
        codes: The access codes and the texts of access passes.
        state: The state of the item.
    """

    key: OrderKey
    number: int
    name: str
    customer: str
    person: Mapping[str, Any]
    answers: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    state: ItemState

    @property
    def anchor(self) -> str:
        """The id of the row on the page."""
        return f"a-{self.key.partner}-{self.key.uuid}-{self.number}"

    @property
    def is_recorded(self) -> bool:
        """Whether the attendance is recorded."""
        return self.state.status.has_attendance


class AttendancePages:
    """The register, on which attendance is recorded."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the register."""
        return [self._console.route(OpportunityPage.REGISTER.route, self._register, ("GET", "POST"))]

    async def _register(self, visit: ConsoleVisit) -> Response:
        occurrence = await visit.occurrence()
        if visit.request.method == "POST":
            return await self._record(visit, occurrence, await visit.form())
        return await self._page(visit, occurrence)

    async def _page(
        self,
        visit: ConsoleVisit,
        occurrence: Occurrence,
        problem: Problem | None = None,
        unconfirmed: Form | None = None,
    ) -> Response:
        found = await visit.views.bookings(occurrence.path, visit.query.get("after", ""), _ATTENDEES_ON_PAGE)
        attendees = [row for record in found.rows for row in attendees_of(record, occurrence.path)]
        coming = [attendee for attendee in attendees if not attendee.state.status.cancelled]
        return visit.page(
            "day/register.html",
            problem=problem,
            unconfirmed=unconfirmed,
            unconfirmed_name=_name_of(coming, unconfirmed),
            row=occurrence_row(visit, occurrence),
            attendees=sorted(coming, key=lambda attendee: (attendee.name.casefold(), attendee.key, attendee.number)),
            cancelled=[attendee for attendee in attendees if attendee.state.status.cancelled],
            attended=sum(attendee.state.status is OrderItemStatus.ATTENDED for attendee in coming),
            has_begun=has_begun(visit, occurrence),
            next=found.next,
        )

    async def _record(self, visit: ConsoleVisit, occurrence: Occurrence, form: Form) -> Response:
        if form.get("attended") not in _DECISIONS:
            return await self._page(visit, occurrence)
        if form["attended"] != "undo" and not has_begun(visit, occurrence) and not form.get("confirmed"):
            return await self._page(visit, occurrence, unconfirmed=form)
        problem = None
        for command in await self._commands(visit, occurrence, form):
            problem = await visit.try_(command) or problem
        if problem:
            return await self._page(visit, occurrence, problem)
        anchor = f"#{form['anchor']}" if form.get("anchor") else ""
        notice = Notice.ATTENDANCE_UNDONE if form["attended"] == "undo" else Notice.ATTENDANCE
        return visit.redirect(OpportunityPage.REGISTER.path(occurrence.path) + anchor, notice)

    async def _commands(self, visit: ConsoleVisit, occurrence: Occurrence, form: Form) -> list[SellerCommand]:
        """Return a command for each Order with a chosen attendee; attendees of other occurrences are left alone."""
        chosen: dict[OrderKey, set[int]] = {}
        cursor: str | None = ""
        while cursor is not None:
            found = await visit.views.bookings(occurrence.path, cursor, _ATTENDEES_ON_PAGE)
            for record in found.rows:
                for attendee in attendees_of(record, occurrence.path):
                    if _is_chosen(attendee, form):
                        chosen.setdefault(attendee.key, set()).add(attendee.number)
            cursor = found.next
        return [_command(form["attended"], key, frozenset(numbers), visit) for key, numbers in chosen.items()]


def _is_chosen(attendee: Attendee, form: Form) -> bool:
    """Return whether the form is about the attendee. The form for all leaves recorded attendance alone."""
    if form.get("all"):
        return attendee.state.status is OrderItemStatus.CONFIRMED
    return attendee.anchor == form.get("anchor") and not attendee.state.status.cancelled


def _name_of(attendees: list[Attendee], form: Form | None) -> str:
    """Return the name of the attendee that the form is about; an empty text if there is none."""
    anchor = form.get("anchor") if form else None
    return next((attendee.name for attendee in attendees if attendee.anchor == anchor), "")


def _command(decision: str, order: OrderKey, numbers: frozenset[int], visit: ConsoleVisit) -> SellerCommand:
    if decision == "undo":
        return UndoAttendance(order=order, numbers=numbers, actor=visit.actor)
    return RecordAttendance(order=order, numbers=numbers, attended=decision == "yes", actor=visit.actor)


_DECISIONS = frozenset({"yes", "no", "undo"})


def attendees_of(record: OrderRecord, opportunity: str) -> list[Attendee]:
    """Return a row of the register for each current item of the Order for the Opportunity."""
    personal = record.order.personal or PersonalData()
    return [
        _attendee(record, item, state, personal)
        for item, state in record.items()
        if item.opportunity.path == opportunity
    ]


def _attendee(record: OrderRecord, item: BookedItem, state: ItemState, personal: PersonalData) -> Attendee:
    customer = person_name(personal.customer)
    person = personal.attendees.get(item.number)
    name = person_name(person) or customer
    return Attendee(
        key=record.key,
        number=item.number,
        name=name,
        customer=customer if customer != name else "",
        person=person or personal.customer or {},
        answers=_answers(item, personal),
        codes=_codes(item.access),
        state=state,
    )


def _answers(item: BookedItem, personal: PersonalData) -> tuple[tuple[str, str], ...]:
    """Return the questions of the intake form with the answers to them."""
    questions = {field.key: field.name for field in item.offer.intake_form}
    answers = personal.intake_answers.get(item.number, ())
    return tuple((_question(questions, answer), _answer(answer.get("value"))) for answer in answers)


def _question(questions: Mapping[str, str], answer: Mapping[str, Any]) -> str:
    """Return the question of an answer, whose `propertyID` ends with the key of the question."""
    sent = str(answer.get("propertyID"))
    return questions.get(sent.rpartition("/fields/")[2], sent)


def _answer(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _codes(access: Access | None) -> tuple[str, ...]:
    if access is None:
        return ()
    texts = (each.get("text") for each in (*access.passes, *access.own_passes))
    return tuple(str(text) for text in (access.code, *texts) if text)
