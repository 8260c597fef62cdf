"""Open Referral UK: the services on sale, as HSDS 3.0."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.web.api.open_referral import Services
from support.builders import session
from support.console_timetable import Club
from support.http_system import World, open_world
from support.parties import CENTRE, MANAGER, STUDIO
from support.timetables import SPIN

pytestmark = pytest.mark.anyio

ROOT = "/open-referral"
# The required fields of HSDS 3.0, by the name of the list or object that holds them.
REQUIRED = {
    "contents": {"id", "name", "status"},
    "organization": {"id", "name", "description"},
    "schedules": {"id"},
    "service_at_locations": {"id"},
    "location": {"id", "location_type"},
    "addresses": {"id", "address_1", "city", "state_province", "postal_code", "country", "address_type"},
    "cost_options": {"id"},
    "attributes": {"id"},
    "taxonomy_term": {"id", "name", "description"},
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A Booking System with Open Referral, and with a class that a timetable publishes."""
    async with open_world("sqlite", tmp_path, open_referral=True) as opened:
        await Club(opened).save("spin", SPIN)
        yield opened


async def get(world: World, path: str) -> Any:
    reply = await world.client.get(f"{ROOT}{path}")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json"), path
    return reply.json()


def objects(value: Any, name: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return all objects in JSON, each with the name of the property that holds it."""
    if isinstance(value, list):
        return [found for each in value for found in objects(each, name)]
    if not isinstance(value, dict):
        return []
    return [(name, value), *(found for key, each in value.items() for found in objects(each, key))]


async def test_the_root_names_version_and_profile(world: World) -> None:
    for path in ("", "/"):
        about = await get(world, path)
        assert about["version"] == "3.0"
        assert about["profile"].startswith("https://")
        assert about["openapi_url"].startswith("https://")


async def test_services_are_listed_page_by_page(world: World) -> None:
    whole = await get(world, "/services")
    assert whole["total_items"] == whole["size"] == len(whole["contents"])
    assert (whole["first_page"], whole["last_page"], whole["total_pages"], whole["empty"]) == (True, True, 1, False)
    found, number = [], 1
    while True:
        page = await get(world, f"/services?per_page=2&page={number}")
        assert page["page_number"] == number
        found += page["contents"]
        if page["last_page"]:
            break
        number += 1
    assert found == whole["contents"]
    assert number == page["total_pages"] > 1
    beyond = await get(world, f"/services?per_page=2&page={number + 1}")
    assert (beyond["empty"], beyond["contents"]) == (True, [])


async def test_every_object_has_its_required_fields_and_a_uuid(world: World) -> None:
    page = await get(world, "/services?full=true")
    checked = set()
    for name, found in objects(page["contents"], "contents"):
        assert found.keys() >= REQUIRED[name], name
        UUID(found["id"])
        checked.add(name)
    assert checked == REQUIRED.keys()


async def test_lists_have_no_nested_lists_and_a_single_service_has_all(world: World) -> None:
    for summary in (await get(world, "/services"))["contents"]:
        service = await get(world, f"/services/{summary['id']}")
        assert not any(isinstance(value, list) for value in summary.values())
        assert summary.items() <= service.items()
        assert service["attributes"]


async def test_services_are_searched(world: World) -> None:
    for query, expected in (("search=yoga", {"Yoga"}), ("search=YO&page=1", {"Yoga"}), ("search=zumba", set())):
        assert {each["name"] for each in (await get(world, f"/services?{query}"))["contents"]} == expected


async def test_conditions_add_up(world: World) -> None:
    organizations = {each["name"]: each["id"] for each in (await get(world, "/organizations"))["contents"]}
    assert organizations.keys() == {CENTRE.name, STUDIO.name}
    studio = organizations[STUDIO.name]
    assert (await get(world, f"/organizations/{studio}"))["name"] == STUDIO.name
    (pilates,) = (await get(world, f"/services?organization_id={studio}"))["contents"]
    assert pilates["organization_id"] == studio
    nothing = await get(world, f"/services?organization_id={studio}&search=squash")
    assert nothing["contents"] == []
    service = await get(world, f"/services/{pilates['id']}")
    term = service["attributes"][0]["taxonomy_term_id"]
    assert pilates in (await get(world, f"/services?taxonomy_term_id={term}"))["contents"]
    assert (await get(world, f"/services?taxonomy_term_id={pilates['id']}"))["contents"] == []


async def test_an_unknown_path_and_a_wrong_page_are_refused(world: World) -> None:
    for path in ("/services/none", "/organizations/none", "/taxonomies", "/services/"):
        assert (await world.client.get(f"{ROOT}{path}")).status_code == 404, path
    for query in ("page=0", "page=-1", "per_page=x", "page=99999999999999999999", "per_page=1.5"):
        assert (await world.client.get(f"{ROOT}/services?{query}")).status_code == 400, query


async def test_services_follow_what_is_on_sale(sqlite_world: World) -> None:
    """The services are read again at most every five seconds, and only what has changed."""
    time = [0.0]
    services = Services(sqlite_world.store, lambda: time[0])
    names = {each["name"] for each in await services.all()}
    series, *sessions = session("zumba")
    zumba = replace(series, properties={**series.properties, "name": "Zumba"})
    await sqlite_world.store.execute(Publish((zumba, *sessions), actor=MANAGER))
    assert {each["name"] for each in await services.all()} == names
    time[0] += 5
    assert {each["name"] for each in await services.all()} - names == {"Zumba"}
    await sqlite_world.store.execute(SetSaleState(opportunity=zumba.path, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    time[0] += 5
    assert {each["name"] for each in await services.all()} == names


async def test_without_the_setting_there_is_nothing(sqlite_world: World) -> None:
    assert (await sqlite_world.client.get(f"{ROOT}/services")).status_code == 404
    assert "open-referral" not in (await sqlite_world.client.get("/openactive")).text


async def test_services_fit_the_published_schemas(world: World, request: pytest.FixtureRequest) -> None:
    """The schemas are those of openreferral/specification, which is not part of this repository."""
    folder = request.config.getoption("--open-referral-schemas")
    if not folder:
        pytest.skip("needs --open-referral-schemas")
    jsonschema = pytest.importorskip("jsonschema")

    def read(name: str) -> Any:
        schema = json.loads((Path(folder) / f"{name}.json").read_text())
        return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    schemas = {name: read(name) for name in ("service", "service_list", "organization", "organization_list")}
    for kind in ("service", "organization"):
        listed = (await get(world, f"/{kind}s"))["contents"]
        assert listed
        for each in listed:
            assert [*schemas[f"{kind}_list"].iter_errors(each)] == []
            assert [*schemas[kind].iter_errors(await get(world, f"/{kind}s/{each['id']}"))] == []
