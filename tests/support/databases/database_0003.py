"""Databases of revision 0003, from before fingerprints were keyed and personal data was divided."""

from typing import Any

import msgspec
from sqlalchemy import Connection, inspect, text

from openbooking.store.migrate import run_in_migration
from support.databases.earlier_schemas import upgrade_to

Rows = list[dict[str, Any]]
STOCKED = ["seller", "opportunity", "record", "personal_data", "claim", "feed_item", "counter"]
_FLAGS = ("updated", "withheld")
_NEW = {"personal_data": ("told_at", "fingerprint_key"), "record": ()}


def rows_of(connection: Connection, names: list[str]) -> dict[str, Rows]:
    """Return the rows of these tables, by table and key."""
    keys = ("feed", "opportunity", "path", "key", "name", "id", "partner", "uuid")
    found = {name: connection.execute(text(f"SELECT * FROM {name}")).mappings() for name in names}
    return {
        name: sorted(map(dict, rows), key=lambda row: [str(row.get(key)) for key in keys])
        for name, rows in found.items()
    }


def stocked_rows(connection: Connection) -> dict[str, Rows]:
    """Return the rows that earlier versions had, too: without the search terms of attendees."""
    rows = rows_of(connection, STOCKED)
    return {**rows, "personal_data": [row for row in rows["personal_data"] if row["number"] == 0]}


def as_before(rows: dict[str, Rows], fingerprints: dict[str, str]) -> dict[str, Rows]:
    """Return the rows as the previous version wrote them, with these fingerprints of the records by UUID."""
    return {
        name: [_as_before(name, row, fingerprints) for row in some if row.get("name") != "noted"]
        for name, some in rows.items()
    }


def _as_before(name: str, row: dict[str, Any], fingerprints: dict[str, str]) -> dict[str, Any]:
    if name not in _NEW:
        return row
    document = msgspec.json.decode(row["document"])
    for field in _NEW[name]:
        document.pop(field, None)
    if "fingerprint" in document:
        document["fingerprint"] = fingerprints[row["uuid"]]
    return {**row, "document": msgspec.json.encode(document)}


def insert(connection: Connection, rows: dict[str, Rows]) -> None:
    """Insert rows into tables; ignore values for columns that a table does not have."""
    for name, some in rows.items():
        columns = [column["name"] for column in inspect(connection).get_columns(name)]
        values = ", ".join(f":{column}" for column in columns)
        for row in some:
            typed = {column: bool(row[column]) if column in _FLAGS else row[column] for column in columns}
            connection.execute(text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({values})"), typed)


def copy(source: str, target: str, fingerprints: dict[str, str]) -> None:
    """Make a database at `target` with the data of the database at `source`, as the previous version would have stored
    it.
    """
    rows = as_before(run_in_migration(source, stocked_rows), fingerprints)

    def fill(connection: Connection) -> None:
        upgrade_to("0003", connection)
        connection.execute(text("DELETE FROM counter"))
        insert(connection, rows)

    run_in_migration(target, fill)
