"""Examples: real messages, which the test in `tests/web/openapi/test_examples.py` records in `examples.json`.

They were sent to, and by, a Booking System at the address RECORDED_SITE. The document shows them with the addresses of
the system that it describes, and with its version.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from openbooking import __version__
from openbooking.settings import Settings

RECORDED_SITE = "https://booking.example.com"
RECORDED_API_PATH = "/api"
RECORDED_API = RECORDED_SITE + RECORDED_API_PATH
RECORDED_VERSION = "0.0.0.example"
FILE = "examples.json"


class Example(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request and its reply.

    Attributes:
        operation: The id of the operation.
        name: The name of the example, which is unique for the operation.
        summary: What happens, in one sentence.
        path: The path of the request, with its query.
        request: The body of the request; None if it has none.
        status: The status of the reply.
        reply: The body of the reply, as JSON or as text; None if it has none.
    """

    operation: str
    name: str
    summary: str
    path: str
    request: Any = None
    status: int
    reply: Any = None


@cache
def _recorded() -> str:
    return files("openbooking.web.openapi").joinpath(FILE).read_text("utf-8")


def examples_of(settings: Settings) -> Mapping[str, Sequence[Example]]:
    """Return the examples of each operation, by its id, with the addresses of these settings."""
    text = _recorded().replace(RECORDED_API, settings.base_uri).replace(RECORDED_SITE, settings.site)
    text = text.replace(RECORDED_VERSION, __version__)
    found: dict[str, list[Example]] = {}
    for example in msgspec.json.decode(text, type=list[Example]):
        found.setdefault(example.operation, []).append(example)
    return found
