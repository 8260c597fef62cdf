"""The IdentityStore in PostgreSQL."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from openbooking.identity.store import Standing
from openbooking.store.dialects import Statement
from openbooking.store.exchange import COMMAND_SECONDS
from openbooking.store.identity import SqlIdentityStore
from openbooking.store.postgres import PostgresDatabase
from openbooking.store.postgres_dialect import Postgres
from openbooking.store.shared import Shared


class PostgresIdentityStore(SqlIdentityStore):
    """Keeps the records in the PostgreSQL database at `url`.

    Requests of one partner share a round trip, which begins after they came: what is revoked is refused at once.
    """

    def __init__(self, url: str, command_seconds: float = COMMAND_SECONDS) -> None:
        super().__init__(PostgresDatabase(url, command_seconds), Postgres())
        self._standings: Shared[Standing | None] = Shared()

    async def _standing(self, statement: Statement, values: Mapping[str, Any]) -> Standing | None:
        look_up = partial(super()._standing, statement, values)
        return await self._standings.get((statement.text, *values.values()), look_up)
