"""Checks that the data on the pages can be read by the readers of this system."""

import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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


def check_json(text: str) -> None:
    """Parse JSON, and read it as the message or the page of a feed that it is."""
    value = json.loads(text)
    members: dict[str, Any] = value if isinstance(value, dict) else {}
    if {"items", "next"} <= members.keys():
        read_page(text.encode())
    elif members.get("@type") in set(OrderType) and "seller" in members:
        base_uri = urlsplit(members["seller"])._replace(query="", fragment="").geturl().partition("/identifiers/")[0]
        OrderReader(Identifiers(base_uri), _MOST_ITEMS).order(text.encode(), OrderType(members["@type"]))


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
