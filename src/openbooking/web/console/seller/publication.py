"""What the open feeds publish: the sale state, missing properties and JSON-LD of series, facilities and occurrences."""

import json
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.descriptions import opportunity_name
from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.opportunities.timetable import GetTimetable
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import Venue
from openbooking.booking.rules.opportunities.missing_properties import missing_properties
from openbooking.openactive.errors import NotFoundError
from openbooking.system import make_feed_writer
from openbooking.timetable.calendars.published import PARENTS, calendar_path, venue_calendar_path
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice
from openbooking.web.console.day.occurrences import occurrence_row
from openbooking.web.pages import Form, Problem

_ROWS = 200
# How many pages of the Seller's occurrences are searched for those of one series.
_MOST_PAGES = 3
_YEAR = timedelta(days=365)
_STATES = {
    SaleState.ON_SALE: "on sale",
    SaleState.UNPUBLISHED: "off sale",
    SaleState.NOT_UNDERSTOOD: "not understood",
    SaleState.OVER: "over",
}
_TYPES = {
    "SessionSeries": "Series of sessions",
    "ScheduledSession": "Session",
    "FacilityUse": "Facility",
    "IndividualFacilityUse": "Part of a facility",
    "Slot": "Time slot",
    "Event": "Event",
    "HeadlineEvent": "Event with parts",
    "CourseInstance": "Course",
    "OnDemandEvent": "On demand",
}
_PROPERTIES = {
    "name": "Name",
    "description": "Description",
    "image": "Image",
    "url": "Web page",
    "location": "Place",
    "location.address": "Address of the place",
    "location.address.streetAddress": "Street of the place",
    "location.address.addressLocality": "Town of the place",
    "location.address.postalCode": "Postcode of the place",
    "location.geo": "Position of the place on a map",
    "activity": "Activity",
    "facilityType": "Kind of facility",
    "ageRange": "Age range",
    "eventSchedule": "Schedule",
    "offers": "Price",
    "startDate": "Start",
    "endDate": "End",
}
_CHANGED = "The state has changed since you opened this page. Nothing has been done. Look at it again."
_NOT_POSSIBLE = "This cannot be put on sale: the last import did not understand its latest version."


class _Published(NamedTuple):
    """An Opportunity of the Seller with its parents, nearest first."""

    opportunity: Opportunity
    parents: tuple[Opportunity, ...]

    @property
    def other_state(self) -> SaleState | None:
        """The sale state that a manager can choose now; None if there is no choice."""
        if self.opportunity.sale is SaleState.ON_SALE:
            return SaleState.UNPUBLISHED
        can_sell = self.opportunity.sale is SaleState.UNPUBLISHED and not self.opportunity.not_understood
        return SaleState.ON_SALE if can_sell else None

    @property
    def has_calendar(self) -> bool:
        """Whether people can subscribe to a calendar of what is below it."""
        is_shown = self.opportunity.sale is SaleState.ON_SALE and self.withheld_by is None
        return is_shown and self.opportunity.type in PARENTS

    @property
    def withheld_by(self) -> Opportunity | None:
        """The nearest parent that is off sale, and keeps the Opportunity out of the feeds; None if there is none."""
        return next((parent for parent in self.parents if parent.sale is not SaleState.ON_SALE), None)


