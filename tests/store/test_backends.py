"""A made-up backend needs only a dialect, a driver and an entry in BACKENDS."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.cli import app
from openbooking.clock import Clock
from openbooking.identity.store import IdentityStore
from openbooking.settings import Settings
from openbooking.store.backends import BACKENDS, Backend, SchemaError, UnknownBackendError, backend_of
from openbooking.store.location import full_name, redact_password
from openbooking.store.migrate import prepare, upgrade
from openbooking.store.schema import REVISION
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store, open_store, open_system
from openbooking.testing import DurableIdentityStoreTests, DurableStoreTests
from openbooking.testing.samples import MANAGER, SELLER, SESSIONS, book, fresh, read_feed, session, spaces_left
from openbooking.testing.stores.identity_tests import ALICE as PARTNER
from support.databases.opened_stores import open_store as open_sample_store
from support.databases.toy_backend import ToyBackend, ToyDatabase


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the made-up backend to BACKENDS."""
    monkeypatch.setitem(BACKENDS, "toy", ToyBackend)


def prepared(folder: Path) -> tuple[str, Backend]:
    """Return a prepared database of the made-up backend, and the backend.

    The test kit also calls this in other processes, so it adds the backend to BACKENDS.
    """
    BACKENDS.setdefault("toy", ToyBackend)
    database = f"toy://{folder / 'kit.toy'}"
    prepare(database)
    return database, backend_of(database)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"toy://{tmp_path / 'x.toy'}"


class TestToyStore(DurableStoreTests):
    rounds = 1  # its file is that of the SQLite store, which has more rounds

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqlStore:
        database, backend = prepared(folder)
        return backend.open_store(database, replica="", policy=policy, writer=writer, clock=clock, command_seconds=10)


class TestToyIdentityStore(DurableIdentityStoreTests):
    def open_store(self, folder: Path) -> IdentityStore:
        database, backend = prepared(folder)
        return backend.open_identity_store(database, 10)


@pytest.mark.anyio
async def test_a_further_backend_publishes_and_books_by_the_ordinary_entry_points(database: str) -> None:
    settings = Settings(database=database)
    assert upgrade(database) == (REVISION, True)
    store, identity = open_store(settings), open_identity_store(settings)
    async with open_system(settings, store=store, identity=identity, serves=False) as system:
        await system.store.execute(PublishSeller(SELLER, actor=MANAGER))
        await system.store.execute(Publish(session("yoga", 5), actor=MANAGER))
        await system.store.execute(book(fresh(), "yoga", "yoga"))
        assert await spaces_left(system.store, "yoga") == 3
        assert await system.identity.store.save(PARTNER)
        assert await system.identity.store.access_rights(PARTNER.key, "", "")
        assert await store.check_integrity() == [("The toy", "is a toy")]


@pytest.mark.anyio
async def test_numbers_after_the_commit_do_not_depend_on_the_backend(database: str) -> None:
    prepare(database)
    store = open_sample_store(database)
    driver = store._database
    assert isinstance(driver, ToyDatabase)
    await store.execute(PublishSeller(SELLER, actor=MANAGER))
    await store.execute(Publish(session("yoga", 5), actor=MANAGER))
    assert driver.confirmations == 0
    first = await read_feed(store, SESSIONS)
    assert len(first) == 1
    assert driver.confirmations > 0
    assert await store.renumber(0) == 2
    assert await read_feed(store, SESSIONS) == first
    await store.close()


def test_commands_ask_the_backend(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_DATABASE", database)
    missing = CliRunner().invoke(app, ["backup", str(tmp_path / "copy")])
    assert "Toys need no backup." in f"{missing.output}{missing.exception}"
    with pytest.raises(SchemaError, match="no database at"):
        prepare(database, makes_new=False)
    assert full_name(database) == database
    assert redact_password("toy://ann:secret@host/x?password=secret") == "toy://ann@host/x"
    assert redact_password("unknown://ann:secret@host/x") == "unknown://ann@host/x"
    assert redact_password("host=h password='a secret' dbname=x") == "host=h password=… dbname=x"


def test_an_unknown_scheme_is_refused_by_name_and_shows_no_password() -> None:
    with pytest.raises(UnknownBackendError, match="mysql://") as fault:
        prepare("mysql://ann:secret@host/x")
    assert "postgresql://" in str(fault.value)
    assert "secret" not in str(fault.value)


@pytest.mark.parametrize(
    ("database", "driver"), [("x.sqlite3", "asyncpg"), ("postgresql:///x", "openbooking.store.sqlite.database")]
)
def test_only_the_backend_that_is_used_is_loaded(database: str, driver: str) -> None:
    program = f"""
import sys
import openbooking.system
from openbooking.store.backends import backend_of
before = {{"asyncpg", "openbooking.store.sqlite.database"}} & set(sys.modules)
backend_of({database!r})
print(sorted(before), {driver!r} in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[] False"


def test_help_loads_no_database_library() -> None:
    program = """
import sys
from typer.testing import CliRunner
from openbooking.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print(sorted({"asyncpg", "alembic", "sqlalchemy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
