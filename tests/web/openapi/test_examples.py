"""The examples of the document are the messages of one run of the flow, and OpenActive's validators accept them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from openbooking.settings import Settings
from openbooking.web.openapi.examples import Example, examples_of
from support.http_system import World, open_world
from support.openapi.contract import Contract
from support.openapi.story import EXAMPLES, record, written
from support.validators import Validator

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
RECORDED = msgspec.json.decode(EXAMPLES.read_bytes(), type=list[Example])
MODES = {
    "quoteAnonymously": "C1Request",
    "quote": "C2Request",
    "propose": "PRequest",
    "updateProposal": "OrderProposalPatch",
    "book": "BRequest",
    "cancel": "OrderPatch",
}
# Requests that are wrong on purpose.
WRONG = {"excessive", "noCustomer", "wrongTotal", "otherSeller"}


async def document_of(world: World) -> Json:
    document: Json = (await world.client.get("/openapi.json")).json()
    return document


async def test_examples_are_what_the_system_sends_today(tmp_path: Path) -> None:
    """`make examples` records them again. At the end OpenActive's validators judge each reply."""
    assert written(await record(tmp_path)) == EXAMPLES.read_bytes()


@pytest.mark.parametrize("example", RECORDED, ids=lambda example: f"{example.operation}-{example.name}")
def test_request_of_an_example_is_valid(validator: Validator, example: Example) -> None:
    if example.operation not in MODES or example.name in WRONG:
        return
    is_after_proposal = "orderProposalVersion" in example.request
    mode = "BOrderProposalRequest" if is_after_proposal else MODES[example.operation]
    assert validator.failures(mode, example.request) == []


async def test_each_example_fits_its_schema(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, test_interface=True) as world:
        document = await document_of(world)
    contract = Contract(document)
    operations = {each["operationId"]: each for methods in document["paths"].values() for each in methods.values()}
    seen = set()
    for example in RECORDED:
        operation = operations.get(example.operation)
        if operation is None:
            continue
        seen.add(example.operation)
        if example.request is not None and example.name not in WRONG:
            assert list(contract.problems(_schema(operation["requestBody"]), example.request)) == []
        if example.reply is not None:
            response = operation["responses"][str(example.status)]
            assert list(contract.problems(_schema(response), example.reply)) == [], example
            assert example.name in next(iter(response["content"].values()))["examples"]
    assert operations.keys() - seen == {"readDataset", "readOpenApi"}


def _schema(described: Json) -> Json:
    (content,) = described["content"].values()
    schema: Json = content["schema"]
    return schema


def test_examples_have_the_addresses_of_the_system() -> None:
    found = examples_of(Settings(site_url="https://club.example.org/booking", api_path="/v1"))
    text = msgspec.json.encode(found["book"]).decode()
    assert "https://club.example.org/booking/v1/orders/" in text
    assert "booking.example.com" not in text


async def test_an_example_with_an_error_of_other_credentials_is_left_out(tmp_path: Path) -> None:
    async with open_world("memory", tmp_path, access="headers", trusted_partner_header="X-Partner") as world:
        responses = (await document_of(world))["paths"]["/api/orders-rpde"]["get"]["responses"]
    (content,) = responses["403"]["content"].values()
    assert "examples" not in content
