"""Migration 0014: entries of timetables get the first date that is not published."""

from datetime import date

from msgspec.structs import replace
from sqlalchemy import Connection, text

from openbooking.booking.model.timetable import NO_END
from openbooking.store.documents import encode
from openbooking.store.migrate import run_in_migration, upgrade
from support.databases.earlier_schemas import upgrade_to
from support.timetables import SPIN, entry

NEW = entry(SPIN)
ENTRIES = {
    "new": NEW,
    "published": replace(NEW, published_until=date(2027, 3, 1)),
    "finished": replace(NEW, published_until=NO_END),
    "faulty": replace(NEW, fault="It cannot be paid."),
}


def test_entries_get_the_dates_that_they_publish_next(database: str) -> None:
    def fill(connection: Connection) -> None:
        upgrade_to("0013", connection)
        add = text("INSERT INTO timetable_entry (seller, key, due_at, document) VALUES ('centre', :key, 5, :document)")
        for key, each in ENTRIES.items():
            connection.execute(add, {"key": key, "document": encode(each)})

    def dates(connection: Connection) -> dict[str, int | None]:
        rows = connection.execute(text("SELECT key, next_date FROM timetable_entry"))
        return {row.key: row.next_date for row in rows}

    run_in_migration(database, fill)
    assert upgrade(database).revision >= "0014"
    found = run_in_migration(database, dates)
    assert found == {"new": 1, "published": date(2027, 3, 1).toordinal(), "finished": None, "faulty": None}
    assert found == {key: each.next_date.toordinal() if each.next_date else None for key, each in ENTRIES.items()}
