"""A server of a correct feed whose responses have every known fault.

Items come again with higher, equal and lower numbers, deleted, or without an id. One id stands under two kinds. Numbers
need more than 64 bits. Every second page has one of many faults, in an order that depends on a seed.
"""

import gzip
import json
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from support.feeds.answers import Answer
from support.importing.item_shapes import KINDS, shaped, usage

FIRST = 2**63
PATH = "/feed"
MOVED = "/moved"
PAGE_ITEMS = 50
HTML = b"<!DOCTYPE html><html><body>Back soon</body></html>"


class Entry(NamedTuple):
    """An item of the feed; its id is None if it has none."""

    id: str | None
    kind: str
    modified: int
    state: str
    seed: int


class Page(NamedTuple):
    """A correct page: the position of its first item, its items, and the positions around it."""

    position: int
    items: list[bytes]
    itself: str
    following: str

    def encode(self, next_: Any = ..., items: list[bytes] | None = None) -> bytes:
        shown = self.items if items is None else items
        named = json.dumps(self.following if next_ is ... else next_).encode()
        return b'{"next": ' + named + b', "items": [' + b",".join(shown) + b'], "license": "https://example.com/"}'


class Upstream:
    """The feed, with the number of times that each fault was served."""

    def __init__(self, items: int, seed: int) -> None:
        self.site = ""
        self.served: Counter[str] = Counter()
        self._chance = random.Random(seed)  # noqa: S311 - the same faults again
        self._usage, self.shaped_by = usage()
        self._entries = list(_entries(items, self._chance))
        self._deck: list[str] = []
        self._passes = 0

    @property
    def pages(self) -> int:
        return len(self._entries) // PAGE_ITEMS + 1

    def items(self) -> tuple[dict[tuple[str, str], bytes], set[bytes]]:
        """Return what a reader must have at the end: items by id and kind, and those without an id."""
        latest: dict[tuple[str, str], Entry] = {}
        nameless = set()
        for entry in self._entries:
            if entry.id is None:
                nameless.add(self._encode(entry))
            elif (entry.id, entry.kind) not in latest or latest[entry.id, entry.kind].modified <= entry.modified:
                latest[entry.id, entry.kind] = entry
        return {key: self._encode(entry) for key, entry in latest.items()}, nameless

    def answer(self, path: str) -> Answer:
        """Return the response for a URL, and count its fault."""
        page = self._page(path)
        if self._chance.random() < 1 / 2:
            return Answer(page.encode())
        if not self._deck:
            self._deck = sorted(FAULTS)
            self._chance.shuffle(self._deck)
        name = self._deck.pop()
        self.served[name] += 1
        return FAULTS[name](self, page)

    def _page(self, path: str) -> Page:
        position = _position(path)
        entries = self._entries[position : position + PAGE_ITEMS]
        following = self.url(position + len(entries)) if entries else self.site + path
        return Page(position, [self._encode(entry) for entry in entries], self.site + path, following)

    def url(self, position: int) -> str:
        """Return the URL of the page after this number of entries, by change number or by time and id in turn."""
        if position % (2 * PAGE_ITEMS):
            return f"{self.site}{PATH}?afterTimestamp={FIRST + position}&afterId=a%2Fb%20{position}"
        return f"{self.site}{PATH}?afterChangeNumber={FIRST + position}" if position else self.site + PATH

    def pass_over(self, page: Page) -> str:
        """Return another URL of the same page each time."""
        self._passes += 1
        return f"{page.itself}{'&' if '?' in page.itself else '?'}pass={self._passes}"

    def shown_before(self, page: Page) -> list[bytes]:
        """Return the items of a page, after some items of the first page."""
        return [*self._page(PATH).items[:5], *page.items] if page.items else []

    def _encode(self, entry: Entry) -> bytes:
        item: dict[str, Any] = {"state": entry.state, "kind": entry.kind, "id": entry.id, "modified": entry.modified}
        if entry.state == "updated":
            item["data"] = shaped(entry.kind, self._usage, random.Random(entry.seed))  # noqa: S311 - the same again
        if entry.id is None:
            del item["id"]
        elif entry.id.isdigit():
            item["id"] = int(entry.id)
        return json.dumps(item, ensure_ascii=False).encode()


def _entries(items: int, chance: random.Random) -> Iterator[Entry]:
    """Return this number of items, and some of them again in other versions."""
    known: list[Entry] = []
    number = FIRST
    # Versions of one item have numbers of their own: of equal ones the last that is shown is right.
    for count in range(items):
        number += chance.randrange(3)
        entry = Entry(_id(count, chance), chance.choice(KINDS), number, "updated", chance.getrandbits(60))
        known.append(entry)
        yield entry
        if chance.random() < 1 / 5:
            number += 1 + chance.randrange(2)
            earlier = chance.choice(known)
            again = chance.choice(
                (
                    earlier._replace(modified=number, seed=chance.getrandbits(60)),
                    earlier._replace(modified=number, state="deleted"),
                    earlier._replace(modified=FIRST - 1, seed=chance.getrandbits(60)),
                    earlier._replace(kind="Session", modified=number),
                    earlier,
                )
            )
            yield again if again.id is not None else earlier


def _id(count: int, chance: random.Random) -> str | None:
    if chance.random() < 1 / 100:
        return None
    return chance.choice((f"item/{count}", str(FIRST * 4 + count), f"größe {count}"))


def _position(path: str) -> int:
    query = parse_qs(urlsplit(path).query)
    number = query.get("afterChangeNumber", query.get("afterTimestamp", [str(FIRST)]))[0]
    return int(number) - FIRST


