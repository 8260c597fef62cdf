"""OrderProposals that wait for the Seller: the list, and the page on which one is accepted, rejected or amended."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import PROPOSALS_PATH
from openbooking.back_office.descriptions import person_name
from openbooking.back_office.history import history_rows
from openbooking.back_office.pages import OccurrencesOnce
from openbooking.back_office.plans.messages import length_problem
from openbooking.back_office.rows.order_items import ItemRow, item_rows
from openbooking.back_office.waiting_proposals import shortages, time_left, wanted_spaces
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.model.order import PersonalData, SeenProposal
from openbooking.booking.model.record import OrderRecord, ProposalRecord
from openbooking.booking.rules.orders.pricing import current_totals
from openbooking.openactive.money import is_price
from openbooking.openactive.terms import FlowRequirement, OrderProposalStatus
from openbooking.web.console.bookings.orders import order_path
from openbooking.web.console.console import Console, ConsoleVisit, Notice
from openbooking.web.pages import Form, Problem

_NOT_AS_PROPOSED = (
    "You have changed items or prices, and Accept is for the proposal as it came. "
    "Choose “Offer with these changes”, or undo the changes."
)
_DECISIONS = {"accept": Notice.ACCEPTED, "reject": Notice.REJECTED, "amend": Notice.AMENDED}


class ProposalPages:
    """The list of proposals, and the page of one."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the routes of both pages."""
        return [
            self._console.route("/proposals", self._list, menu="Proposals"),
            self._console.route("/proposals/{partner}/{uuid}", self._proposal, ("GET", "POST")),
        ]

    async def _list(self, visit: ConsoleVisit) -> Response:
        found = await visit.views.proposals(visit.query.get("after", ""))
        partners = await visit.partner_names()
        wanted, occurrences = await wanted_spaces(visit.views), OccurrencesOnce(visit.views)
        rows = [
            {
                "record": record,
                "path": proposal_path(record),
                "customer": _customer(record),
                "partner": partners.get(record.partner, record.partner),
                "items": item_rows(record),
                "totals": current_totals(record),
                "left": time_left(record, visit.now),
                "shortages": await shortages(occurrences, record, wanted),
            }
            for record in found.rows
        ]
        return visit.page("bookings/proposals.html", rows=rows, next=found.next)

    async def _proposal(self, visit: ConsoleVisit) -> Response:
        if visit.request.method == "GET":
            record = await visit.views.order(visit.key)
            if isinstance(record, OrderRecord):
                return visit.redirect(order_path(record.key))
        form = await visit.form() if visit.request.method == "POST" else None
        record = await visit.proposal()
        problem = None
        if form is not None:
            problem = await self._decide(visit, record, form)
            if problem is None:
                return visit.redirect(PROPOSALS_PATH, _DECISIONS[form["decision"]])
            record = await visit.proposal()
        return await self._page(visit, record, form, problem)

    async def _page(
        self, visit: ConsoleVisit, record: ProposalRecord, form: Form | None, problem: Problem | None
    ) -> Response:
        partners = await visit.partner_names()
        return visit.page(
            "bookings/proposal.html",
            problem=problem,
            record=record,
            path=proposal_path(record),
            partner=partners.get(record.partner, record.partner),
            personal=record.order.personal or PersonalData(),
            items=item_rows(record),
            totals=current_totals(record),
            left=time_left(record, visit.now),
            can_decide=_can_decide(visit, record),
            can_amend=record.order.asks_for(FlowRequirement.NEGOTIATION),
            is_awaiting=record.proposal.status is OrderProposalStatus.AWAITING,
            shortages=await shortages(OccurrencesOnce(visit.views), record, await wanted_spaces(visit.views)),
            history=await history_rows(visit.views, record, partners),
            form=defaultdict(str, form or {}),
            is_new=form is None,
        )

    async def _decide(self, visit: ConsoleVisit, record: ProposalRecord, form: Form) -> Problem | None:
        """Carry out the decision of the form; return the problem if that is not possible."""
        note, decision = form.get("note", "").strip(), form.get("decision")
        seen = _seen(form)
        if decision not in _DECISIONS or seen is None:
            return Problem("Choose what to do with the proposal.", ("note",))
        if fault := length_problem(note):
            return Problem(fault, ("note",))
        rows = item_rows(record)
        prices, wrong_price = _prices(rows if visit.user.role.may_see_money else (), form)
        # A stale form differs from the proposal by what others have changed, and the command says so.
        is_current = seen == SeenProposal(record.proposal.version, record.proposal.status)
        can_amend = is_current and record.order.asks_for(FlowRequirement.NEGOTIATION)
        without = frozenset(row.item.number for row in rows if not form.get(f"item-{row.item.number}"))
        if decision == "accept" and can_amend and (wrong_price or prices or without):
            return Problem(_NOT_AS_PROPOSED, ("note",))
        if decision != "amend":
            command = DecideProposal(
                order=record.key, accept=decision == "accept", note=note or None, seen=seen, actor=visit.actor
            )
            return await visit.try_(command)
        if wrong_price:
            return wrong_price
        amend = AmendProposal(
            order=record.key,
            version=str(uuid.uuid4()),
            note=note or None,
            seen=seen,
            without=without,
            prices=prices,
            actor=visit.actor,
        )
        return await visit.try_(amend)


def proposal_path(record: ProposalRecord) -> str:
    """Return the path of the page of a proposal below the address of the site."""
    return f"{PROPOSALS_PATH}/{record.partner}/{record.uuid}"


def _can_decide(visit: ConsoleVisit, record: ProposalRecord) -> bool:
    proposal = record.proposal
    is_open = proposal.status in (OrderProposalStatus.AWAITING, OrderProposalStatus.ACCEPTED)
    return is_open and proposal.expires is not None and proposal.expires > visit.now


def _prices(rows: Sequence[ItemRow], form: Form) -> tuple[dict[int, Decimal], Problem | None]:
    """Return the prices in the form that differ from those of the items, and the problem of a price that is none."""
    prices: dict[int, Decimal] = {}
    for row in rows:
        field = f"price-{row.item.number}"
        try:
            price = Decimal(form.get(field, "").strip().removeprefix("£") or row.item.offer.price)
        except InvalidOperation:
            price = Decimal(-1)
        if not is_price(price):
            return prices, Problem("Enter an amount, such as 12.50.", (field,))
        if price != row.item.offer.price:
            prices[row.item.number] = price
    return prices, None


def _seen(form: Form) -> SeenProposal | None:
    status = form.get("status", "")
    if status not in set(OrderProposalStatus):
        return None
    return SeenProposal(form.get("version", ""), OrderProposalStatus(status))


def _customer(record: ProposalRecord) -> str:
    return person_name(record.order.personal.customer if record.order.personal else None)
