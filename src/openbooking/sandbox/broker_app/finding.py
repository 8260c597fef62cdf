"""The page on which Customers find something to book."""

from datetime import date
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from openbooking.broker import (
    Choice,
    FlowRequirement,
    ItemsRefusedError,
    Near,
    OpenBookingError,
    SearchTerms,
    explain,
    fault_text,
)

from .visits import Visit

HITS = 12
# What the app can do beyond a plain booking: Opportunities that need more are not shown (OB-BRK-16).
REQUIREMENTS = frozenset(
    {
        FlowRequirement.APPROVAL.value,
        FlowRequirement.ATTENDEE_DETAILS.value,
        FlowRequirement.INTAKE_FORM.value,
    }
)
# A product asks a service for the place of a postcode.
TOWNS = {
    "Birmingham": (52.4797, -1.9027),
    "Bristol": (51.4538, -2.5973),
    "Edinburgh": (55.9533, -3.1883),
    "Leeds": (53.7974, -1.5438),
    "London": (51.5072, -0.1276),
    "Manchester": (53.4795, -2.2451),
    "Oxford": (51.7520, -1.2577),
}
DISTANCES = ("2", "5", "10", "25", "50")
_MOST_SPACES = 8
_CENTURY = 20


class SearchForm(NamedTuple):
    """The form of the search as it was filled in, and what is wrong with its fields."""

    activity: str
    text: str
    day: str
    town: str
    km: str
    page: int
    errors: dict[str, str]

    def terms(self) -> SearchTerms:
        """Return the terms of the search."""
        # One more hit tells whether there is a further page.
        found: SearchTerms = {
            "bookable": True,
            "requirements": REQUIREMENTS,
            "limit": HITS + 1,
            "offset": (self.page - 1) * HITS,
        }
        if self.activity:
            found["activity"] = self.activity
        if self.text:
            found["text"] = self.text
        if self.day and "day" not in self.errors:
            found["day"] = date.fromisoformat(self.day)
        if self.town in TOWNS:
            found |= {"near": Near(*TOWNS[self.town], float(self.km)), "sort": "distance"}
        return found


async def find(visit: Visit) -> Response:
    """Show the form of the search and a page of hits."""
    return await _show(visit)


async def begin(visit: Visit) -> Response:
    """Begin a basket with the chosen number of spaces at one Opportunity."""
    form = visit.form
    choice = Choice(form.get("opportunity", ""), form.get("offer", ""), form.get("seller", ""))
    spaces = form.get("spaces", "1")
    if not all(choice) or spaces not in map(str, range(1, _MOST_SPACES + 1)):
        return visit.go("/")
    basket = await visit.broker.basket([choice] * int(spaces), customer_key=visit.customer)
    try:
        quote = await basket.quote()
    except (ItemsRefusedError, OpenBookingError) as fault:
        return await _show(visit, problem=explain(fault).text)
    if faults := quote.refusals:
        await basket.delete()
        return await _show(visit, problem=" ".join(dict.fromkeys(map(fault_text, faults))))
    return visit.go(f"/basket/{basket.order}")


async def _show(visit: Visit, problem: str = "") -> Response:
    search_form = _read(visit.request)
    hits = await visit.broker.search(**search_form.terms())
    shown = [hit for hit in hits[:HITS] if hit.seller and hit.offers]
    query = {key: value for key, value in visit.request.query_params.items() if key != "page"}
    return visit.page(
        "find.html",
        status=409 if problem else 200,
        search_form=search_form,
        errors=search_form.errors,
        hits=shown,
        most_spaces=_MOST_SPACES,
        alert=problem,
        query=query,
        has_more=len(hits) > HITS,
        towns=TOWNS,
        distances=DISTANCES,
        is_empty=not hits and not query and search_form.page == 1,
    )


def _read(request: Request) -> SearchForm:
    query = request.query_params
    errors = {}
    day, page, km = query.get("day", "").strip(), query.get("page", "1"), query.get("km", "10")
    if not _is_day(day or "2030-01-01"):
        errors["day"] = "Give a day of this century, such as 2030-03-31."
    return SearchForm(
        activity=query.get("activity", "").strip(),
        text=query.get("text", "").strip(),
        day=day,
        town=query.get("town", ""),
        km=km if km in DISTANCES else "10",
        page=min(int(page[:5]), 1_000) if page.isdecimal() and int(page[:4]) else 1,
        errors=errors,
    )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).year // 100 == _CENTURY
    except ValueError:
        return False
