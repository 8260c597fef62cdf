"""The store in one SQLite file."""

from pathlib import Path

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.database import COMMAND_SECONDS
from openbooking.store.sql import SqlStore
from openbooking.store.sqlite.database import SqliteDatabase
from openbooking.store.sqlite.dialect import SQLITE


class SqliteStore(SqlStore):
    """A store in the SQLite file at `path`, whose schema must be up to date."""

    def __init__(
        self,
        path: Path,
        *,
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        super().__init__(
            SqliteDatabase(path, command_seconds),
            SQLITE,
            policy=policy,
            writer=writer,
            clock=clock,
            command_seconds=command_seconds,
        )
