"""Finds the rows that other transactions have locked, without waiting for them.

Used only for databases where several transactions write at a time. Rows are locked in `openbooking.store.loading`.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from openbooking.booking.model.order import OrderKey
from openbooking.store.database import Procedure, Query, record_keys
from openbooking.store.dialect import Dialect, Statement
from openbooking.store.schema import claim, opportunity, record
from openbooking.store.statements import same_record


class LockedRecord(NamedTuple):
    """A row of `LockStatements.locked_records`."""

    partner: str
    uuid: str
    holder: str


class ClaimOf(NamedTuple):
    """A row of `LockStatements.claims`."""

    partner: str
    uuid: str
    path: str


class LockStatements:
    """The statements. A statement that looks for locked rows briefly locks the free rows; the others are locked.

    Each docstring lists the parameters and, after the arrow, the columns of the result.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def locked_records(self) -> Statement:
        """:keys → partner, uuid, lock holder of those records that are locked."""
        keys = self._dialect.keys()
        named = keys.join(record, same_record(keys, record))
        free = (
            select(record.c.partner, record.c.uuid)
            .select_from(named)
            .with_for_update(of=record, skip_locked=True)
            .cte("free")
        )
        found = select(record.c.partner, record.c.uuid, self._dialect.lock_holder(record))
        found = found.select_from(named.outerjoin(free, same_record(free, record)))
        return self._dialect.compile(found.where(free.c.uuid.is_(None)))

    @cached_property
    def locked_opportunities(self) -> Statement:
        """:paths → path, lock holder of those Opportunities that are locked."""
        free = self._named(select(opportunity.c.path)).with_for_update(skip_locked=True).cte("free")
        found = self._named(select(opportunity.c.path, self._dialect.lock_holder(opportunity)))
        found = found.select_from(opportunity.outerjoin(free, free.c.path == opportunity.c.path))
        return self._dialect.compile(found.where(free.c.path.is_(None)))

    @cached_property
    def claims(self) -> Statement:
        """:keys → partner, uuid, path of each claim of these records."""
        keys = self._dialect.keys()
        found = select(claim.c.partner, claim.c.uuid, claim.c.opportunity)
        return self._dialect.compile(found.select_from(keys.join(claim, same_record(keys, claim))))

    def _named(self, found: Select[Any]) -> Select[Any]:
        return found.where(self._dialect.among(opportunity.c.path, self._dialect.values("paths")))


def find_locked(sql: LockStatements, names: Iterable[str | OrderKey]) -> Procedure[dict[str | OrderKey, str]]:
    """Return the names that are locked, each with the transaction that holds the lock.

    A record also counts as locked if an Opportunity whose spaces it claims is locked.

    Args:
        sql: The statements.
        names: Paths of Opportunities and keys of records.
    """
    keys = {name for name in names if isinstance(name, OrderKey)}
    paths = {name for name in names if isinstance(name, str)}
    claims: list[ClaimOf] = []
    if keys:
        claims = [ClaimOf._make(row) for row in (yield Query(sql.claims, record_keys(keys)))]
    paths.update(claim.path for claim in claims)
    found: dict[str | OrderKey, str] = {}
    if paths:
        found |= dict((yield Query(sql.locked_opportunities, {"paths": sorted(paths)})))
    found |= {OrderKey(claim.partner, claim.uuid): found[claim.path] for claim in claims if claim.path in found}
    if keys:
        rows = yield Query(sql.locked_records, record_keys(keys))
        found |= {OrderKey(record.partner, record.uuid): record.holder for record in map(LockedRecord._make, rows)}
    return found
