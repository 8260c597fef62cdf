"""Runs statements in the studio's database, which is an SQLite file or a PostgreSQL database."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

FOLDER = Path(__file__).parent


class Database:
    """Runs the studio's own statements, each in a transaction of its own. Parameters are `$1`, `$2`, …

    Args:
        address: The path of an SQLite file, or a URL `postgresql://…`.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.is_postgres = address.startswith("postgresql:")
        self._folder = FOLDER / ("postgresql" if self.is_postgres else "sqlite")

    @property
    def of_openbooking(self) -> str:
        """The address for openbooking. On PostgreSQL its tables are in a schema of their own."""
        if not self.is_postgres:
            return self.address
        return f"{self.address}{'&' if '?' in self.address else '?'}search_path=openbooking"

    async def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement, and return its rows."""
        if self.is_postgres:
            connection = await asyncpg.connect(self.address)
            try:
                return [tuple(row) for row in await connection.fetch(statement, *values)]
            finally:
                await connection.close()
        return await asyncio.to_thread(self._run_in_file, statement, values)

    async def run_file(self, name: str) -> None:
        """Run the statements of a file."""
        statements = (self._folder / name).read_text(encoding="utf-8")
        if self.is_postgres:
            connection = await asyncpg.connect(self.address)
            await connection.execute(statements)
            await connection.close()
        else:
            with closing(sqlite3.connect(self.address)) as file:
                file.executescript(statements)

    def _run_in_file(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        named = {str(number): value for number, value in enumerate(values, 1)}
        # Without an isolation level each statement is a transaction.
        with closing(sqlite3.connect(self.address, isolation_level=None, timeout=10)) as file:
            file.execute("PRAGMA foreign_keys = ON")
            return file.execute(statement, named).fetchall()
