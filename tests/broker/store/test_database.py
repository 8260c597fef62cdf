"""The Broker's database on SQLite and PostgreSQL: transactions, and instances that live or have ended."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from openbooking.broker import schema
from openbooking.broker.store.database import Database, DatabaseError, SqliteDatabase, Transaction, open_database
from openbooking.testing.postgres import PostgresServer

HOLDER = """
import sys
from openbooking.broker.store.database import open_database
database = open_database(sys.argv[1])
print(database.instance, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    with closing(open_database(location)) as opened:
        with opened.transaction() as transaction:
            transaction.execute("CREATE TABLE notes (name TEXT PRIMARY KEY, content BLOB, size BIGINT)")
        yield opened


def names(database: Database) -> list[str]:
    with database.transaction() as transaction:
        return [row[0] for row in transaction.execute("SELECT name FROM notes ORDER BY name")]


def insert(transaction: Transaction, name: str) -> None:
    transaction.execute("INSERT INTO notes (name, content, size) VALUES (?, ?, ?)", (name, b"\x00?%", 2**40))


def has_ended(database: Database, instance: str) -> bool:
    """Return whether an instance has ended. PostgreSQL notices the end of a connection a moment later."""
    for _ in range(100):
        if not database.is_alive(instance):
            return True
        threading.Event().wait(0.05)
    return False


def test_transaction_commits_at_its_end(database: Database, location: str) -> None:
    with database.transaction() as transaction:
        insert(transaction, "a")
        assert transaction.execute("UPDATE notes SET size = 1 WHERE name = ?", ("a",)).rowcount == 1
    with closing(open_database(location)) as other, other.transaction() as transaction:
        row = transaction.execute("SELECT name, content, size FROM notes").fetchone()
    assert row is not None
    assert (row[0], bytes(row[1]), row[2]) == ("a", b"\x00?%", 1)


def test_transaction_that_fails_changes_nothing(database: Database) -> None:
    def fail(transaction: Transaction) -> None:
        insert(transaction, "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.transaction() as transaction:
        fail(transaction)
    assert names(database) == []


def test_statement_that_fails_raises_a_database_error_and_changes_nothing(database: Database) -> None:
    with pytest.raises(DatabaseError, match="used"), database.transaction() as transaction:
        transaction.execute_many("INSERT INTO notes (name) VALUES (?)", [("a",), ("a",)])
    assert names(database) == []


def test_rows_of_one_statement_are_written_together(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.execute_many("INSERT INTO notes (name) VALUES (?)", [("a",), ("b",)])
    assert names(database) == ["a", "b"]


def test_text_of_another_system_is_written_whatever_its_characters(database: Database) -> None:
    with database.transaction() as transaction:
        insert(transaction, "a\0b\u202e\x1b")
        transaction.execute_many("INSERT INTO notes (name) VALUES (?)", [("\0",)])
    with database.transaction() as transaction:
        found = transaction.execute("SELECT name FROM notes WHERE name = ?", ("a\0b\u202e\x1b",)).fetchall()
    assert (len(found), len(names(database))) == (1, 2)


def test_application_writes_its_tables_in_the_same_transaction(database: Database) -> None:
    def fail(transaction: Transaction) -> None:
        insert(transaction, "a")
        with transaction.lend() as connection:
            connection.execute("INSERT INTO notes (name) VALUES ('b')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.transaction() as transaction:
        fail(transaction)
    assert names(database) == []


ENDINGS: dict[str, Callable[[Any], object]] = {
    "commit": lambda connection: connection.commit(),
    "rollback": lambda connection: connection.rollback(),
    "COMMIT as SQL": lambda connection: connection.execute("COMMIT"),
    "END as SQL": lambda connection: connection.execute("END"),
    "ROLLBACK as SQL": lambda connection: connection.execute("ROLLBACK"),
    "COMMIT and BEGIN as SQL": lambda connection: (connection.execute("COMMIT"), connection.execute("BEGIN")),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
def test_application_that_ends_the_transaction_is_told(database: Database, end: Callable[[Any], object]) -> None:
    with (
        pytest.raises(DatabaseError, match=r"must not commit|forbidden within a Transaction"),
        database.transaction() as transaction,
        transaction.lend() as connection,
    ):
        end(connection)
    with database.transaction() as transaction:
        insert(transaction, "later")
    assert names(database) == ["later"]


def write_and_end(connection: Any, end: Callable[[Any], object]) -> None:
    """Write, try to end the transaction, and hide the error."""
    connection.execute("INSERT INTO notes VALUES ('b')")
    with suppress(sqlite3.Error):
        end(connection)


@pytest.mark.parametrize(
    "end",
    [
        lambda connection: connection.executescript("SELECT 1"),
        lambda connection: setattr(connection, "isolation_level", None),
        lambda connection: connection.__exit__(None, None, None),
    ],
    ids=["executescript", "isolation_level", "with connection"],
)
def test_application_cannot_end_a_transaction_of_sqlite(tmp_path: Path, end: Callable[[Any], object]) -> None:
    with closing(SqliteDatabase(str(tmp_path / "broker.sqlite3"))) as database:
        with database.transaction() as transaction:
            transaction.execute("CREATE TABLE notes (name TEXT)")
        with (
            pytest.raises(DatabaseError, match="must not commit"),
            database.transaction() as transaction,
            transaction.lend() as connection,
        ):
            write_and_end(connection, end)
        assert names(database) == []


def test_application_uses_savepoints_of_its_own(database: Database) -> None:
    with database.transaction() as transaction:
        with transaction.lend() as connection:
            connection.execute("SAVEPOINT own")
            connection.execute("INSERT INTO notes (name) VALUES ('a')")
            connection.execute("ROLLBACK TO own")
            connection.execute("RELEASE own")
        insert(transaction, "b")
    assert names(database) == ["b"]


def test_threads_take_turns(database: Database) -> None:
    def write(number: int) -> None:
        with database.transaction() as transaction:
            insert(transaction, f"{number:02}")

    threads = [threading.Thread(target=write, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(database)) == 20


def test_reading_sees_one_state_and_waits_for_no_writer(database: Database) -> None:
    seen = list[list[str]]()

    def read() -> None:
        with database.reading() as transaction:
            seen.append([row[0] for row in transaction.execute("SELECT name FROM notes")])

    with database.transaction() as transaction:
        insert(transaction, "a")
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(10)
        assert seen == [[]]
    read()
    assert seen[1:] == [["a"]]
    with database.reading() as before:
        assert before.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        with database.transaction() as transaction:
            insert(transaction, "b")
        assert before.execute("SELECT count(*) FROM notes").fetchone() == (1,)


def test_reading_changes_nothing(database: Database) -> None:
    with pytest.raises(DatabaseError), database.reading() as transaction:
        insert(transaction, "a")
    assert names(database) == []


@pytest.mark.parametrize("durable", [True, False])
def test_commit_waits_for_the_disk_if_it_must_be_durable(database: Database, durable: bool) -> None:
    for asked in (durable, True):
        with database.transaction(durable=asked) as transaction:
            if isinstance(database, SqliteDatabase):
                assert transaction.execute("PRAGMA synchronous").fetchone() == (2 if asked else 1,)
            else:
                assert transaction.execute("SHOW synchronous_commit").fetchone() == ("on" if asked else "off",)


def test_instance_lives_until_its_database_is_closed(database: Database, location: str) -> None:
    other = open_database(location)
    assert database.is_alive(database.instance)
    assert database.is_alive(other.instance)
    assert database.is_alive(other.instance)
    other.close()
    assert has_ended(database, other.instance)
    assert not database.is_alive("0" * 32)


def test_instance_lives_until_its_process_is_killed(database: Database, location: str, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, location], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        instance = holder.stdout.readline().strip()
        assert database.is_alive(instance)
        holder.kill()
        holder.wait()
    assert has_ended(database, instance)
    assert [file for file in tmp_path.iterdir() if instance in file.name] == []


def test_database_that_cannot_be_opened_raises_a_database_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        open_database(tmp_path / "missing" / "broker.sqlite3")
    with pytest.raises(DatabaseError):
        open_database("postgresql://nobody@localhost:1/none")


def test_database_in_memory_is_opened() -> None:
    with closing(open_database(":memory:")) as database:
        schema.prepare(database)
        assert not database.is_alive("0" * 32)
        with database.reading() as transaction:
            assert transaction.execute("SELECT version FROM broker_schema").fetchone() == (schema.VERSION,)


def test_connection_is_made_again_after_the_server_was_killed() -> None:
    with PostgresServer() as server, closing(open_database(server.bare_database())) as database:
        schema.prepare(database)
        server.kill()
        with pytest.raises(DatabaseError), database.transaction() as transaction:
            transaction.execute("SELECT 1")
        server.start()
        with database.transaction() as transaction:
            assert transaction.execute("SELECT version FROM broker_schema").fetchone() == (schema.VERSION,)
        assert database.is_alive(database.instance)


def test_connection_that_broke_leaves_no_lock_in_the_way(postgres: PostgresServer) -> None:
    with closing(open_database(postgres.bare_database())) as database:
        broken = database._connection  # type: ignore[attr-defined]
        database._connection = database._connect()  # type: ignore[attr-defined]
        with database.transaction() as transaction:
            assert transaction.execute("SELECT 1").fetchone() == (1,)
        broken.close()
