"""Drives a reader of feeds without a network: tests give the response for each URL, and see what the reader did."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from openbooking.harvest.reader import End, Get, Limits, Reader, Received, Wait

FEED = "https://provider.example.com/feeds/sessions"
NOW = datetime(2026, 10, 21, 7, 27, 50, tzinfo=UTC)


class Answer(NamedTuple):
    """A response.

    `chunk` is the number of bytes that arrive together. `breaks` is true if the connection breaks after them. A server
    calls `halfway` after it has sent half of the response, and `after` when it has sent all of it.
    """

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    chunk: int = 1_000
    breaks: bool = False
    halfway: Callable[[], object] = bool
    after: Callable[[], object] = bool


class Reading(NamedTuple):
    """The result of reading a feed."""

    pages: list[Received]
    end: End
    asked: list[str]
    waits: list[float]
    sent: list[dict[str, str]]

    @property
    def sizes(self) -> list[int]:
        return [len(received.page.items) for received in self.pages]


def item(modified: Any, id_: Any = "1", **changes: Any) -> dict[str, Any]:
    made = {"state": "updated", "kind": "Event", "id": id_, "modified": modified, "data": {"@type": "Event"}}
    return made | changes


def page(next_: Any, *items: Any) -> bytes:
    return json.dumps({"items": items, "next": next_}).encode()


def ok(next_: Any, *items: Any) -> Answer:
    return Answer(page(next_, *items))


def read(
    answers: Mapping[str, Answer | Sequence[Answer]], url: str = FEED, *, limits: Limits | None = None, **options: Any
) -> Reading:
    """Read a feed with these responses by URL. If a URL has several responses, the last one is repeated."""
    left = {asked: [given] if isinstance(given, Answer) else list(given) for asked, given in answers.items()}
    reader = Reader(url, limits=limits, **options)
    reading = Reading([], End(""), [], [], [])
    while not isinstance(step := reader.next_step(), End):
        if isinstance(step, Wait):
            reading.waits.append(step.seconds)
        elif isinstance(step, Received):
            reading.pages.append(step)
        else:
            reading.asked.append(step.url)
            reading.sent.append(dict(step.headers))
            given = left[step.url]
            _give(reader, step, given.pop(0) if len(given) > 1 else given[0])
    return reading._replace(end=step)


def _give(reader: Reader, get: Get, answer: Answer) -> None:
    if not reader.receive_head(answer.status, answer.headers, NOW):
        return
    for start in range(0, len(answer.body), answer.chunk):
        if not reader.receive_data(answer.body[start : start + answer.chunk]):
            return
    if answer.breaks:
        reader.receive_failure(f"the connection to {get.url} broke")
    reader.receive_end()
