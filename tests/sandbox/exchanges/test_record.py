"""The record keeps the last 1,000 exchanges."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from openbooking.sandbox.exchanges.operations import Operation
from openbooking.sandbox.exchanges.record import LONGEST_BODY, LONGEST_PUBLIC_BODY, MOST_EXCHANGES, Record

FACTS: dict[str, Any] = {
    "at": datetime(2027, 3, 1, tzinfo=UTC),
    "began": 0.0,
    "operation": Operation.C1,
    "method": "PUT",
    "path": "/",
    "status": 200,
    "body": "",
    "answer": "x" * (LONGEST_BODY + 1),
}


def test_only_the_last_exchanges_are_kept() -> None:
    record = Record()
    for _ in range(MOST_EXCHANGES + 5):
        record.add(**FACTS)
    kept = record.all()
    assert (len(kept), kept[0].number, kept[-1].number) == (MOST_EXCHANGES, 6, MOST_EXCHANGES + 5)
    assert record.find(5) is None
    assert record.find(6) == kept[0]


def test_a_long_body_is_cut() -> None:
    assert len(Record().add(**FACTS).answer) == LONGEST_BODY
    public = FACTS | {"operation": Operation.OPEN_FEED}
    assert len(Record().add(**public).answer) == LONGEST_PUBLIC_BODY


def test_an_exchange_is_replaced_by_its_number() -> None:
    record = Record()
    first, second = record.add(**FACTS), record.add(**FACTS)
    record.replace(replace(second, arrived=False))
    assert [each.arrived for each in record.all()] == [True, False]
    record.clear()
    record.replace(first)
    assert record.all() == ()
    assert record.add(**FACTS).number == 1
