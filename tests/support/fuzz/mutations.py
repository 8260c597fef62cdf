"""Requests, and random faults in their path, query, headers, form or JSON body."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

# Every type of JSON, ends of ranges, and texts that are special to databases, templates, paths and terminals.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    0.1,
    1e308,
    2**31,
    2**63,
    -(2**63) - 1,
    10**40,
    "",
    " ",
    "0",
    "x",
    "null",
    "\0",
    "a\0b",
    "\r\nX-Injected: 1",
    "\u202e\u200b\ufeff",
    "\U0001f3c0" * 50,
    "x" * 5_000,
    "../../etc/passwd",
    "%00",
    "%2e%2e%2f",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "'; DROP TABLE orders; --",
    "https://",
    "http://[",
    "urn:x",
    "https://booking.example.com/api/orders/",
    "https://example.com:99999/",
    "2027-02-30T25:61:00+99:99",
    "0000-00-00",
    "99999-01-01T00:00:00Z",
    "P1Y",
    "PT99999999999999H",
    "NaN",
    "Infinity",
    "1e400",
    "GBP",
    "£",
    [],
    {},
    [[]],
    [None],
    ["x"],
    [{}],
    {"@type": ["x"]},
    {"@id": {}},
    {"@id": []},
    {"@value": 1},
    {"": ""},
)
# JSON that no encoder writes.
RAW: tuple[bytes, ...] = (
    b"",
    b"{",
    b"[" * 2_000,
    b'{"a":' * 2_000,
    b"\xff\xfe{}",
    b'{"@type":"\\ud800"}',
    b'{"@type":"\xed\xa0\x80"}',
    b'{"@type":NaN}',
    b'{"totalPaymentDue":{"price":1e999999}}',
    b'{"orderedItem":' + b"9" * 5_000 + b"}",
    b'{"@type":"Order","@type":"OrderQuote"}',
    b"\xef\xbb\xbf{}",
    b"null",
    b"a=1&a=2",
    b"%",
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"text/plain"),
    (b"content-type", b"application/vnd.openactive.booking+json; version=2"),
    (b"content-type", b"application/json; charset=utf-16"),
    (b"content-type", b";;;=,"),
    (b"content-encoding", b"gzip"),
    (b"content-length", b"99999999999"),
    (b"content-length", b"-1"),
    (b"accept", b"text/html"),
    (b"accept", b"*/*;q=0, ;;;"),
    (b"accept-encoding", b"gzip;q=x, *;q=0"),
    (b"authorization", b"Bearer"),
    (b"authorization", b"Bearer \xff\xfe"),
    (b"authorization", b"Basic ==="),
    (b"authorization", b"Basic " + b"A" * 5_000),
    (b"authorization", b"Bearer eyJhbGciOiJub25lIn0.e30."),
    (b"cookie", b"__Host-openbooking=\xff; =; a"),
    (b"if-none-match", b'W/"'),
    (b"if-modified-since", b"yesterday"),
    (b"host", b"example.org:x"),
    (b"origin", b"null"),
    (b"range", b"bytes=0-"),
    (b"x-request-id", b"\xff\r\n"),
    (b"x-forwarded-for", b"::ffff:1.2.3.4, x"),
)
METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "BREW")

Json = dict[str, Any]


class Asked(NamedTuple):
    """A request. The body is JSON, a form, or bytes. `endpoint` is the endpoint for which the request was made."""

    endpoint: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    json: Any = None
    form: Mapping[str, str] | None = None
    raw: bytes | None = None
    more_headers: tuple[tuple[bytes, bytes], ...] = ()
    # The suffix is appended unchanged.
    more_query: str = ""

    @property
    def body(self) -> bytes:
        """The body in the form in which it is sent."""
        if self.raw is not None:
            return self.raw
        if self.form is not None:
            return urlencode(self.form).encode()
        return b"" if self.json is None else json.dumps(self.json).encode()

    @property
    def query_string(self) -> bytes:
        """The query in the form in which it is sent."""
        return (urlencode(self.query) + self.more_query).encode()

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers in the form in which they are sent. A header that replaces another is sent alone."""
        replaced = {name for name, _ in self.more_headers}
        own = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        return [pair for pair in own if pair[0] not in replaced] + list(self.more_headers)


