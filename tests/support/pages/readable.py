"""Checks that the data on the pages can be read by the readers of this system."""

import json
import re
import tomllib
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from openbooking.broker import ItemsRefusedError
from openbooking.broker.api.replies import read_any_reply
from openbooking.broker.flow import Answer
from openbooking.harvest.documents import read_page
from openbooking.jsonld.read_order import OrderReader
from openbooking.openactive.ids import Identifiers
from openbooking.openactive.terms import OrderType
from openbooking.sandbox.scenarios.scenario import read_scenario
from openbooking.settings import load_settings
from openbooking.timetable.files.content import SourceFile, read_files
from openbooking.timetable.files.shapes import KINDS
from support.timetables import WITHOUT_SITE

_MOST_ITEMS = 100
_FIRST_LINE = re.compile(r"(?:GET|PUT|POST|PATCH|DELETE) /\S*|(?:HTTP/1.1 )?[1-5]\d\d .+")
_HEADER = re.compile(r"[A-Za-z-]+: .+")


def check_json(text: str) -> None:
    """Parse JSON, and read it as the request, the reply or the page of a feed that it is."""
    value = json.loads(text)
    members: dict[str, Any] = value if isinstance(value, dict) else {}
    if {"items", "next"} <= members.keys():
        read_page(text.encode())
    elif members.get("@type") in set(OrderType) and "seller" in members:
        _check_order(members, text.encode())


def _check_order(members: dict[str, Any], body: bytes) -> None:
    """Read a request, which names its Seller by the `@id`, or a reply, which describes the Seller."""
    seller = members["seller"]
    if isinstance(seller, str):
        base_uri = seller.partition("/identifiers/")[0]
        OrderReader(Identifiers(base_uri), _MOST_ITEMS).order(body, OrderType(members["@type"]))
    else:
        with suppress(ItemsRefusedError):
            read_any_reply(Answer(HTTPStatus.OK, {}, body))


def check_http(text: str) -> None:
    """Check the first line of a request or an answer, and its headers."""
    first, *headers = text.strip().splitlines()
    assert _FIRST_LINE.fullmatch(first), first
    assert all(_HEADER.fullmatch(header) for header in headers), headers


def check_toml(text: str, file: Path) -> None:
    """Read TOML as a timetable file, a scenario or settings.

    Args:
        text: The TOML.
        file: A path at which a file can be made.
    """
    keys = tomllib.loads(text).keys()
    if keys & KINDS.keys():
        read_files(WITHOUT_SITE, [SourceFile(file.name, text.encode())], {})
        return
    file.write_text(text, encoding="utf-8")
    if "expect" in keys:
        read_scenario(file)
    else:
        load_settings({"OPENBOOKING_SETTINGS": str(file)})
