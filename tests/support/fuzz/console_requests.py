"""Random valid requests to the pages of the console, one route after another."""

import re
from collections.abc import Iterator, Mapping
from itertools import cycle
from random import Random
from typing import NamedTuple

from starlette.routing import Route

_FIELDS = {
    "after": "", "all": "yes", "button": "check", "capacity": "20", "first": "2027-03-01", "times.0.start": "18:15",
    "concepts.search": "yoga", "start": "2027-03-02T10:00", "end": "2027-03-02T11:00", "prices.0.amount": "7.50",
    "seen": "1", "entry": "spin", "courts.0.name": "Court 1",
    "anchor": "a-alice-1-1", "attended": "yes", "choice": "none", "confirmed": "yes",
    "contact": "geoff@example.com", "customers": "1", "decision": "amend", "item-1": "yes", "message": "We are closed.",
    "name": "New person", "note": "Hello.", "offer": "none", "payment": "cash", "price-1": "1.00", "role": "staff",
    "sale": "unpublished", "seller": "centre", "spaces": "1", "status": "", "step": "book", "version": "none",
}  # fmt: skip


class PageRequest(NamedTuple):
    """The method, path and fields of a request for a page; the fields are None for a GET."""

    method: str
    path: str
    fields: dict[str, str] | None


def console_requests(routes: list[Route], chance: Random, things: Mapping[str, str]) -> Iterator[PageRequest]:
    """Yield a request to each page of the console and of partners, over and over.

    Args:
        routes: The routes of the application.
        chance: The random numbers.
        things: The values of the parameters in paths; read for each request.
    """
    pages = [route for route in routes if route.path.startswith(("/console", "/partners"))]
    for route in cycle(pages):
        path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: things[found[1]], route.path)
        method = chance.choice(sorted((route.methods or set()) - {"HEAD"}))
        chosen = dict(chance.sample(sorted(_FIELDS.items()), chance.randrange(len(_FIELDS))))
        yield PageRequest(method, path, {**chosen, "uuid": things["uuid"]} if method == "POST" else None)
