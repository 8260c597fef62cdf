"""The IdentityStore in PostgreSQL."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from openbooking.identity.store import AccessRights
from openbooking.store.database import COMMAND_SECONDS
from openbooking.store.dialect import Statement
from openbooking.store.identity.store import SqlIdentityStore
from openbooking.store.postgres.dialect import Postgres
from openbooking.store.postgres.store import PostgresDatabase
from openbooking.store.single_flight import SingleFlight


class PostgresIdentityStore(SqlIdentityStore):
    """Keeps the records in the PostgreSQL database at `url`.

    Requests of one partner share a round trip, which begins after they came: what is revoked is refused at once.
    """

    def __init__(self, url: str, command_seconds: float = COMMAND_SECONDS) -> None:
        super().__init__(PostgresDatabase(url, command_seconds), Postgres())
        self._lookups: SingleFlight[AccessRights | None] = SingleFlight()

    async def _access_rights(self, statement: Statement, values: Mapping[str, Any]) -> AccessRights | None:
        look_up = partial(super()._access_rights, statement, values)
        return await self._lookups.get((statement.text, *values.values()), look_up)
