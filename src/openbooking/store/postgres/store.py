"""The store in a PostgreSQL database."""

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.database import COMMAND_SECONDS
from openbooking.store.postgres.database import PostgresDatabase
from openbooking.store.postgres.dialect import POSTGRES
from openbooking.store.sql import SqlStore


class PostgresStore(SqlStore):
    """A store in the PostgreSQL database at `url`, whose schema must be up to date.

    Feeds are read from the database at the URL `replica`, unless that is an empty string.
    """

    def __init__(  # noqa: PLR0913 - what any store has, and where to read feeds
        self,
        url: str,
        *,
        replica: str = "",
        policy: Policy,
        writer: FeedWriter,
        clock: Clock,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        super().__init__(
            PostgresDatabase(url, command_seconds),
            POSTGRES,
            replica=PostgresDatabase(replica, command_seconds) if replica else None,
            policy=policy,
            writer=writer,
            clock=clock,
            command_seconds=command_seconds,
        )
