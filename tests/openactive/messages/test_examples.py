"""The official example messages fit the message types, and lose nothing by being decoded and encoded."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openbooking.openactive import messages
from openbooking.openactive.messages.base import Message, known_part
from support.official_examples import FOLDER, TYPES

Json = dict[str, Any]


@pytest.fixture
def folder() -> Path:
    if not FOLDER.is_dir():
        pytest.skip(f"no official examples to decode: {FOLDER} is not there")
    return FOLDER


def example(folder: Path, name: str) -> Json:
    """Return the example, or the `data` of its first item if the example is a feed page."""
    found: Json = json.loads((folder / f"{name}.json").read_bytes())
    data: Json = found["items"][0]["data"] if "items" in found else found
    return data


def test_every_official_example_has_a_type(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.json")} == TYPES.keys()


@pytest.mark.parametrize(("name", "type_"), TYPES.items(), ids=list(TYPES))
def test_official_example_is_the_same_after_decoding_and_encoding(
    folder: Path, name: str, type_: type[Message]
) -> None:
    sent = example(folder, name)
    message = msgspec.json.decode(json.dumps(sent), type=type_)
    assert json.loads(msgspec.json.encode(message)) == sent


def open_objects(message: Json) -> list[tuple[Json, type[Message]]]:
    """Return the open objects of a reply, with the types of their known parts."""
    found: list[tuple[Json, type[Message]]] = [
        (message["seller"], messages.Organization),
        (message["broker"], messages.Organization),
    ]
    if "customer" in message:
        found.append((message["customer"], messages.Person))
    for item in message["orderedItem"]:
        found.append((item["acceptedOffer"], messages.Offer))
        found += [(sent, messages.Barcode) for sent in item.get("accessPass", ())]
        found += [(sent, messages.IntakeFormAnswer) for sent in item.get("orderItemIntakeFormResponse", ())]
    return found


@pytest.mark.parametrize("name", ["c1_response_example_1", "c2_response_example_1", "b_response_example_1"])
def test_official_open_objects_consist_of_known_properties(folder: Path, name: str) -> None:
    for sent, type_ in open_objects(example(folder, name)):
        assert json.loads(msgspec.json.encode(known_part(sent, type_))) == sent


def test_reply_of_another_type_is_refused(folder: Path) -> None:
    proposal = json.dumps(example(folder, "p_response_example_1"))
    for type_ in (messages.OrderQuote, messages.Order):
        with pytest.raises(msgspec.ValidationError, match="@type"):
            msgspec.json.decode(proposal, type=type_)
