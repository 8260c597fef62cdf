"""What an operator sets for the dataset site: pictures, links, terms, and the Data Catalog of several installations."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

import pytest

from openbooking.openactive.terms import LICENCE
from openbooking.web.accounts import access_requests
from openbooking.web.api.dataset_site import ACCESS_REQUEST_PATH
from support.http_system import SITE, World, open_world
from support.validators import Validator

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n"
OTHERS = ("https://north.example.com/openactive", "https://south.example.com/openactive")


async def dataset_of(world: World) -> dict[str, Any]:
    """Return the JSON-LD of the dataset site."""
    text = (await world.client.get("/openactive")).text
    found: dict[str, Any] = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)[0])
    return found


def urls_in(value: Any) -> set[str]:
    """Return all texts in JSON that begin with the address of the site."""
    if isinstance(value, dict):
        return {url for each in value.values() for url in urls_in(each)}
    if isinstance(value, list):
        return {url for each in value for url in urls_in(each)}
    return {value} if isinstance(value, str) and value.startswith(SITE) else set()


@pytest.mark.spec("OB-DISC-07", "OB-DISC-16")
@pytest.mark.parametrize("access", ["api-key", "openid", "headers"])
async def test_every_link_of_the_dataset_site_to_this_server_resolves(tmp_path: Path, access: str) -> None:
    gateway = {"trusted_partner_header": "x-partner"} if access == "headers" else {}
    catalog = {"data_catalog": OTHERS[0], "open_referral": True}
    async with open_world("sqlite", tmp_path, access=access, **gateway, **catalog) as world:
        page = (await world.client.get("/openactive")).text
        links = {f"{SITE}{link}" for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)}
        found = links | urls_in(await dataset_of(world)) | set(re.findall(rf'"({SITE}[^"]*)"', page))
        base = world.settings.base_uri
        for url in sorted({urldefrag(url).url for url in found} - {base}):
            reply = await world.client.get(url, headers={"Accept": "text/html"})
            assert reply.status_code in (200, 307), url
        for fragment in {urldefrag(url).fragment for url in found} - {""}:
            assert f'id="{fragment}"' in page


async def test_settings_name_the_links(tmp_path: Path, validator: Validator) -> None:
    links = {
        "feedback_url": "https://github.com/example/openactive/issues",
        "data_documentation_url": "https://example.com/data",
        "api_documentation_url": "https://example.com/api",
        "api_terms_url": "https://example.com/terms",
        "api_access_url": "https://example.com/access",
        "trial_system_url": "https://sandbox.example.com",
    }
    async with open_world("memory", tmp_path, **links) as world:
        dataset, page = await dataset_of(world), (await world.client.get("/openactive")).text
    assert [url for url in links.values() if f'href="{url}"' not in page] == []
    assert dataset["discussionUrl"] == links["feedback_url"]
    assert dataset["documentation"] == links["data_documentation_url"]
    service = dataset["accessService"]
    assert service["documentation"] == links["api_documentation_url"]
    assert (service["termsOfService"], service["landingPage"]) == (links["api_terms_url"], links["api_access_url"])
    assert validator.failures("DatasetSite", dataset) == []


def test_the_dataset_site_knows_the_path_of_the_form() -> None:
    assert ACCESS_REQUEST_PATH == access_requests.ACCESS_REQUEST_PATH


@pytest.mark.spec("OB-DISC-09")
async def test_own_pictures_are_served(tmp_path: Path) -> None:
    logo, wide = tmp_path / "own.PNG", tmp_path / "wide.webp"
    logo.write_bytes(PNG)
    wide.write_bytes(b"RIFF")
    pictures = {"dataset_logo": str(logo), "dataset_background": str(wide)}
    async with open_world("memory", tmp_path, **pictures) as world:
        dataset, page = await dataset_of(world), await world.client.get("/openactive")
        shown = await world.client.get("/openactive/logo.png")
        assert (await world.client.get("/openactive/logo.svg")).status_code == 404
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert dataset["publisher"]["logo"]["url"] == f"{SITE}/openactive/logo.png"
    assert dataset["backgroundImage"]["url"] == f"{SITE}/openactive/background.webp"
    assert f'property="og:image" content="{SITE}/openactive/logo.png"' in page.text
    assert 'src="/openactive/background.webp"' in page.text


async def test_pictures_of_other_sites_are_allowed_by_their_origin_alone(tmp_path: Path) -> None:
    logo, wide = "https://cdn.example.com/logo.png", "https://img.example.com:8443/wide.jpg?a=1"
    async with open_world("memory", tmp_path, dataset_logo=logo, dataset_background=wide) as world:
        dataset, page = await dataset_of(world), await world.client.get("/openactive")
    assert (dataset["publisher"]["logo"]["url"], dataset["backgroundImage"]["url"]) == (logo, wide)
    policy = page.headers["content-security-policy"]
    assert "img-src 'self' https://cdn.example.com https://img.example.com:8443;" in policy
    assert "script" not in policy
    assert "default-src 'none'" in policy


async def test_the_terms_follow_the_settings(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, requests_per_minute=600, retention_days=400) as world:
        terms = (await world.client.get("/openactive/terms")).text
    assert "at most 600 requests a minute" in terms
    assert "400 days after its last session" in terms


@pytest.mark.spec("OB-DISC-21")
async def test_a_data_catalog_lists_the_dataset_sites_of_all_installations(
    tmp_path: Path, validator: Validator
) -> None:
    listed = f" {OTHERS[0]}, {OTHERS[1]},{OTHERS[0]},"
    async with open_world("memory", tmp_path, data_catalog=listed, publisher="Test Trust") as world:
        reply = await world.client.get("/data-catalog")
        assert f'href="{SITE}/data-catalog"' in (await world.client.get("/openactive")).text
        catalog = reply.json()
        own = await dataset_of(world)
    assert reply.headers["content-type"] == "application/ld+json"
    assert validator.failures("DataCatalog", catalog) == []
    assert (catalog["@context"], catalog["@type"]) == ("https://schema.org/", "DataCatalog")
    assert (catalog["@id"], catalog["license"]) == (f"{SITE}/data-catalog", LICENCE)
    assert catalog["dataset"] == [own["@id"], *OTHERS]
    assert "hasPart" not in catalog
    assert catalog["publisher"]["name"] == "Test Trust"


async def test_without_other_installations_there_is_no_data_catalog(sqlite_world: World) -> None:
    assert (await sqlite_world.client.get("/data-catalog")).status_code == 404
    assert "data-catalog" not in (await sqlite_world.client.get("/openactive")).text


@pytest.mark.parametrize("path", ["/openactive", "/openactive/terms"])
async def test_the_site_works_below_a_path(tmp_path: Path, path: str) -> None:
    async with open_world("memory", tmp_path, site_url="https://example.com/booking") as world:
        page = (await world.client.get(f"https://example.com/booking{path}")).text
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page)
    assert links
    assert all(urlsplit(link).path.startswith("/booking/") for link in links)
