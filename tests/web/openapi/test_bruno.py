"""The request collection for Bruno, which is run here in the order in which Bruno runs it."""

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.web.app import describe_api
from openbooking.web.openapi.bruno import make_collection
from support.approval_flow import TRIP
from support.broker.systems import serving_world
from support.builders import new_uuid
from support.http_system import World, open_world
from support.openapi.bru import read_blocks, read_request, read_values
from support.parties import MANAGER

pytestmark = pytest.mark.anyio

BRU = Path(__file__).parents[2] / "bruno" / "node_modules" / ".bin" / "bru"
FOLDERS = ("Dataset site", "Open feeds", "Booking", "Orders feeds", "Monitoring", "Other")


async def write_collection(world: World, folder: Path) -> dict[str, str]:
    """Write the collection of a system, and return its variables."""
    for name, text in make_collection(await describe_api(world.settings)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (environment,) = (folder / "environments").iterdir()
    uuids = {"uuid": new_uuid(), "proposalUuid": new_uuid()}
    return {**read_values(read_blocks(environment)["vars"]), "token": "obk_alice", **uuids}


async def test_each_request_of_the_collection_succeeds(tmp_path: Path) -> None:
    async with open_world("sqlite", tmp_path) as world:
        await world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
        variables = await write_collection(world, tmp_path / "bruno")
        names = []
        for folder in FOLDERS:
            files = (tmp_path / "bruno" / folder).iterdir()
            for request in sorted((read_request(path, variables) for path in files), key=lambda each: each.number):
                headers = {"Content-Type": request.content_type} if request.content_type else {}
                if request.has_credentials:
                    headers["Authorization"] = f"Bearer {variables['token']}"
                content = request.body.encode() if request.body else None
                reply = await world.client.request(request.method, request.url, content=content, headers=headers)
                assert reply.status_code == request.status, (request.name, reply.text)
                names.append(request.name)
        document = (await world.client.get("/openapi.json")).json()
    summaries = [each["summary"] for methods in document["paths"].values() for each in methods.values()]
    assert sorted(names) == sorted(summaries)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"access": "openid"}, {"auth": {"mode": "bearer"}, "auth:bearer": {"token": "{{token}}"}}),
        (
            {"access": "headers", "trusted_partner_header": "X-Partner"},
            {"auth": {"mode": "none"}, "headers": {"X-Partner": "{{partnerHeader}}"}},
        ),
    ],
)
async def test_collection_has_the_credentials_of_the_settings(
    tmp_path: Path, changes: dict[str, Any], expected: dict[str, dict[str, str]]
) -> None:
    async with open_world("memory", tmp_path, **changes) as world:
        variables = await write_collection(world, tmp_path / "bruno")
    blocks = read_blocks(tmp_path / "bruno" / "collection.bru")
    assert {name: read_values(blocks[name]) for name in expected} == expected
    assert ("partnerHeader" in variables) == (changes["access"] == "headers")
    assert json.loads((tmp_path / "bruno" / "bruno.json").read_text())["type"] == "collection"


@pytest.mark.timeout(300)
async def test_bruno_itself_runs_the_collection(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if not request.config.getoption("--bruno"):
        pytest.skip("`make contract` installs Bruno's command")
    async with serving_world("sqlite", tmp_path) as served:
        await served.world.store.execute(Publish(tuple(TRIP), actor=MANAGER))
        await write_collection(served.world, tmp_path / "bruno")
        for folder in FOLDERS:
            command = [str(BRU), "run", folder, "--env", "This system", "--env-var", "token=obk_alice"]
            process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path / "bruno", stdout=PIPE)
            output, _ = await process.communicate()
            assert process.returncode == 0, output.decode()
