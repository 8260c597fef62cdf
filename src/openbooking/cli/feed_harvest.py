"""A feed followed to its end, with everything noted that RPDE does not allow on the way."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import msgspec

from openbooking.cli.faults import CommandError

MOST_PAGES = 100_000
_TIMEOUT = httpx2.Timeout(60, connect=10)


class Position(NamedTuple):
    """Where an item stands in its feed: its `modified`, and its id where several may share that."""

    modified: Any
    id: str


class Harvest:
    """What has been seen: the last state of each item, with its `modified`, and what was wrong."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.items: dict[str, tuple[Any, Any]] = {}
        self.last = Position(0, "")
        self.pages = 0
        self.wrong: list[str] = []

    def follow(self, client: httpx2.Client) -> None:
        """Follow `next` to the last page, which has no items and names itself."""
        url = self.url
        while self.pages < MOST_PAGES:
            page = _get(client, url)
            self.pages += 1
            items, following = page.get("items"), page.get("next")
            if not isinstance(items, list) or not isinstance(following, str):
                self.wrong.append(f"{url} has no items, or no next")
                return
            following = urljoin(url, following)
            self._take(url, items, by_time="afterTimestamp" in _query(following))
            if not items:
                if following != url:
                    self.wrong.append(f"{url} is the last page, but its next is {following}")
                return
            self.wrong += _wrong_with_next(url, following, self.last)
            if following == url:
                return
            url = following
        self.wrong.append(f"{self.url} goes on after {MOST_PAGES:,} pages")

    def _take(self, url: str, items: list[Any], *, by_time: bool) -> None:
        """The items of a page. What `next` names tells how they are ordered: by time and id, or by change number."""
        for item in items:
            wrong = list(_wrong_with_item(item))
            if wrong:
                self.wrong += [f"{url}: {line}" for line in wrong]
                continue
            position = Position(item["modified"], str(item["id"]))
            before, here = (self.last, position) if by_time else (self.last[:1], position[:1])
            if not _in_order(before, here):
                self.wrong.append(f"{url}: {position.id} at {position.modified} comes after {self.last.modified}")
            self.last = position
            self.items[position.id] = position.modified, item.get("data")


def _get(client: httpx2.Client, url: str) -> dict[str, Any]:
    try:
        response = client.get(url, timeout=_TIMEOUT, follow_redirects=True)
        page = msgspec.json.decode(response.content) if response.status_code == HTTPStatus.OK else None
    except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError) as fault:
        raise CommandError(f"{url} cannot be read: {fault}") from fault
    if not isinstance(page, dict):
        raise CommandError(f"{url} was answered with status {response.status_code} and is no page of a feed.")
    return page


def _wrong_with_item(item: Any) -> Iterator[str]:
    if not isinstance(item, dict) or not {"id", "kind", "state", "modified"} <= item.keys():
        yield f"an item without id, kind, state or modified: {str(item)[:80]}"
    elif item["state"] not in ("updated", "deleted"):
        yield f"{item['id']} has the state {item['state']}"
    elif (item["state"] == "updated") is not isinstance(item.get("data"), dict):
        yield f"{item['id']} is {item['state']} and has {'' if item.get('data') else 'no '}data"


def _in_order(before: tuple[Any, ...], here: tuple[Any, ...]) -> bool:
    try:
        return before[0] == 0 or here > before
    except TypeError:
        return str(here) > str(before)


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def _wrong_with_next(url: str, following: str, last: Position) -> Iterator[str]:
    """The next page begins after the last item of this one."""
    asked = _query(following)
    named = asked.get("afterChangeNumber", asked.get("afterTimestamp"))
    if following == url:
        yield f"{url} has items, but its next is itself"
    elif named is None:
        yield f"{url} has a next that names no position: {following}"
    elif named[-1] != str(last.modified):
        yield f"{url} ends at {last.modified}, but its next begins after {named[-1]}"
