"""The studio's store: a store of openbooking in the studio's own database. `python -m studio.store` makes it, once.

The store keeps Orders, quotes and feeds in tables of its own, beside those of the studio. Triggers on the table of
walk-ins count in the store what the studio sells (`sales.sql`), so the class of the store needs no code for that.
"""

import asyncio
import os
from pathlib import Path

from openbooking import Clock, FeedWriter, Policy, PostgresStore, SqliteStore, prepare
from studio.database import Database


async def make_store(studio: Database) -> None:
    """Add the tables of openbooking to those of the studio, and the triggers that join both."""
    await asyncio.to_thread(prepare, studio.of_openbooking, beside=True)
    await studio.run_file("sales.sql")


def open_store(studio: Database, *, policy: Policy, writer: FeedWriter, clock: Clock) -> SqliteStore | PostgresStore:
    """Open the store, as `create_app` does for `Settings(database=studio.of_openbooking)`."""
    if studio.is_postgres:
        return PostgresStore(studio.of_openbooking, policy=policy, writer=writer, clock=clock)
    return SqliteStore(Path(studio.address), policy=policy, writer=writer, clock=clock)


if __name__ == "__main__":
    asyncio.run(make_store(Database(os.environ["STUDIO_DATABASE"])))
