"""`openbooking import` and `feed verify` with inputs that an earlier version handled wrongly."""

import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from typer.testing import CliRunner, Result

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.cli import app
from openbooking.openactive.errors import OpenBookingError
from openbooking.settings import AccessMode, Settings
from openbooking.store.migrate import prepare
from openbooking.system import open_identity_store, open_store
from openbooking.testing.samples import Clock
from support.http_system import SITE, World, serving
from support.identity_provider import grant, partner
from support.importing.made_up_imports import book_path, item_of
from support.importing.published_items import CASES
from support.parties import ALICE, CENTRE, MANAGER

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not CASES.is_dir(), reason=f"no inputs: {CASES} is not there"),
]
PORT_IN_CASES = "127.0.0.1:8140"


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Yield a Booking System that uses the database of the commands."""
    for name in [name for name in os.environ if name.startswith("OPENBOOKING_")]:
        monkeypatch.delenv(name)
    database = str(tmp_path / "cases.sqlite3")
    monkeypatch.setenv("OPENBOOKING_DATABASE", database)
    monkeypatch.setenv("OPENBOOKING_SITE_URL", SITE)
    await anyio.to_thread.run_sync(prepare, database)
    settings = Settings(site_url=SITE, database=database, access=AccessMode.API_KEY)
    clock = Clock()
    clock.time = datetime.now(UTC)
    store, identity = open_store(settings, clock), open_identity_store(settings)
    await store.execute(PublishSeller(CENTRE, actor=MANAGER))
    await identity.save(partner(ALICE.partner), grant(ALICE.partner, CENTRE.key))
    async with serving(settings, clock, store, identity) as opened:
        opened.judged = False
        yield opened


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the URL of a provider's site, and the bodies of its answers by path."""
    bodies: dict[str, bytes] = {}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in bodies else 404)
            self.end_headers()
            self.wfile.write(bodies.get(self.path, b""))

        def log_message(self, *_: Any) -> None:
            """Do not log requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


async def run(*arguments: str) -> Result:
    return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(app, [*arguments]))


async def import_case(name: str, *options: str) -> Result:
    return await run("import", str(CASES / f"{name}.json"), "--seller", CENTRE.key, *options)


def serve(name: str, site: tuple[str, dict[str, bytes]]) -> str:
    """Serve the pages of a case; return the address of the site."""
    address, bodies = site
    text = (CASES / f"{name}.json").read_text().replace(PORT_IN_CASES, address.removeprefix("http://"))
    bodies |= {path: json.dumps(page).encode() for path, page in json.loads(text).items()}
    return address


def path_of(result: Result, name: str) -> str:
    """Return the path of the item whose name in the report ends with this name."""
    (line,) = [line for line in result.stdout.splitlines() if f"{name} as " in line]
    return line.split(" as ")[1].split(":")[0]


async def events(world: World) -> dict[str, dict[str, Any]]:
    found = await world.read_feed("/feeds/events")
    return {item["data"]["name"]: item["data"] for item in found.values() if item["state"] == "updated"}


@pytest.mark.spec("OB-FEED-17")
async def test_an_empty_page_does_not_end_a_feed(world: World, site: tuple[str, dict[str, bytes]]) -> None:
    url = f"{serve('01-empty-page-in-the-middle', site)}/f"
    result = await run("import", url, "--seller", CENTRE.key)
    assert result.exit_code == 0
    assert set(await events(world)) == {"E1", "E2"}
    verified = await run("feed", "verify", url)
    assert (verified.exit_code, verified.stdout) == (0, f"{url}: 2 items on 4 pages, 0 faults\n")


async def test_an_offer_with_unknown_conditions_cannot_be_booked(world: World) -> None:
    result = await import_case("02-offers-with-conditions-not-understood")
    assert "not bookable  Event https://x.example/e/1" in result.stdout
    path = path_of(result, "https://x.example/e/1")
    try:
        await book_path(world, path, status=409)
    except (IndexError, OpenBookingError):
        assert "offers" not in (await events(world))["E1"]


async def test_feeds_with_different_queries_are_different_sources(
    world: World, site: tuple[str, dict[str, bytes]]
) -> None:
    address = serve("03-feeds-that-differ-in-query", site)
    north = await run("import", f"{address}/odi.php?club=north", "--seller", CENTRE.key)
    uuid = await book_path(world, path_of(north, "https://x.example/e"))
    before = await item_of(world, uuid)
    south = await run("import", f"{address}/odi.php?club=south", "--seller", CENTRE.key)
    assert (north.exit_code, south.exit_code) == (0, 0)
    assert set(await events(world)) == {"North yoga", "South judo"}
    assert await item_of(world, uuid) == before


async def test_an_order_stays_for_its_room_when_rooms_are_swapped(world: World) -> None:
    first = await import_case("05a-two-rooms", "--source", "p")
    uuid = await book_path(world, path_of(first, "Room A"))
    again = await import_case("05b-two-rooms-in-other-order", "--source", "p")
    assert path_of(again, "Room A") == path_of(first, "Room A")
    assert (await item_of(world, uuid))["orderedItem"]["name"] == "Room A"


async def test_the_us_spelling_of_cancelled_takes_off_sale(world: World) -> None:
    first = await import_case("06a-on-sale", "--source", "p")
    path = path_of(first, "https://x.example/e/1")
    uuid = await book_path(world, path)
    again = await import_case("06b-cancelled-us-spelling", "--source", "p")
    assert again.exit_code == 1
    assert await events(world) == {}
    await book_path(world, path, status=409)
    assert (await item_of(world, uuid))["orderItemStatus"].endswith("OrderItemConfirmed")


async def test_a_deletion_with_another_kind_withdraws_the_item(world: World) -> None:
    await import_case("07a-on-sale", "--source", "p")
    again = await import_case("07b-deleted-under-another-kind", "--source", "p")
    assert (again.exit_code, await events(world)) == (0, {})
    assert again.stdout.startswith("withdrawn     Event E1 as events/")


async def test_an_event_without_dates_inherits_those_of_its_headline_event(world: World) -> None:
    result = await import_case("08-races-without-dates")
    sprint = (await events(world))["Sprint"]
    assert (sprint["startDate"], sprint["endDate"]) == ("2027-07-01T08:00:00Z", "2027-07-01T16:00:00Z")
    await book_path(world, path_of(result, "https://x.example/h/1#sprint"))


async def test_an_all_day_event_is_bookable_until_the_day_is_over(world: World, tmp_path: Path) -> None:
    today = datetime.now(ZoneInfo("Europe/London")).date().isoformat()
    item = (CASES / "09-whole-day.json").read_text().replace("TODAY (YYYY-MM-DD)", today)
    (tmp_path / "day.json").write_text(item)
    result = await run("import", str(tmp_path / "day.json"), "--seller", CENTRE.key)
    await book_path(world, path_of(result, "https://x.example/e/1"))


async def test_capacity_is_the_lower_of_maximum_and_remaining_capacity(world: World) -> None:
    result = await import_case("13-more-left-than-maximum")
    path = path_of(result, "https://x.example/e/1")
    for _ in range(5):
        await book_path(world, path)
    await book_path(world, path, status=409)
