"""The dataset site: a page for people that embeds JSON-LD for programs."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Seller
from openbooking.openactive.terms import LICENCE, OPENACTIVE, RPDE_MEDIA_TYPE
from support.http_system import SITE, World, open_world
from support.parties import CENTRE, STUDIO
from support.validators import Validator

pytestmark = pytest.mark.anyio

# The types that the Test Suite harvests, with the names of their feeds in this system.
FEEDS = {
    "https://openactive.io/SessionSeries": "session-series",
    "https://openactive.io/ScheduledSession": "scheduled-sessions",
    "https://openactive.io/FacilityUse": "facility-uses",
    "https://openactive.io/IndividualFacilityUse": "individual-facility-uses",
    "https://openactive.io/Slot": "slots",
    "https://schema.org/Event": "events",
    "https://schema.org/OnDemandEvent": "on-demand-events",
}


class Page(HTMLParser):
    """A parser that collects the text, meta tags, links and scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.meta: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.scripts: list[tuple[str, str]] = []
        self._open: tuple[str, dict[str, str]] = ("", {})
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._open = (tag, values)
        if tag == "meta":
            self.meta[values.get("name") or values.get("property") or ""] = values.get("content", "")

    def handle_data(self, data: str) -> None:
        tag, values = self._open
        if tag == "script":
            self.scripts.append((values["type"], data))
        elif tag == "a":
            self.links[" ".join(data.split())] = values["href"]
        self.text += " " + " ".join(data.split())

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._open = ("", {})


async def page_of(world: World) -> Page:
    response = await world.client.get("/openactive")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return Page(response.text)


async def dataset_of(world: World) -> dict[str, Any]:
    ((_, script),) = (await page_of(world)).scripts
    found: dict[str, Any] = json.loads(script)
    return found


@pytest.mark.spec("OB-DISC-04", "OB-DISC-10", "OB-DISC-11", "OB-DISC-12", "OB-DISC-19")
async def test_the_page_embeds_one_valid_dataset(sqlite_world: World, validator: Validator) -> None:
    ((type_, script),) = (await page_of(sqlite_world)).scripts
    dataset = json.loads(script)
    assert type_ == "application/ld+json"
    assert validator.failures("DatasetSite", dataset) == []
    assert dataset["@context"] == ["https://schema.org/", "https://openactive.io/"]
    assert dataset["@type"] == "Dataset"
    assert dataset["@id"] == dataset["url"] == f"{SITE}/openactive"
    assert dataset["license"] == LICENCE
    assert dataset["datePublished"] == "2027-03-01T12:00:00Z"
    assert {"name", "publisher", "schemaVersion", "description", "keywords"} <= dataset.keys()


@pytest.mark.spec("OB-DISC-13", "OB-DISC-20", "OB-FEED-01")
async def test_each_feed_is_listed_once_with_its_url(sqlite_world: World) -> None:
    downloads = (await dataset_of(sqlite_world))["distribution"]
    urls = {download["additionalType"]: download["contentUrl"] for download in downloads}
    assert urls == {type_: f"{SITE}/feeds/{feed}" for type_, feed in FEEDS.items()}
    assert len(downloads) == len(FEEDS)
    for download in downloads:
        assert download["@type"] == "DataDownload"
        assert download["name"] == download["additionalType"].rpartition("/")[2]
        assert download["encodingFormat"] == RPDE_MEDIA_TYPE
        items = (await sqlite_world.client.get(download["contentUrl"])).json()["items"]
        assert download["name"] in {item["kind"] for item in items}


