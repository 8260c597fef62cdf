"""A provider with a feed of series and a feed of sessions, which change while they are followed.

Its responses have faults: temporary statuses, refusals, HTML, cut bodies, broken connections and wrong dates. Sessions
come before their series.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from support.feeds.answers import Answer
from support.importing.published_items import OFFER, series, session

PAGE_ITEMS = 100
SERIES_FEED, SESSION_FEED = "/series", "/sessions"
BEGIN = datetime(2028, 3, 1, 10, tzinfo=UTC)

_HTML = b"<!DOCTYPE html><html><body>Back soon</body></html>"
_LONG_AGO = format_datetime(datetime(1999, 1, 1, tzinfo=UTC), usegmt=True)
_FAR = format_datetime(datetime(2099, 1, 1, tzinfo=UTC), usegmt=True)

Json = dict[str, Any]


class Row(NamedTuple):
    """An item of a feed; its data is None if it is deleted."""

    modified: int
    id: str
    data: Json | None


class LiveProvider:
    """The provider. `served` counts the faults of its responses."""

    def __init__(self, items: int, seed: int, *, faulty: bool = True) -> None:
        self.faulty = faulty
        self.served: Counter[str] = Counter()
        self._chance = random.Random(seed)  # noqa: S311 - the same changes and faults again
        self._modified = 0
        self._feeds: dict[str, dict[str, Row]] = {SERIES_FEED: {}, SESSION_FEED: {}}
        self._ordered: dict[str, list[Row]] = {}
        self.series = max(1, items // 50)
        self._sessions = 0
        for number in range(self.series):
            self._put(SERIES_FEED, f"series-{number}", self._series_data(number))
        for _ in range(items - self.series):
            self.add_session()

    def add_session(self) -> None:
        """Publish a new session."""
        self._sessions += 1
        self._put(SESSION_FEED, str(self._sessions), self._session_data(self._sessions))

    def change(self, times: int) -> None:
        """Add, change and delete sessions, some of them under another kind."""
        for _ in range(times):
            number = self._chance.randrange(1, self._sessions + 1)
            doing = self._chance.random()
            if doing < 1 / 4:
                self.add_session()
            elif doing < 1 / 2:
                self._put(SESSION_FEED, str(number), None)
            else:
                self._put(SESSION_FEED, str(number), self._session_data(number))

    def add_series_late(self) -> None:
        """Publish sessions of a series that comes after them."""
        number, self.series = self.series, self.series + 1
        for _ in range(3):
            self._sessions += 1
            self._put(SESSION_FEED, str(self._sessions), self._session_data(self._sessions, number))
        self._put(SERIES_FEED, f"series-{number}", self._series_data(number))

    def drop_deletions(self) -> None:
        """Drop the deletions from the feeds, as they may be dropped after seven days."""
        for rows in self._feeds.values():
            for id_ in [id_ for id_, row in rows.items() if row.data is None]:
                del rows[id_]
        self._ordered = {}

    def sessions(self) -> dict[str, tuple[str, int]]:
        """Return the series and the spaces of the sessions that exist, by name."""
        rows = (row.data for row in self._feeds[SESSION_FEED].values() if row.data)
        return {data["name"]: (data["superEvent"], data["remainingAttendeeCapacity"]) for data in rows}

    def answer(self, path: str) -> Answer:
        """Return the response for a URL."""
        if self.faulty and self._chance.random() < 1 / 5:
            name = self._chance.choice([*FAULTS])
            self.served[name] += 1
            return FAULTS[name](self._page(path))
        return Answer(self._page(path))

    def _page(self, path: str) -> bytes:
        feed, query = urlsplit(path).path, parse_qs(urlsplit(path).query)
        after = int(query.get("afterChangeNumber", ["0"])[0])
        if feed not in self._ordered:
            self._ordered[feed] = sorted(self._feeds[feed].values())
        rows = self._ordered[feed]
        first = _position(rows, after)
        shown = rows[first : first + PAGE_ITEMS]
        kind = "SessionSeries" if feed == SERIES_FEED else "ScheduledSession"
        last = shown[-1].modified if shown else after
        following = f"{feed}?afterChangeNumber={last}"
        items = [_item(row, kind) for row in shown]
        return json.dumps(
            {"items": items, "next": following if shown else path, "license": "https://x.example/"}
        ).encode()

    def _put(self, feed: str, id_: str, data: Json | None) -> None:
        self._modified += 1
        self._feeds[feed][id_] = Row(self._modified, id_, data)
        self._ordered.pop(feed, None)

    def _series_data(self, number: int) -> Json:
        id_ = f"https://provider.example.com/series/{number}"
        return series(**{"@id": id_, "url": id_, "name": f"Series {number}", "offers": [{**OFFER, "@id": f"{id_}#a"}]})

    def _session_data(self, number: int, of: int | None = None) -> Json:
        chosen = self._chance.randrange(self.series) if of is None else of
        start = BEGIN + timedelta(hours=number % 2_000)
        return session(
            number,
            name=f"Session {number}",
            superEvent=f"https://provider.example.com/series/{chosen}",
            startDate=start.isoformat(),
            remainingAttendeeCapacity=self._chance.randrange(1, 30),
        )


def _position(rows: list[Row], after: int) -> int:
    """Return the position of the first row after a change number."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if rows[middle].modified <= after else (low, middle)
    return low


def _item(row: Row, kind: str) -> Json:
    made = {"id": row.id, "kind": kind, "modified": row.modified, "state": "updated" if row.data else "deleted"}
    return {**made, "data": row.data} if row.data else made


def _status(status: int, *headers: tuple[str, str]) -> Callable[[bytes], Answer]:
    return lambda _: Answer(_HTML, status, headers)


FAULTS: dict[str, Callable[[bytes], Answer]] = {
    **{f"status {status}": _status(status) for status in (403, 404, 429, 500, 502, 503)},
    "status 429, Retry-After in seconds": _status(429, ("Retry-After", "7")),
    "status 503, Retry-After a date of a wrong clock": _status(503, ("Retry-After", _FAR), ("Date", _LONG_AGO)),
    "HTML with status 200": lambda _: Answer(_HTML),
    "half of the JSON": lambda page: Answer(page[: len(page) // 2]),
    "a connection that breaks": lambda page: Answer(page[: len(page) // 2], breaks=True),
    "an empty body": lambda _: Answer(),
    "a page from the past": lambda page: Answer(page, headers=(("Date", _LONG_AGO),)),
}
