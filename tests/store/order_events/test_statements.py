"""The queue of order events finds its rows by an index, also when many events wait."""

import sqlite3
from contextlib import closing
from pathlib import Path

from openbooking.store.migrate import prepare
from openbooking.store.order_events.statements import EventQueueStatements
from openbooking.store.sqlite.dialect import Sqlite


def test_due_events_are_found_by_indexes(tmp_path: Path) -> None:
    prepare(file := str(tmp_path / "x.sqlite3"))
    statement = EventQueueStatements(Sqlite()).due
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", [0] * len(statement.names)).fetchall()
    steps = " ".join(step for *_, step in rows)
    assert "ix_order_event_due" in steps
    assert "ix_order_event_record" in steps
    assert "TEMP B-TREE" not in steps
