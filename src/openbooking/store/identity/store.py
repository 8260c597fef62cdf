"""The IdentityStore in an SQL database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.activity import Activity
from openbooking.identity.records import Authorization, Grant, IdentityRecord, Partner
from openbooking.identity.store import AccessRights
from openbooking.store.database import Database, Procedure, Query, SaveRows, ask
from openbooking.store.dialect import Dialect, Statement, statements_for
from openbooking.store.documents import encode, microseconds
from openbooking.store.identity.schema import TABLES
from openbooking.store.identity.statements import ACCESS_RECORDS, IdentityStatements
from openbooking.store.rows import activity_rows
from openbooking.store.save_statements import SaveStatements
from openbooking.store.single_flight import SingleFlight

R = TypeVar("R", bound=IdentityRecord)

# Larger results are not cached. The lookup of an API key returns the partner's grants for all Sellers, possibly many.
_MOST_ROWS_CACHED = 20
_DECODERS = {kind: msgspec.json.Decoder(kind).decode for kind in TABLES}


class _ChangedError(Exception):
    """The stored record has another revision than the record that is saved."""


class _RecordQuery(NamedTuple):
    """A statement that saves or removes one record; queries are executed in the order of their places."""

    place: tuple[str, ...]
    statement: Statement
    values: dict[str, Any]


class SqlIdentityStore:
    """An IdentityStore in a database whose schema is up to date.

    If the database is remote, concurrent requests of one partner share a lookup of access rights. The lookup begins
    after all of these requests have arrived, so a request that arrives after a revocation is refused.
    """

    def __init__(self, database: Database, dialect: Dialect) -> None:
        self._database = database
        self._lookups: SingleFlight[AccessRights | None] = SingleFlight()
        self._sql = statements_for(dialect, IdentityStatements)
        self._saves = statements_for(dialect, SaveStatements)

    async def find(self, kind: type[R], **lookups: str | bool) -> Sequence[R]:
        """Return the records whose columns have these values, ordered by key."""
        rows = await self._database.read(partial(ask, self._sql.find(kind, tuple(lookups)), **lookups))
        return [self._decode(kind, document) for (document,) in rows]

    async def save(
        self, *records: IdentityRecord, removed: Sequence[IdentityRecord] = (), log: Sequence[Activity] = ()
    ) -> bool:
        """Save and remove all records, or none if the stored revision of any has changed; return whether it is done."""
        queries = [self._save_query(record) for record in records] + [self._remove_query(record) for record in removed]
        # One order of rows for all transactions prevents deadlocks.
        queries.sort(key=lambda query: query.place)

        def save() -> Procedure[None]:
            for _, statement, values in queries:
                if not (yield Query(statement, values)):
                    raise _ChangedError
            if log:
                yield SaveRows(self._saves.save_activity, activity_rows(log))

        try:
            await self._database.write(save, brief=True)
        except _ChangedError:
            return False
        return True

    async def remove(self, kind: type[R], **lookups: str | bool) -> None:
        """Delete the records whose columns have these values."""
        await self._database.write(partial(ask, self._sql.remove(kind, tuple(lookups)), **lookups), brief=True)

    async def remove_expired(self, now: datetime) -> None:
        """Delete expired records."""
        for kind, table in TABLES.items():
            if "expires" in table.columns:
                await self._database.write(partial(ask, self._sql.remove_expired(kind), now=microseconds(now)))

    async def access_rights(self, partner: str, authorization: str, seller: str) -> AccessRights | None:
        """Return the access rights of a partner to a Seller; None if the partner is unknown."""
        values = {"partner": partner, "authorization": authorization, "seller": seller}
        return await self._access_rights(self._sql.access_rights, values)

    async def access_rights_by_api_key(self, digest: str) -> AccessRights | None:
        """Return the access rights of the partner with this digest of an API key; None if there is no such partner."""
        return await self._access_rights(self._sql.access_rights_by_api_key, {"digest": digest})

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    def _save_query(self, record: IdentityRecord) -> "_RecordQuery":
        statement = self._sql.replace(type(record)) if record.revision else self._sql.add(type(record))
        return _RecordQuery(_place(record), statement, _row(record))

    def _remove_query(self, record: IdentityRecord) -> "_RecordQuery":
        keys = {column.name: getattr(record, column.name) for column in TABLES[type(record)].primary_key.columns}
        statement = self._sql.remove_unchanged(type(record))
        return _RecordQuery(_place(record), statement, {**keys, "before": record.revision})

    async def _access_rights(self, statement: Statement, values: Mapping[str, Any]) -> AccessRights | None:
        look_up = partial(self._read_access_rights, statement, values)
        if self._database.is_remote:
            return await self._lookups.get((statement.text, *values.values()), look_up)
        return await look_up()

    async def _read_access_rights(self, statement: Statement, values: Mapping[str, Any]) -> AccessRights | None:
        rows = await self._database.read(partial(ask, statement, **values), brief=True)
        return (_decode_access_rights if len(rows) <= _MOST_ROWS_CACHED else _decode_access_rights.__wrapped__)(
            tuple(rows)
        )

    def _decode(self, kind: type[R], document: bytes) -> R:
        decoded = _DECODERS[kind](document)
        assert isinstance(decoded, kind)  # noqa: S101 - each decoder returns its own kind
        return decoded


@lru_cache(1_000)
def _decode_access_rights(rows: tuple[tuple[int, bytes], ...]) -> AccessRights | None:
    """Decode the rows of `IdentityStatements.access_rights`; return None if no row is a partner."""
    found = [_DECODERS[ACCESS_RECORDS[place]](document) for place, document in rows]
    partners = [record for record in found if isinstance(record, Partner)]
    grants = tuple(record for record in found if isinstance(record, Grant))
    authorizations = [record for record in found if isinstance(record, Authorization)]
    return AccessRights(partners[0], grants, authorizations[0] if authorizations else None) if partners else None


def _place(record: IdentityRecord) -> tuple[str, ...]:
    """Return the name of the table and the key of a record."""
    table = TABLES[type(record)]
    return (table.name, *(getattr(record, column.name) for column in table.primary_key.columns))


def _row(record: IdentityRecord) -> dict[str, Any]:
    """Return the values of the columns for a record to save, and as `before` the revision of the stored record."""
    saved = replace(record, revision=record.revision + 1)
    columns = {column.name: getattr(saved, column.name, None) for column in TABLES[type(record)].columns}
    values = {name: microseconds(value) if isinstance(value, datetime) else value for name, value in columns.items()}
    return {**values, "document": encode(saved), "before": record.revision}
