"""A reader of Bruno's request files, as far as our collection uses the format."""

import re
from pathlib import Path
from typing import NamedTuple

METHODS = ("get", "put", "post", "patch", "delete")
_BLOCK = re.compile(r"^([a-z:-]+) \{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


class Request(NamedTuple):
    """A request of the collection, with its variables filled in."""

    name: str
    number: int
    method: str
    url: str
    body: str
    content_type: str
    has_credentials: bool
    status: int


def read_blocks(path: Path) -> dict[str, str]:
    """Return the blocks of a file, by name."""
    return dict(_BLOCK.findall(path.read_text("utf-8")))


def read_values(block: str) -> dict[str, str]:
    """Return the lines of a block as pairs of name and value."""
    pairs = (line.strip().partition(":") for line in block.splitlines() if line.strip())
    return {name: value.strip() for name, _, value in pairs}


def read_request(path: Path, variables: dict[str, str]) -> Request:
    """Return the request in a file."""
    blocks = read_blocks(path)
    meta = read_values(blocks["meta"])
    (method,) = (name for name in blocks if name in METHODS)
    sent = read_values(_fill(blocks[method], variables))
    return Request(
        name=meta["name"],
        number=int(meta["seq"]),
        method=method.upper(),
        url=sent["url"],
        body=_fill(blocks.get("body:json", ""), variables),
        content_type=read_values(blocks["headers"])["Content-Type"] if "headers" in blocks else "",
        has_credentials=sent["auth"] == "inherit",
        status=int(read_values(blocks["assert"])["res.status"].removeprefix("eq ")),
    )


def _fill(text: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: variables[found[1]], text)
