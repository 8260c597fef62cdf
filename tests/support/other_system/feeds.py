"""The RPDE feeds of the other Booking System, ordered by time and id (RPDE "Modified Timestamp and ID")."""

from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from support.other_system.differences import Differences
from support.other_system.spelling import spell

OPEN_FEEDS = {
    "lessons": "https://openactive.io/ScheduledSession",
    "classes": "https://openactive.io/ScheduledSession",
    "series": "https://openactive.io/SessionSeries",
    "slots": "https://openactive.io/Slot",
    "courts": "https://openactive.io/IndividualFacilityUse",
}
ORDERS, PROPOSALS = "orders-rpde", "order-proposals-rpde"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"

# Ticks of 100 ns since the year 1, as .NET counts. Readers that read JSON numbers as floats lose the last digits.
_FIRST_TIME = 638_000_000_000_000_007
_FIRST_NUMBER = 700_001
_AT_OPENING = 4


class Entry(NamedTuple):
    """An item of a feed; `data` is None if the item is deleted."""

    id: str
    number: int
    kind: str
    modified: int
    data: dict[str, Any] | None


class Feeds:
    """The items of all feeds. All feeds have the same clock."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Entry]] = {name: {} for name in (*OPEN_FEEDS, ORDERS, PROPOSALS)}
        self._changes = 0
        self._is_open = False

    def open(self) -> None:
        """End the opening. Several items share a `modified` until then, and none afterwards."""
        self._is_open = True

    def put(self, feed: str, id_: str, kind: str, data: dict[str, Any]) -> None:
        """Add an item, or replace it."""
        entries = self._entries[feed]
        number = entries[id_].number if id_ in entries else _FIRST_NUMBER + len(entries)
        entries[id_] = Entry(id_, number, kind, self._now(), data)

    def delete(self, feed: str, id_: str) -> None:
        """Mark an item as deleted, if the feed has it."""
        entries = self._entries[feed]
        if id_ in entries:
            entries[id_] = entries[id_]._replace(modified=self._now(), data=None)

    def page(self, feed: str, url: str, differences: Differences) -> dict[str, Any]:
        """Return the page at a URL."""
        query = {name: values[-1] for name, values in parse_qs(url.partition("?")[2]).items()}
        numbered = differences.numeric_ids and feed in OPEN_FEEDS
        rows = sorted(
            self._entries[feed].values(), key=lambda entry: (entry.modified, entry.number if numbered else entry.id)
        )
        after = next((count for count, entry in enumerate(rows) if not _is_passed(entry, query, numbered)), len(rows))
        found = rows[after : after + differences.page_size]
        shown = found
        if found and after and differences.repeated_items and query:
            shown = [rows[after - 1], *found]
        page: dict[str, Any] = {"items": [_item(entry, differences, numbered) for entry in shown]}
        page["next"] = self._next(url, found, differences, numbered)
        return page | ({"license": LICENCE} if feed in OPEN_FEEDS else {})

    def _next(self, url: str, found: list[Entry], differences: Differences, numbered: bool) -> str:
        """Return the link to the next page; the last page links to itself (RPDE "Last page definition")."""
        following = url
        if found:
            last = found[-1]
            position = {"afterTimestamp": last.modified, "afterId": last.number if numbered else last.id}
            following = f"{url.partition('?')[0]}?{urlencode(position)}"
        if differences.next_links == "absolute":
            return following
        return "/" + following.split("/", 3)[3]

    def _now(self) -> int:
        self._changes += 1
        passed = self._changes if self._is_open else self._changes // _AT_OPENING
        return _FIRST_TIME + passed + (1_000 if self._is_open else 0)


def _is_passed(entry: Entry, query: dict[str, str], numbered: bool) -> bool:
    if "afterTimestamp" not in query:
        return False
    modified, id_ = int(query["afterTimestamp"]), query.get("afterId", "")
    if entry.modified != modified or not id_:
        return entry.modified <= modified
    return entry.number <= int(id_) if numbered else entry.id <= id_


def _item(entry: Entry, differences: Differences, numbered: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "state": "deleted" if entry.data is None else "updated",
        "kind": entry.kind,
        "id": entry.number if numbered else entry.id,
        "modified": str(entry.modified) if differences.modified == "text" else entry.modified,
    }
    if differences.extra_properties:
        item["etag"] = f'W/"{entry.modified}"'
    return item if entry.data is None else item | {"data": spell(entry.data, differences)}
