"""Loads the rows that a batch of commands needs; they are locked in key order before they are read.

Records are locked first, then Opportunities, each in the order of their keys, so writers cannot deadlock. A record that
does not exist cannot be locked: the second of two transactions that add it fails and is tried again. The parents and
Sellers of locked Opportunities are read without locks.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.model.situation import Holdings, Needs, Situation, Spaces
from openbooking.booking.rules.logistics import changed_paths
from openbooking.store.database import ChangedMeanwhileError, Procedure, Query, ResultRows, record_keys
from openbooking.store.documents import (
    decode_opportunity,
    decode_record,
    decode_seller,
    microseconds,
    with_personal_data,
)
from openbooking.store.locks import LockStatements, find_locked
from openbooking.store.statements import ExpiredRecord, ParentOf, PersonalDataOf, SituationRow, Statements

RECORDS_PER_BATCH = 500
# A sweep is limited to some milliseconds, because other commands wait for it.
_SWEPT_PER_BATCH, _BYTES_SWEPT_PER_BATCH = 100, 100_000


class _NamedRows(NamedTuple):
    """Keys of records and paths of Opportunities; `fills` are the paths of which spaces may be sold."""

    keys: set[OrderKey]
    paths: set[str]
    fills: frozenset[str] = frozenset()


class _Loaded(NamedTuple):
    """A situation, and the open proposals at the paths to fill; these may be missing in the situation."""

    situation: Situation
    proposals: set[OrderKey]


def load(sql: Statements, needs: Needs, policy: Policy, now: datetime) -> Procedure[Situation]:
    """Load what is needed, without locks."""
    named = yield from _resolve_names(sql, needs, now)
    found = yield from _read(sql, needs, policy, now, named)
    if not found.proposals <= named.keys:
        named.keys.update(found.proposals)
        found = yield from _read(sql, needs, policy, now, named)
    return found.situation


def load_to_write(
    sql: Statements, locks: LockStatements, needs: Needs, policy: Policy, now: datetime
) -> Procedure[Situation]:
    """Load what is needed, locked until the transaction ends.

    Expired records that another transaction has locked are left out, so that the others can be swept.

    Raises:
        ChangedMeanwhileError: The rows to lock changed before they were locked.
    """
    if sql.one_writer:
        return (yield from load(sql, needs, policy, now))
    named = yield from _resolve_names(sql, needs, now, locks)
    locked = yield from _lock(sql, named)
    situation, proposals = yield from _read(sql, needs, policy, now, named)
    withdrawn = situation.spaces.keys() - situation.opportunities.keys()
    if withdrawn or not proposals <= named.keys:
        # A withdrawn Opportunity has no row to lock, so the records that claim spaces of it are locked instead.
        if withdrawn:
            named.keys.update(_keys((yield Query(sql.records_claiming, {"paths": sorted(withdrawn)}))))
        named.keys.update(proposals)
        locked |= yield from _lock(sql, named)
        situation, proposals = yield from _read(sql, needs, policy, now, named)
    claimed = {claim.opportunity for record in situation.records.values() for claim in record.claims()}
    if not (claimed & situation.opportunities.keys() <= locked and proposals <= named.keys):
        raise ChangedMeanwhileError
    related = yield from _related_rows(sql, needs)
    if not (related.keys <= named.keys and related.paths <= named.paths):
        raise ChangedMeanwhileError
    return situation


def _lock(sql: Statements, named: _NamedRows) -> Procedure[set[str]]:
    """Lock the rows; return the paths of the Opportunities that are locked."""
    return _paths((yield Query(sql.lock, record_keys(named.keys) | {"paths": sorted(named.paths)})))


def _resolve_names(
    sql: Statements, needs: Needs, now: datetime, locks: LockStatements | None = None
) -> Procedure[_NamedRows]:
    """Return the rows that are needed by name, and those that are related to them.

    With `locks`, expired records that another transaction has locked are left out.
    """
    keys, paths, _ = yield from _related_rows(sql, needs)
    fills = set(needs.fills)
    if needs.fills_of:
        fills |= _paths((yield Query(sql.paths_claimed, record_keys(needs.fills_of))))
    if needs.expired:
        rows = yield Query(sql.expired_records, {"now": microseconds(now), "most": _SWEPT_PER_BATCH})
        to_sweep = _first_to_sweep(rows)
        if locks and to_sweep:
            to_sweep -= (yield from find_locked(locks, to_sweep)).keys()
        keys |= to_sweep
    if needs.over_before:
        over = {"over_before": microseconds(needs.over_before), "most": RECORDS_PER_BATCH}
        keys |= _keys((yield Query(sql.records_over, over)))
    for withheld, partnerships in ((False, needs.shown_to), (True, needs.withheld_from)):
        for partnership in sorted(partnerships):
            values = {**partnership._asdict(), "withheld": withheld, "most": RECORDS_PER_BATCH}
            keys |= _keys((yield Query(sql.records_of_partnership, values)))
    return _NamedRows(keys | needs.records, paths | needs.opportunities, frozenset(fills))


def _first_to_sweep(rows: ResultRows) -> set[OrderKey]:
    """Return the first records up to the limit in bytes, but at least one."""
    total = 0
    keys: set[OrderKey] = set()
    for expired in map(ExpiredRecord._make, rows):
        if keys and total + expired.size > _BYTES_SWEPT_PER_BATCH:
            break
        total += expired.size
        keys.add(OrderKey(expired.partner, expired.uuid))
    return keys


def _related_rows(sql: Statements, needs: Needs) -> Procedure[_NamedRows]:
    keys: set[OrderKey] = set()
    claimed: set[str] = set(needs.claims_on)
    if needs.sources:
        rows = yield Query(sql.paths_of_sources, {"sources": sorted(needs.sources)})
        claimed |= yield from _with_descendants(sql, _paths(rows))
    if needs.announced:
        claimed |= yield from _changed_with_descendants(sql, needs.announced)
    if needs.families:
        claimed |= yield from _family(sql, needs.families)
    if claimed:
        keys |= _keys((yield Query(sql.records_claiming, {"paths": sorted(claimed)})))
    if needs.proposed_at:
        wanted = {"paths": sorted(needs.proposed_at), "kind": RecordKind.PROPOSAL}
        keys |= _keys((yield Query(sql.records_holding, wanted)))
    children: set[str] = set()
    if needs.children:
        children = _paths((yield Query(sql.paths_of_children, {"parents": sorted(needs.children)})))
    if needs.source_prefixes:
        children |= _paths((yield Query(sql.paths_of_source_prefixes, {"prefixes": sorted(needs.source_prefixes)})))
    if needs.below:
        children |= yield from _with_descendants(sql, set(needs.below))
    return _NamedRows(keys, claimed | children)


def _changed_with_descendants(sql: Statements, announced: Iterable[Opportunity]) -> Procedure[set[str]]:
    """Return the paths of Opportunities that change, and of all their descendants."""
    rows = yield Query(sql.documents_of_paths, {"paths": sorted({new.path for new in announced})})
    known = {item.path: item for item in (decode_opportunity(document) for (document,) in rows)}
    return (yield from _with_descendants(sql, changed_paths(known, announced)))


def _family(sql: Statements, members: Iterable[str]) -> Procedure[set[str]]:
    """Return the paths of all Opportunities with the same root as one of these."""
    roots: set[str] = set()
    above = set(members)
    while above:
        rows = yield Query(sql.parents_of_paths, {"paths": sorted(above)})
        found = [ParentOf._make(row) for row in rows]
        roots |= {child.path for child in found if child.parent is None}
        above = {child.parent for child in found if child.parent is not None}
    return (yield from _with_descendants(sql, roots))


def _with_descendants(sql: Statements, paths: set[str]) -> Procedure[set[str]]:
    found = below = paths
    while below:
        below = _paths((yield Query(sql.paths_of_children, {"parents": sorted(below)}))) - found
        found = found | below
    return found


def _read(sql: Statements, needs: Needs, policy: Policy, now: datetime, named: _NamedRows) -> Procedure[_Loaded]:
    rows = yield Query(
        sql.situation,
        {
            **record_keys(named.keys),
            "paths": sorted(named.paths),
            "lookups": sorted(needs.lookups),
            "seller_keys": sorted(needs.sellers),
            "fills": sorted(named.fills),
            "holders": sorted(needs.holders),
            "now": microseconds(now),
        },
    )
    records: dict[OrderKey, Record] = {}
    proposals: set[OrderKey] = set()
    held: dict[tuple[str, str], int] = {}
    holdings: dict[str, dict[str, Holdings]] = {partner: {} for partner in needs.holders}
    opportunities, spaces, sellers = {}, {}, {}
    for row in map(SituationRow._make, rows):
        match row.what:
            case "record":
                records[OrderKey(row.key, row.other)] = decode_record(row.document, None)
            case "seller":
                sellers[row.key] = decode_seller(row.document)
            case "proposal":
                proposals.add(OrderKey(row.key, row.other))
            case "held":
                held[row.key, row.other] = int(row.leased)
            case "quotes" | "proposals":
                of_partner = holdings[row.key]
                of_partner[row.other] = _with_kind(of_partner.get(row.other, Holdings()), row)
            case _:
                spaces[row.key] = Spaces(row.booked, row.leased)
        if row.what == "opportunity":
            opportunities[row.key] = decode_opportunity(row.document)
    yield from _read_personal_data(sql, records)
    situation = Situation(
        now=now,
        policy=policy,
        records=records,
        opportunities=opportunities,
        spaces=spaces,
        sellers=sellers,
        held=held,
        holdings=holdings,
    )
    return _Loaded(situation, proposals)


def _with_kind(known: Holdings, row: SituationRow) -> Holdings:
    """Return what a partner holds of a Seller, with the quotes or the proposals that the row counts."""
    if row.what == "proposals":
        return replace(known, proposals=row.booked)
    return replace(known, quotes=row.booked, size=int(row.leased))


def _read_personal_data(sql: Statements, records: dict[OrderKey, Record]) -> Procedure[None]:
    """Add personal data to Orders and proposals; a record that is not locked may have lost it meanwhile."""
    with_order = [key for key, record in records.items() if record.order]
    if with_order:
        rows = yield Query(sql.personal_data, record_keys(with_order))
        for personal in map(PersonalDataOf._make, rows):
            key = OrderKey(personal.partner, personal.uuid)
            records[key] = with_personal_data(records[key], personal.document)


def _keys(rows: ResultRows) -> set[OrderKey]:
    return set(map(OrderKey._make, rows))


def _paths(rows: ResultRows) -> set[str]:
    return {path for (path,) in rows}
