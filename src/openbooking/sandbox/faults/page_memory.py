"""The earlier pages of feeds, which a stale cache would serve."""

import json
from collections import deque
from http import HTTPStatus
from typing import NamedTuple

from openbooking.sandbox.faults.answers import Answer
from openbooking.sandbox.faults.plans import FaultKind

_MOST_PAGES = 300


class PageAddress(NamedTuple):
    """The address of a page: the credentials of its reader, its path and its URL."""

    reader: str
    path: str
    url: str


class _Kept(NamedTuple):
    address: PageAddress
    next: str
    answer: Answer


class PageMemory:
    """The last 300 different pages that were served."""

    def __init__(self) -> None:
        self._pages: deque[_Kept] = deque(maxlen=_MOST_PAGES)

    def keep(self, address: PageAddress, answer: Answer) -> None:
        """Keep a page, unless it is kept already. An answer that is no page is not kept."""
        is_kept = any(kept.address == address and kept.answer.body == answer.body for kept in self._pages)
        if is_kept or answer.status != HTTPStatus.OK:
            return
        try:
            next_url = json.loads(answer.text())["next"]
        except (ValueError, KeyError, TypeError):
            return
        self._pages.append(_Kept(address, str(next_url), answer))

    def earlier(self, kind: FaultKind, address: PageAddress, answer: Answer) -> Answer | None:
        """Return the page that a fault serves in place of an answer; None if no such page was served before."""
        of_reader = [kept for kept in reversed(self._pages) if kept.address[:2] == address[:2]]
        if kind is FaultKind.REPEATED_PAGE:
            # The page whose `next` leads to the requested one. The last page of a feed leads to itself.
            before = (kept for kept in of_reader if kept.next == address.url and kept.address.url != address.url)
        else:
            before = (kept for kept in of_reader if kept.address == address and kept.answer.body != answer.body)
        return next((kept.answer for kept in before), None)

    def clear(self) -> None:
        """Forget all pages."""
        self._pages.clear()