def _packed(content: bytes, *codings: str) -> Answer:
    return Answer(content, headers=tuple(("Content-Encoding", coding) for coding in codings))


def _status(status: int, retry_after: str = "") -> Callable[[Upstream, Page], Answer]:
    return lambda *_: Answer(HTML, status, (("Retry-After", retry_after),) if retry_after else ())


def _redirect(url: Callable[[Upstream, Page], str]) -> Callable[[Upstream, Page], Answer]:
    return lambda upstream, page: Answer(status=302, headers=(("Location", url(upstream, page)),))


def _next(next_: Callable[[Upstream, Page], Any]) -> Callable[[Upstream, Page], Answer]:
    """Return the page with another `next`; the last page is not changed."""
    return lambda upstream, page: Answer(page.encode(next_(upstream, page)) if page.items else page.encode())


def _body(made: Callable[[bytes], bytes], *codings: str, breaks: bool = False) -> Callable[[Upstream, Page], Answer]:
    return lambda _, page: _packed(made(page.encode()), *codings)._replace(breaks=breaks)


def _members(body: bytes) -> bytes:
    return b"".join(gzip.compress(body[start : start + 10_000]) for start in range(0, len(body), 10_000))


def _gigabytes() -> bytes:
    """Return two gigabytes of zeros as one gzip member, which repeats one block."""
    packer = zlib.compressobj(9, wbits=31)
    blocks = [packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    return blocks[0] + blocks[1] * 1_999


def _permuted(url: str) -> str:
    base, _, query = url.partition("?")
    return base + "?" + "&".join(reversed(query.split("&"))) if query else url


_BOMB = _gigabytes()
_PADDING = b"{" + b'"padding": "' + b"x" * 20_000_000 + b'", '
_SOON = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)

FAULTS: dict[str, Callable[[Upstream, Page], Answer]] = {
    **{f"status {status}": _status(status) for status in (401, 403, 404, 410, 429, 500, 502, 503, 504, 520)},
    "status 429, Retry-After in seconds": _status(429, "1"),
    "status 503, Retry-After a date": _status(503, _SOON),
    "HTML with status 200": lambda *_: Answer(HTML),
    "an error as JSON with status 200": lambda *_: Answer(b'{"error": "busy"}'),
    "an empty body": lambda *_: Answer(),
    "a connection that breaks": _body(lambda body: body[: len(body) // 2], breaks=True),
    "half of the JSON": _body(lambda body: body[: len(body) // 2]),
    "half of the gzip": _body(lambda body: gzip.compress(body)[:-20], "gzip"),
    "a wrong checksum": _body(lambda body: gzip.compress(body)[:-8] + b"12345678", "gzip"),
    "no gzip, though it says so": _body(bytes, "gzip"),
    "gzip twice": _body(lambda _: gzip.compress(_BOMB), "gzip, gzip"),
    "gzip twice in two headers": _body(lambda _: gzip.compress(_BOMB), "gzip", "gzip"),
    "a coding that was not asked for": _body(zlib.compress, "deflate"),
    "two gigabytes of zeros": _body(lambda _: _BOMB, "gzip"),
    "millions of items": _body(lambda _: gzip.compress(b'{"items": [' + b"1," * 9_000_000 + b"1]}", 1), "gzip"),
    "a page that is too large": _body(lambda body: body + b" " * 25_000_000),
    "a redirect to another host": _redirect(lambda *_: "https://localhost/feed"),
    "a redirect to itself": _redirect(lambda _, page: page.itself),
    "a redirect on the same host": _redirect(lambda upstream, page: upstream.url(page.position).replace(PATH, MOVED)),
    "a redirect without encryption": _redirect(
        lambda upstream, page: upstream.url(page.position).replace(PATH, MOVED).replace("https:", "http:")
    ),
    "gzip": _body(gzip.compress, "gzip"),
    "gzip in members": _body(_members, "x-gzip"),
    "a byte order mark": _body(lambda body: b"\xef\xbb\xbf \n" + body),
    "twenty megabytes of padding": _body(lambda body: _PADDING + body[1:]),
    "twenty megabytes of padding, packed": _body(lambda body: gzip.compress(_PADDING + body[1:], 1), "gzip"),
    "a member nested too deeply": _body(lambda body: b'{"deep": ' + b"[" * 5_000 + b"]" * 5_000 + b", " + body[1:]),
    "half a character": _body(lambda body: b'{"half": "\\ud800", ' + body[1:]),
    "items that were shown before": lambda upstream, page: Answer(page.encode(items=upstream.shown_before(page))),
    "a page whose items were filtered out": lambda upstream, page: Answer(page.encode(upstream.pass_over(page), [])),
    "a relative next": _next(lambda upstream, page: page.following.removeprefix(upstream.site)),
    "a next without encryption": _next(lambda _, page: page.following.replace("https:", "http:")),
    "a next in another order": _next(lambda _, page: _permuted(page.following)),
    "a next with credentials": _next(lambda _, page: page.following.replace("https://", "https://me:you@")),
    "no next": _next(lambda *_: None),
    "a number for a next": _next(lambda *_: FIRST),
    "a next that is itself": _next(lambda _, page: page.itself),
    "a next on another host": _next(lambda *_: "https://localhost/feed"),
    "a next that leads back": _next(lambda upstream, page: upstream.url(max(0, page.position - 3 * PAGE_ITEMS))),
    "no items and no next": lambda _, page: Answer(page.encode(None, items=[])),
}
