"""`openbooking broker discover`, `harvest` and `search`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from openbooking.cli.broker.options import (
    DATABASE,
    REQUIREMENTS,
    Activity,
    DatabaseFile,
    Day,
    IdOption,
    MostPrice,
    NearOption,
    Spaces,
    Text,
    Url,
    find_hits,
    opened,
    read_near,
)
from openbooking.cli.listing import Json
from openbooking.cli.output import is_terminal, reporting, show, show_aside, show_columns, show_json

if TYPE_CHECKING:
    from openbooking.broker import Broker, Hit

_MOST_PAGES = 100_000


def discover(url: Url, *, json: Json = False) -> None:
    """Show the API and the feeds of a Booking System, as its dataset site describes them."""
    with opened(url, "", ":memory:") as broker:
        system = broker.discover()
    if json:
        show_json(msgspec.json.encode(system).decode())
        return
    rows = [(name.replace("_", " "), value) for name, value in msgspec.to_builtins(system).items() if name != "feeds"]
    rows += [(f"feed of {feed.type}", feed.url) for feed in system.feeds]
    show_rows(("What", "Value"), [(name, str(value)) for name, value in rows if value])


def harvest(url: Url, *, database: DatabaseFile = DATABASE, json: Json = False) -> None:
    """Read the open feeds to their ends, from where the last harvest stopped."""
    with opened(url, "", database) as broker, reporting() as report:
        ends = broker.harvest(lambda feed: report(feed.name, f"{feed.pages:,} pages, {feed.items:,} items"))
    if json:
        for end in ends:
            show_json(msgspec.json.encode(end._asdict()).decode())
    else:
        rows = [(end.name, str(end.pages), str(end.items), end.fault or "read to its end") for end in ends]
        show_rows(("Feed", "Pages", "Items", "End"), rows)
    if any(end.fault for end in ends):
        raise typer.Exit(1)


def search(  # noqa: PLR0913 - one parameter for each option
    url: Url,
    *,
    activity: Activity = None,
    text: Text = None,
    day: Day = None,
    near: NearOption = None,
    spaces: Spaces = 1,
    max_price: MostPrice = None,
    id_: IdOption = None,
    activities: Annotated[
        bool, typer.Option("--activities", help="List the activities of all that can be booked, with their numbers.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="The largest number of hits.")] = 20,
    page: Annotated[int, typer.Option(min=1, max=_MOST_PAGES, help="The page of hits.")] = 1,
    database: DatabaseFile = DATABASE,
    json: Json = False,
) -> None:
    """Search what was harvested, for Opportunities that a Broker can book now."""
    place = read_near(near)
    with opened(url, "", database) as broker:
        if activities:
            _show_activities(broker, json=json)
            return
        hits = find_hits(
            broker,
            id_,
            activity=activity,
            text=text,
            day=day,
            near=place,
            spaces=spaces,
            max_price=max_price,
            sort="distance" if place else "start",
            limit=limit,
            offset=(page - 1) * limit,
        )
    if json:
        for hit in hits:
            show_json(msgspec.json.encode(_fields(hit)).decode())
        return
    if not hits:
        show_aside(f"Nothing was found of {url}. `openbooking broker harvest {url}` reads what can be found.")
    rows = [(str(number), *_cells(hit)) for number, hit in enumerate(hits, (page - 1) * limit + 1)]
    show_rows(("Hit", "Start", "Name", "Spaces", "Price", "Distance", "Opportunity"), rows)


def _show_activities(broker: "Broker", *, json: bool) -> None:
    found = broker.activities(REQUIREMENTS)
    if json:
        for activity in found:
            show_json(msgspec.json.encode(activity._asdict()).decode())
    else:
        rows = [(activity.label, str(activity.opportunities)) for activity in found]
        show_rows(("Activity", "Can be booked"), rows)


def show_rows(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows: aligned columns on a terminal, cells with tabs elsewhere."""
    if is_terminal():
        show_columns(heading, rows)
        return
    for row in (heading, *rows):
        show(*row)


def start_of(hit: "Hit") -> str:
    """Return the start of a hit for people."""
    return f"{hit.start:%Y-%m-%d %H:%M}" if hit.start else "any time"


def _cells(hit: "Hit") -> tuple[str, ...]:
    offer = hit.offers[0]
    return (
        start_of(hit),
        hit.name,
        "" if hit.spaces is None else str(hit.spaces),
        f"{offer.price:.2f} {offer.currency}".strip(),
        "" if hit.distance is None else f"{hit.distance:.1f} km",
        hit.id,
    )


def _fields(hit: "Hit") -> dict[str, Any]:
    return {
        "opportunity": hit.id,
        "type": hit.type.value,
        "name": hit.name,
        "start": hit.start,
        "end": hit.end,
        "spaces": hit.spaces,
        "distance": hit.distance,
        "seller": hit.seller_id,
        "offers": [
            {"offer": offer.id, "name": offer.name, "price": offer.price, "currency": offer.currency}
            for offer in hit.offers
        ],
    }