def mutated(asked: Asked, chance: Random) -> Asked:
    """Return the request with one random change, most often in its body."""
    ways: list[tuple[Callable[[Asked, Random], Asked], int]] = [
        (_with_json, 12 if isinstance(asked.json, dict) else 0),
        (_with_form, 12 if asked.form else 0),
        (_with_query, 8 if asked.query else 1),
        (_with_path, 1),
        (_with_header, 2),
        (_without_header, 1),
        (_with_method, 1),
        (_with_raw, 1),
        (_with_cut_body, 1),
    ]
    (way,) = chance.choices([way for way, _ in ways], [weight for _, weight in ways])
    return way(asked, chance)


def _with_json(asked: Asked, chance: Random) -> Asked:
    copied = json.loads(json.dumps(asked.json))
    _change(copied, chance)
    return asked._replace(json=copied)


def _change(tree: Any, chance: Random) -> None:
    """Change a random member anywhere in the JSON."""
    places = list(_positions(tree))
    if not places:
        return
    holder, key = chance.choice(places)
    what = chance.randrange(8)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[key] = [holder[key]]
    elif what == 2:
        holder[key] = {"@id": holder[key]}
    elif what == 3:
        other, there = chance.choice(places)
        holder[key] = json.loads(json.dumps(other[there]))
    elif what == 4 and isinstance(holder, dict):
        holder[chance.choice(("@type", "@id", "x", "", "orderedItem", "price"))] = chance.choice(VALUES)
    elif what == 5 and isinstance(holder[key], list) and holder[key]:
        holder[key] = holder[key] * 3
    else:
        holder[key] = chance.choice(VALUES)


def _positions(tree: Any) -> Any:
    """Yield each member of each object and array, as a container and its key."""
    members = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, member in members:
        yield tree, key
        yield from _positions(member)


def _with_form(asked: Asked, chance: Random) -> Asked:
    return asked._replace(form=_with_member(asked.form or {}, chance))


def _with_query(asked: Asked, chance: Random) -> Asked:
    if not chance.randrange(4):
        return asked._replace(more_query=chance.choice(("&a=%ff", "&&&", "=", "&a=%00", "?", "&" + "a=1&" * 500)))
    return asked._replace(query=_with_member(asked.query, chance))


def _with_member(members: Mapping[str, str], chance: Random) -> dict[str, str]:
    changed = dict(members)
    name = chance.choice([*changed, "x"])
    if chance.randrange(4):
        changed[name] = str(chance.choice(VALUES))
    else:
        changed.pop(name, None)
    return changed


def _with_path(asked: Asked, chance: Random) -> Asked:
    segments = asked.path.split("/")
    segments[chance.randrange(1, len(segments))] = quote(str(chance.choice(VALUES)), safe="/")
    return asked._replace(path="/".join(segments))


def _with_header(asked: Asked, chance: Random) -> Asked:
    return asked._replace(more_headers=(*asked.more_headers, chance.choice(HEADERS)))


def _without_header(asked: Asked, chance: Random) -> Asked:
    left_out = chance.choice([*asked.headers, ""])
    return asked._replace(headers={name: value for name, value in asked.headers.items() if name != left_out})


def _with_method(asked: Asked, chance: Random) -> Asked:
    return asked._replace(method=chance.choice(METHODS))


def _with_raw(asked: Asked, chance: Random) -> Asked:
    return asked._replace(raw=chance.choice(RAW))


def _with_cut_body(asked: Asked, chance: Random) -> Asked:
    """Return the request with its body cut, or with some bytes changed."""
    body = bytearray(asked.body)
    if not body:
        return asked
    if chance.randrange(2):
        return asked._replace(raw=bytes(body[: chance.randrange(len(body))]))
    for _ in range(3):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return asked._replace(raw=bytes(body))
