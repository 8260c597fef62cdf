"""Every page of the console that is opened with GET, and the search for the Orders of a person.

Parameters and queries are about the data of `busy_seller`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from busy_seller import PARTNERS, Known, series_path, session_path
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.web.app import create_app

Query = Mapping[str, str]

_CONSOLE = ("/console", "/partners")
_GROUPS = ("day", "month", "partner", "activity", "venue")
_TABLES = ("sales", "vat", "lines", "payments")
_A_DAY = timedelta(days=1)
_ORDER = "/console/orders/{partner}/{uuid}"
_PERSON = "/console/staff/people/{name:path}"


class Page(NamedTuple):
    """A page: its name, its path with its query, and the fields of the form that leads to it, if one does."""

    name: str
    path: str
    form: Query | None = None

    @property
    def is_file(self) -> bool:
        """Whether the page is a file that the browser saves."""
        return "format=csv" in self.path


def pages(known: Known, today: date, place: Path) -> list[Page]:
    """Return the pages of all routes of the console with the method GET.

    Args:
        known: What the pages are about.
        today: The day that the console takes for the present one.
        place: A folder for an empty database, with which the routes are listed.

    Raises:
        RuntimeError: A route of the console is missing here.
    """
    found = {**_lists(today, known), **_things(known)}
    routes = asyncio.run(_routes(Settings(database=str(place / "routes.sqlite3"))))
    if routes != found.keys():
        raise RuntimeError(f"These routes are not measured, or do not exist: {sorted(routes ^ found.keys())}")
    contacts = {"e-mail": "ann7000@example.com", "telephone": "07700 007000"}
    forms = [Page(f"/console/privacy by {name}", "/console/privacy", {"contact": of}) for name, of in contacts.items()]
    return [*(page for of_route in found.values() for page in of_route), *forms]


def year_files(today: date) -> list[Page]:
    """Return the files of a whole year."""
    year = _period(today - 365 * _A_DAY, today)
    return [
        _page("/console/money", f"{table} of a year", {**year, "table": table, "format": "csv"}) for table in _TABLES
    ]


async def _routes(settings: Settings) -> frozenset[str]:
    await asyncio.to_thread(prepare, settings.database)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        routes: list[Any] = list(app.router.routes)
    return frozenset(route.path for route in routes if route.path.startswith(_CONSOLE) and "GET" in route.methods)


def _lists(today: date, known: Known) -> dict[str, list[Page]]:
    """Return the pages without parameters, by their routes, each with several queries."""
    past, coming, month = today - 200 * _A_DAY, today + 3 * _A_DAY, _period(today - 30 * _A_DAY, today)
    asked: dict[str, dict[str, Query]] = {
        "/console": {"": {}, "past day": {"day": str(past)}, "coming day": {"day": str(coming)}},
        "/console/desk": {"": {}, "coming day": {"day": str(coming)}},
        "/console/desk/takings": {"": {}, "yesterday": {"day": str(today - _A_DAY)}},
        "/console/orders": dict(_searches(today, known)),
        "/console/publication": {"": {}, "by name": {"text": "warm"}, "by no name": {"text": "nothing"}},
        "/console/log": {
            "": {},
            "common action": {"action": "attendance-recorded"},
            "rare action": {"action": "access-renewed"},
        },
        "/console/money": {
            "": {},
            **{f"by {group}": {**month, "by": group} for group in _GROUPS},
            "year by month": {**_period(today - 365 * _A_DAY, today), "by": "month"},
            **{f"file by {group}": {**month, "by": group, "table": "sales", "format": "csv"} for group in _GROUPS},
            **{
                f"file of {table}": {**month, "table": table, "format": "csv"} for table in ("vat", "lines", "payments")
            },
        },
        "/partners": {"": {}, "file": {"format": "csv"}},
    }
    alone = ("e-mail", "proposals", "staff", "staff/add", "privacy", "details", "sellers")
    asked |= {f"/console/{name}": {"": {}} for name in alone}
    return {path: [_page(path, name, query) for name, query in of.items()] for path, of in asked.items()}


def _searches(today: date, known: Known) -> Iterator[tuple[str, Query]]:
    """Yield the searches for Orders, by each field, and by several at once."""
    yield "", {}
    texts = {
        "family name": "smith96",
        "given name": "ann7",
        "both names": "ann7 smith9",
        "no name": "nobody",
        "e-mail": "ann7000@example.com",
        "telephone": "07700 007000",
        "UUID": known.order.uuid,
    }
    for name, text in texts.items():
        yield name, {"text": text}
    for name, partner in (("broker", PARTNERS[3]), ("front desk", "@desk")):
        yield name, {"partner": partner}
    for field in ("booked", "session"):
        for name, since in (("today", today), ("in a year", today - 365 * _A_DAY)):
            yield f"{field} {name}", {f"{field}_from": str(since), f"{field}_to": str(today)}
    for status in ("booked", "partly-cancelled", "cancelled"):
        yield status, {"status": status}
    yield "value", {"value_from": "24", "value_to": "30"}
    yield "no value", {"value_from": "9000"}
    several = {"partner": PARTNERS[3], "status": "booked", "value_from": "20"}
    yield "several", {**several, "text": "ann7", "session_from": str(today - 30 * _A_DAY), "session_to": str(today)}


def _things(known: Known) -> dict[str, list[Page]]:
    """Return the pages with parameters, by their routes."""
    order, proposal = (f"{key.partner}/{key.uuid}" for key in (known.order, known.proposal))
    paths = {
        "/console/register/{opportunity:path}": [known.register, known.past_register],
        "/console/cancel/{opportunity:path}": [known.register],
        "/console/cancelled/{opportunity:path}": [known.cancelled],
        "/console/desk/book/{opportunity:path}": [session_path(5, 3)],
        "/console/desk/receipt/{uuid}": [known.at_desk],
        "/console/desk/pay/{uuid}": [known.at_desk],
        "/console/proposals/{partner}/{uuid}": [proposal],
        "/console/publication/{opportunity:path}": [series_path(5), known.register],
        _ORDER: [order],
        f"{_ORDER}/cancel": [order],
        f"{_ORDER}/notify": [order],
        f"{_ORDER}/access": [order],
        f"{_ORDER}/replace/{{number:int}}": [order],
        _PERSON: ["staff0"],
        f"{_PERSON}/remove": ["staff0"],
        "/partners/{key}/terms": [PARTNERS[3]],
        "/partners/{key}/revoke": [PARTNERS[3]],
    }
    return {route: [_thing(route, value) for value in values] for route, values in paths.items()}


def _thing(route: str, value: str) -> Page:
    """Return the page of a route whose parameters together are the value; items have the number 1."""
    before, _, rest = route.partition("{")
    after = rest.rpartition("}")[2] if "{number" not in route else "/replace/1"
    return Page(route.replace(":path", "").replace(":int", ""), f"{before}{value}{after}")


def _page(path: str, name: str, query: Query) -> Page:
    return Page(f"{path} {name}".strip(), f"{path}?{urlencode(query)}" if query else path)


def _period(first: date, last: date) -> Query:
    return {"from": str(first), "to": str(last)}
