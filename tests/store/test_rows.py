"""The fields of rows are the columns that the statements write."""

import pytest

from openbooking.store.dialect import Dialect
from openbooking.store.postgres.dialect import Postgres
from openbooking.store.rows import ROW_TYPES
from openbooking.store.save_statements import SaveStatements
from openbooking.store.sqlite.dialect import Sqlite


@pytest.mark.parametrize("dialect", [Sqlite(), Postgres()])
def test_the_fields_of_each_kind_of_row_are_the_columns_that_are_written(dialect: Dialect) -> None:
    saves = SaveStatements(dialect)
    written: dict[str, dict[int, str]] = {}
    bookings = (saves.save_catalogue, saves.save_bookings, saves.save_erasures, saves.save_activity)
    sums = (saves.save_outdated, saves.save_days, saves.save_sums)
    for made in (*bookings, *sums):
        for parameter, (kind, index) in made.positions.items():
            written.setdefault(kind, {})[index] = parameter.removeprefix(f"{kind}_")
    columns = {kind: tuple(names[index] for index in sorted(names)) for kind, names in written.items()}
    unwritten = {"erasures"} if dialect.overwrites else set()
    assert columns == {kind: type_._fields for kind, type_ in ROW_TYPES.items() if kind not in unwritten}