class PublicationPages:
    """The list of all that has no parent, and the page of one Opportunity."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._writer = make_feed_writer(console.system.settings)

    def routes(self) -> list[Route]:
        """Return the routes. Staff see the pages; managers change the sale state."""
        one = OpportunityPage.PUBLICATION.route
        return [
            self._console.route("/publication", self._list, menu="Publication"),
            self._console.route(one, self._one),
            self._console.route(one, self._change, ("POST",), managers_only=True),
        ]

    async def _list(self, visit: ConsoleVisit) -> Response:
        text = visit.query.get("text", "").strip()
        found = await visit.views.opportunities(visit.query.get("after", ""), text=text)
        rows = [
            {
                **_row(_Published(entry.opportunity, ())),
                "coming": entry.coming,
                "missing": len(missing_properties(entry.opportunity, ())),
            }
            for entry in found.rows
        ]
        next_query = urlencode({"text": text, "after": found.next}) if found.next else ""
        venues = [] if text else await _venues(visit)
        return visit.page("seller/publication.html", rows=rows, text=text, next=next_query, venues=venues)

    async def _one(self, visit: ConsoleVisit) -> Response:
        return await self._page(visit, await _published(visit))

    async def _change(self, visit: ConsoleVisit) -> Response:
        form = await visit.form()
        published = await _published(visit)
        problem = await _decide(visit, published, form)
        if problem is None:
            notice = Notice.PUT_ON_SALE if form["sale"] == SaleState.ON_SALE else Notice.TAKEN_OFF_SALE
            return visit.redirect(OpportunityPage.PUBLICATION.path(published.opportunity.path), notice)
        return await self._page(visit, published, problem)

    async def _page(self, visit: ConsoleVisit, published: _Published, problem: Problem | None = None) -> Response:
        opportunity, parents = published
        occurrences, next_ = await _occurrences(visit, opportunity)
        return visit.page(
            "seller/published.html",
            problem=problem,
            row=_row(published),
            parents=[_row(_Published(parent, parents[number:])) for number, parent in enumerate(parents, 1)],
            is_over=opportunity.is_over(visit.now),
            not_understood=opportunity.not_understood,
            other_state=published.other_state,
            withheld_by=published.withheld_by and opportunity_name(published.withheld_by, ()),
            calendar=calendar_path(opportunity.path) if published.has_calendar else "",
            missing=[(name, _PROPERTIES.get(name, name)) for name in missing_properties(opportunity, parents)],
            json_ld=await self._json_ld(visit, published),
            occurrences=occurrences,
            next=next_,
        )

    async def _json_ld(self, visit: ConsoleVisit, published: _Published) -> str:
        """Return the data of the item in the open feed, with line breaks."""
        opportunity, parents = published
        occurrence = await visit.views.occurrence(opportunity.path)
        spaces = Spaces(booked=occurrence.sold, leased=occurrence.leased) if occurrence else Spaces()
        data = self._writer.opportunity(opportunity, spaces, parents, visit.seller)
        return json.dumps(json.loads(data), indent=2, ensure_ascii=False)


async def _venues(visit: ConsoleVisit) -> list[tuple[str, str]]:
    """Return the names of the Venues of the Seller's timetable, with the paths of their calendars."""
    timetable = await visit.execute(GetTimetable(seller=visit.seller.key, actor=visit.actor))
    venues = ((entry.rule, key) for key, entry in timetable.items() if not entry.ended)
    return sorted((rule.name, venue_calendar_path(key)) for rule, key in venues if isinstance(rule, Venue))


async def _published(visit: ConsoleVisit) -> _Published:
    """Return the Opportunity that the path names, on sale or not.

    Raises:
        NotFoundOnConsoleError: The Seller has no such Opportunity.
    """
    opportunity = await _find(visit, visit.request.path_params["opportunity"])
    if opportunity is None or opportunity.seller != visit.seller.key:
        raise NotFoundOnConsoleError
    parents: list[Opportunity] = []
    child = opportunity
    while child.parent and (parent := await _find(visit, child.parent)):
        parents.append(parent)
        child = parent
    return _Published(opportunity, tuple(parents))


async def _find(visit: ConsoleVisit, path: str) -> Opportunity | None:
    try:
        return await visit.execute(GetOpportunity(path, actor=visit.actor))
    except NotFoundError:
        return None


async def _decide(visit: ConsoleVisit, published: _Published, form: Form) -> Problem | None:
    """Set the sale state that the form names; return the problem if that is not possible."""
    opportunity, wanted = published.opportunity, form.get("sale", "")
    if form.get("seen") != opportunity.sale:
        return Problem(_CHANGED)
    if published.other_state is None or wanted != published.other_state:
        return Problem(_NOT_POSSIBLE)
    return await visit.try_(SetSaleState(opportunity=opportunity.path, sale=published.other_state, actor=visit.actor))


async def _occurrences(visit: ConsoleVisit, opportunity: Opportunity) -> tuple[list[dict[str, Any]], str | None]:
    """Return the rows of the coming occurrences below an Opportunity, and the cursor to search on; None at the end."""
    if not opportunity.type.has_children:
        return [], None
    rows: list[dict[str, Any]] = []
    now, cursor = visit.now, visit.query.get("after", "")
    for _ in range(_MOST_PAGES):
        found = await visit.views.occurrences(now, now + _YEAR, cursor, _ROWS)
        for occurrence in found.rows:
            if occurrence.is_stored and any(parent.path == opportunity.path for parent in occurrence.parents):
                published = _Published(occurrence.opportunity, occurrence.parents)
                missing = missing_properties(*published)
                rows.append({**occurrence_row(visit, occurrence), **_row(published), "missing": len(missing)})
        if found.next is None:
            return rows, None
        cursor = found.next
    return rows, cursor


def _row(published: _Published) -> dict[str, Any]:
    opportunity, parents = published
    return {
        "opportunity": opportunity,
        "name": opportunity_name(opportunity, parents),
        "type": _TYPES.get(opportunity.type, opportunity.type),
        "state": _STATES[opportunity.sale],
        "is_on_sale": opportunity.sale is SaleState.ON_SALE,
        "publication_path": OpportunityPage.PUBLICATION.path(opportunity.path),
    }