@pytest.mark.spec("OB-DISC-01", "OB-DISC-02", "OB-DISC-16", "OB-DISC-17", "OB-DISC-18")
@pytest.mark.parametrize("api_path", ["/api", "/", "/v1/booking/"])
async def test_the_site_shows_the_base_uri(tmp_path: Path, api_path: str) -> None:
    async with open_world("sqlite", tmp_path, api_path=api_path) as world:
        dataset = await dataset_of(world)
        service = dataset["accessService"]
        base = service["endpointUrl"]
        assert base == SITE + ("" if api_path == "/" else api_path.rstrip("/"))
        assert service["@type"] == "WebAPI"
        assert {"name", "documentation", "conformsTo", "endpointDescription", "termsOfService"} <= service.keys()
        assert {"name", "url", "softwareVersion"} <= dataset["bookingService"].keys()
        assert "authenticationAuthority" not in service
        feed = await world.client.get(f"{base}/orders-rpde", headers={"Authorization": "Bearer obk_alice"})
        assert feed.json() == {"next": f"{base}/orders-rpde", "items": []}
        sessions = await world.read_feed("/feeds/scheduled-sessions")
        assert all(entry["data"]["@id"].startswith(f"{base}/") for entry in sessions.values())


@pytest.mark.spec("OB-DISC-05", "OB-DISC-07")
async def test_the_page_shows_publisher_feeds_and_licence(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, publisher="Test Trust", publisher_email="data@example.com") as world:
        page = await page_of(world)
    assert page.links["Creative Commons Attribution 4.0 International Licence"] == LICENCE
    assert page.links["Test Trust"] == SITE
    assert page.links["data@example.com"] == "mailto:data@example.com"
    for type_, feed in FEEDS.items():
        assert page.links[type_.rpartition("/")[2]] == f"{SITE}/feeds/{feed}"
    for standard in ("Open Booking API 1.0", "Realtime Paged Data Exchange 1.0", "Modelling Opportunity Data 2.0"):
        assert page.links[standard].startswith(OPENACTIVE)
    assert "How to use OpenActive data" in page.links
    assert "Contact and discussion" in page.text


@pytest.mark.spec("OB-DISC-06")
async def test_the_page_lists_the_sellers_as_sources(sqlite_world: World) -> None:
    page = await page_of(sqlite_world)
    assert page.links[CENTRE.name] == CENTRE.properties["url"]
    assert page.links[STUDIO.name] == STUDIO.properties["url"]


@pytest.mark.spec("OB-DISC-06")
async def test_a_publisher_that_is_the_only_seller_is_named_once(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, publisher=CENTRE.name) as world:
        page = await page_of(world)
    assert page.links[CENTRE.name] == SITE
    assert STUDIO.name in page.links


@pytest.mark.spec("OB-DISC-08", "OB-DISC-09")
async def test_the_head_describes_the_page_to_search_engines_and_timelines(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path, publisher="Test Trust") as world:
        meta = (await page_of(world)).meta
    assert meta["title"] == meta["og:title"] == "Test Trust Open Data"
    assert meta["identifier"] == meta["og:url"] == f"{SITE}/openactive"
    assert meta["keywords"]
    assert meta["description"] == meta["og:description"]
    assert "Test Trust" in meta["description"]
    assert (meta["language"], meta["og:locale"]) == ("en-GB", "en_GB")
    assert meta["og:image"] == f"{SITE}/openactive/logo.svg"


async def test_stylesheet_and_logo_of_the_page_are_served(sqlite_world: World) -> None:
    for path, media_type in (("style.css", "text/css"), ("logo.svg", "image/svg+xml")):
        response = await sqlite_world.client.get(f"/openactive/{path}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(media_type)


async def test_names_are_escaped_in_the_page(tmp_path: Path) -> None:
    name = "</script><script>alert('\u2028')</script>&amp;"
    async with open_world("sqlite", tmp_path, publisher=name) as world:
        page, dataset = await page_of(world), await dataset_of(world)
    assert dataset["publisher"]["name"] == name
    assert page.meta["title"] == f"{name} Open Data"


@pytest.mark.parametrize(
    ("described", "link"),
    [
        ({"url": "https://centre.example.com/"}, "https://centre.example.com/"),
        ({"url": "javascript:alert(1)"}, SITE),
        ({"url": None}, SITE),
        ({}, SITE),
    ],
)
async def test_the_page_links_to_no_script(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, described: dict[str, Any], link: str
) -> None:
    async def only() -> list[Seller]:
        return [replace(CENTRE, properties=described)]

    monkeypatch.setattr(sqlite_world.store, "sellers", only)
    assert (await page_of(sqlite_world)).links[CENTRE.name] == link
    assert (await dataset_of(sqlite_world))["publisher"]["url"] == link
