"""`openbooking doctor` on a database with a disagreement."""

import sqlite3
from contextlib import closing
from pathlib import Path

from support.command_line import add_seller, run, succeed


def test_doctor_reports_a_claim_without_a_record(database: Path) -> None:
    add_seller("willow")
    assert "agree" in succeed("doctor")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO claim VALUES ('slots/x', 'app', 'uuid', 1, NULL, NULL)")
        connection.commit()
    result = run("doctor")
    assert (result.exit_code, result.stdout) == (1, "Order uuid of app claims slots/x but has no record.\n")
