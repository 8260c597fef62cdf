"""A server of this version goes on while the database is migrated to the next version: `docs/how-to/upgrade.md`.

The next version is a copy of the package with one more migration. So the test needs no earlier version, and shows how
this version behaves once it is the old one. `make test` tries SQLite, `make deployment` tries PostgreSQL too.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from openbooking.openactive.ids import Identifiers
from openbooking.store.migrate import run_in_migration
from openbooking.store.schema import REVISION
from support.builders import new_uuid
from support.package_copy import change_code, copy_package
from support.races.brokers import order_body
from support.races.requests import ask, request
from support.servers.served_system import Plan, Served

pytestmark = pytest.mark.anyio
NEXT = f"{int(REVISION) + 1:04}"
# Marks the Orders of the old version. An Order without a mark was written by the old version after the migration.
MIGRATION = f"""
from alembic import op

revision, down_revision, branch_labels, depends_on = "{NEXT}", "{REVISION}", None, None


def upgrade():
    op.execute("ALTER TABLE record ADD COLUMN marked integer NOT NULL DEFAULT 0")
    op.execute("UPDATE record SET marked = 1")
    print("half done", flush=True)
    input()
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """Return the folder of the package of the next version."""
    folder = tmp_path / "next"
    package = copy_package(folder)
    change_code(package / "store/schema.py", f'REVISION = "{REVISION}"', f'REVISION = "{NEXT}"')
    (package / f"store/migrations/versions/rev_{NEXT}_marks.py").write_text(MIGRATION, encoding="utf-8")
    return folder


def booking() -> bytes:
    """Return a B request with a new UUID."""
    body = order_body(Identifiers("https://booking.example.com/api"), ["yoga"])
    return request("PUT", f"/api/orders/{new_uuid()}", "alice", body)


def unmarked(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM record WHERE marked = 0")).scalar_one())


async def test_a_server_of_the_old_version_books_nothing_after_a_migration(
    database: str, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(database, 1, {"yoga": 100})
    await plan.stock()
    before, during, after = booking(), booking(), booking()
    with Served(plan) as old:
        assert (await ask(old.port, before)).status == 201
        monkeypatch.setenv("PYTHONPATH", str(next_version))
        command = [sys.executable, "-m", "openbooking", "migrate", "--database", database]
        migration = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        assert migration.stdout
        assert await migration.stdout.readline() == b"half done\n"
        waiting = asyncio.create_task(ask(old.port, during))
        await asyncio.sleep(0)
        told, _ = await migration.communicate(b"\n")
        assert f"has schema {NEXT}" in told.decode()
        for reply in (await waiting, await ask(old.port, after)):
            assert (reply.status, reply.json["@type"]) == (503, "TemporarilyUnableToCreateOrderError")
        assert (await ask(old.port, request("GET", "/readyz", "alice"))).status == 503
        assert any(f"schema {NEXT}, but this version of openbooking needs {REVISION}" in line for line in old.log)
        assert await asyncio.to_thread(run_in_migration, database, unmarked) == 0
        with Served(plan) as new:
            assert [(await ask(new.port, repeated)).status for repeated in (before, during, after)] == [201] * 3
