"""The page of the API at /docs, which shows the OpenAPI document to people."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from openbooking.web.openapi.reading import prose
from support.http_system import SITE, World, open_world

pytestmark = pytest.mark.anyio

HEADERS = {"access": "headers", "trusted_partner_header": "X-Partner"}


class Page(HTMLParser):
    """A parser that collects the ids, links and elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.ids += [values["id"]] if "id" in values else []
        if tag == "a":
            self.links.append(values["href"])
        self.sources += [
            values[name] for name in ("src", "href") if name in values and tag in {"link", "img", "script"}
        ]
        assert "style" not in values


async def page_of(world: World, below: str = "") -> Page:
    reply = await world.client.get(f"{SITE}{below}/docs")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'self'" in policy
    assert "script-src" not in policy
    return Page(reply.text)


@pytest.mark.parametrize("changes", [{}, HEADERS, {"access": "openid", "test_interface": True}], ids=str)
async def test_page_has_a_place_for_each_operation_and_message(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with open_world("memory", tmp_path, **changes) as world:
        page = await page_of(world)
        document = (await world.client.get("/openapi.json")).json()
        for path in page.sources:
            assert (await world.client.get(path)).status_code == 200
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert {each["operationId"] for each in operations} <= set(page.ids)
    assert {f"{each['operationId']}-{status}" for each in operations for status in each["responses"]} <= set(page.ids)
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= set(page.ids)


async def test_links_within_the_page_lead_somewhere(sqlite_world: World) -> None:
    page = await page_of(sqlite_world)
    assert len(page.ids) == len(set(page.ids))
    within = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert within <= set(page.ids)
    assert not {"script", "iframe", "form"} & page.tags


async def test_page_needs_no_other_host(sqlite_world: World) -> None:
    page = await page_of(sqlite_world)
    assert page.sources
    assert not [source for source in page.sources if not source.startswith("/") or source.startswith("//")]


async def test_page_works_below_a_path(tmp_path: Path) -> None:
    def mount(app: Any) -> Starlette:
        return Starlette(routes=[Mount("/booking", app)])

    async with open_world("memory", tmp_path, site_url=f"{SITE}/booking", mount=mount) as world:
        world.judged = False
        page = await page_of(world, "/booking")
        for path in [*page.sources, "/booking/openapi.json"]:
            assert path.startswith("/booking/")
            assert (await world.client.get(SITE + path)).status_code == 200
    assert "/booking/openapi.json" in page.links


async def test_paths_of_the_api_may_begin_with_docs(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, api_path="/docs") as world:
        world.judged = False
        refused = await world.client.get("/docs/orders-rpde", headers={"Accept": "text/html"})
        assert "/docs/orders-rpde" in (await world.client.get("/openapi.json")).json()["paths"]
        await page_of(world)
    assert refused.json()["@type"] == "NoAPITokenError"


async def test_name_of_the_system_is_escaped(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, name="<script>alert(1)</script>") as world:
        page = await page_of(world)
    assert "script" not in page.tags


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One `a<b`.", "<p>One <code>a&lt;b</code>.</p>"),
        ("Head\n- one\n- two", "<p>Head</p><ul><li>one</li><li>two</li></ul>"),
        ("Head\n1. one\n   goes on\n2. two", "<p>Head</p><ol><li>one goes on</li><li>two</li></ol>"),
        ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
        ("[x](https://example.com/)", '<p><a href="https://example.com/">x</a></p>'),
        ('[x](javascript:alert(1)) "', "<p>[x](javascript:alert(1)) &#34;</p>"),
        ('[x](https://example.com/"onclick=")', '<p><a href="https://example.com/&#34;onclick=&#34;">x</a></p>'),
    ],
)
def test_description_becomes_html(text: str, expected: str) -> None:
    assert str(prose(text)) == expected
    assert not re.search(r"<(?!/?(p|ul|ol|li|code|a)\b)", expected)


async def test_start_page_and_dataset_site_link_to_the_page(sqlite_world: World) -> None:
    for path in ("/", "/openactive"):
        page = Page((await sqlite_world.client.get(path, headers={"Accept": "text/html"})).text)
        assert {"/docs", f"{SITE}/docs"} & set(page.links)
    dataset = (await sqlite_world.client.get("/openactive")).text
    assert f'"endpointDescription": "{SITE}/openapi.json"' in dataset
