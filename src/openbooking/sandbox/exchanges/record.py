"""The record of the last exchanges (`Record`)."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import Operation

MOST_EXCHANGES = 1_000
# Characters. Pages of open feeds are long, and no rule reads them.
LONGEST_BODY, LONGEST_PUBLIC_BODY = 500_000, 50_000
_PUBLIC = frozenset({Operation.OPEN_FEED, Operation.DATASET_SITE})


class Record:
    """The last 1,000 exchanges, oldest first."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=MOST_EXCHANGES)
        self._count = 0

    def add(self, **facts: Any) -> Exchange:
        """Add an exchange with the next number, and return it. Very long bodies are cut."""
        self._count += 1
        longest = LONGEST_PUBLIC_BODY if facts["operation"] in _PUBLIC else LONGEST_BODY
        for name in ("body", "answer"):
            facts[name] = facts[name][:longest]
        exchange = Exchange(number=self._count, **facts)
        self._exchanges.append(exchange)
        return exchange

    def replace(self, exchange: Exchange) -> None:
        """Replace the exchange that has the same number, if it is still kept."""
        for position, kept in enumerate(self._exchanges):
            if kept.number == exchange.number:
                self._exchanges[position] = exchange

    def all(self) -> Sequence[Exchange]:
        """Return all exchanges that are kept."""
        return tuple(self._exchanges)

    def find(self, number: int) -> Exchange | None:
        """Return the exchange with a number; None if it is not kept."""
        return next((exchange for exchange in self._exchanges if exchange.number == number), None)

    def clear(self) -> None:
        """Forget all exchanges."""
        self._exchanges.clear()
        self._count = 0
