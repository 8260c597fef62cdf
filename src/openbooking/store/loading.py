"""Loads the rows that a batch of commands needs, and locks them before it reads them (`load_to_write`).

Sellers that change are locked first, then records, then Opportunities, each in the order of their keys. So writers
cannot deadlock. A record that does not exist cannot be locked: if two transactions add the same record, the second
fails and is tried again. The parents and Sellers of Opportunities are read without locks. Databases with one writer,
such as SQLite, lock no rows.

The rows include the revision of the schema. So after a migration to another version no command of this version is
carried out (`_read`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.model.situation import Holdings, Needs, Situation
from openbooking.booking.model.spaces import Spaces
from openbooking.booking.model.timetable import EntryKey, TimetableEntry
from openbooking.booking.rules.opportunities.logistics import changed_paths
from openbooking.store.database import (
    ChangedMeanwhileError,
    Procedure,
    Query,
    ResultRows,
    court_time_lists,
    record_keys,
)
from openbooking.store.documents import (
    add_personal_data,
    decode_entry,
    decode_opportunity,
    decode_record,
    decode_seller,
    microseconds,
)
from openbooking.store.locks import LockStatements, find_locked
from openbooking.store.schema import check_revision
from openbooking.store.statements import ExpiredRecord, ParentOf, PersonalDataOf, SituationRow, Statements

RECORDS_PER_BATCH = 500
# How many ended quotes and proposals one sweep loads, and of how many bytes. Other commands wait for the sweep, which
# takes some milliseconds with these limits.
_SWEPT_PER_BATCH, _BYTES_SWEPT_PER_BATCH = 100, 100_000
# How many Opportunities leave the open feeds in one batch. Other commands wait for it, too.
_LEAVING_PER_BATCH = 50


class _RowNames(NamedTuple):
    """The rows to load.

    Attributes:
        keys: The keys of records.
        paths: The paths of Opportunities.
        fills: The paths of Opportunities whose spaces a command may book or hold.
    """

    keys: set[OrderKey]
    paths: set[str]
    fills: frozenset[str] = frozenset()


class _Loaded(NamedTuple):
    """Loaded rows.

    Attributes:
        situation: The situation.
        proposals: The keys of the proposals that wait for spaces at the paths of `fills`. Their records may be missing
            in the situation, and then must be loaded too.
    """

    situation: Situation
    proposals: set[OrderKey]


def load(sql: Statements, needs: Needs, policy: Policy, now: datetime) -> Procedure[Situation]:
    """Return the situation that a command needs, loaded without locks."""
    due = yield from _find_due_seller(sql, needs, policy, now)
    needs = replace(needs, sellers=needs.sellers | due)
    named = yield from _resolve_names(sql, needs, now)
    found = yield from _read(sql, needs, policy, now, named)
    if not found.proposals <= named.keys:
        named.keys.update(found.proposals)
        found = yield from _read(sql, needs, policy, now, named)
    return replace(found.situation, timetable=(yield from _read_timetables(sql, needs.timetables | due)))


def load_to_write(
    sql: Statements, locks: LockStatements, needs: Needs, policy: Policy, now: datetime
) -> Procedure[Situation]:
    """Return the situation that a batch of commands needs; its rows are locked until the transaction ends.

    If the sweeper asks for records whose Lease has ended, those that another transaction has locked are left out, so
    that the sweeper can remove the others.

    Raises:
        ChangedMeanwhileError: Another transaction changed which rows are needed before all of them were locked.
    """
    if sql.one_writer:
        return (yield from load(sql, needs, policy, now))
    due = yield from _find_due_seller(sql, needs, policy, now)
    needs = replace(needs, sellers=needs.sellers | due)
    locked_sellers = needs.changed_sellers | needs.timetables
    if locked_sellers:
        yield Query(sql.lock_sellers, {"seller_keys": sorted(locked_sellers)})
    named = yield from _resolve_names(sql, needs, now, locks)
    locked = yield from _lock(sql, named)
    situation, proposals = yield from _read(sql, needs, policy, now, named)
    withdrawn = situation.spaces.keys() - situation.opportunities.keys()
    if withdrawn or not proposals <= named.keys:
        # A withdrawn Opportunity has no row to lock, so the records that claim its spaces are locked instead.
        if withdrawn:
            named.keys.update(_keys((yield Query(sql.records_claiming, {"paths": sorted(withdrawn)}))))
        named.keys.update(proposals)
        locked |= yield from _lock(sql, named)
        situation, proposals = yield from _read(sql, needs, policy, now, named)
    claimed = {claim.opportunity for record in situation.records.values() for claim in record.claims()}
    overlapping = {slot for path in claimed | named.paths for slot in situation.overlapping_slots(path)}
    if not ((claimed | overlapping) & situation.opportunities.keys() <= locked and proposals <= named.keys):
        raise ChangedMeanwhileError
    related = yield from _find_related(sql, needs)
    if not (related.keys <= named.keys and related.paths <= named.paths):
        raise ChangedMeanwhileError
    return replace(situation, timetable=(yield from _read_timetables(sql, needs.timetables | due)))


def _find_due_seller(sql: Statements, needs: Needs, policy: Policy, now: datetime) -> Procedure[frozenset[str]]:
    """Return the key of the Seller whose timetable is due first, if the command needs it."""
    if not needs.due_timetable:
        return frozenset()
    asked = {"last_date": policy.last_published_date(now).toordinal(), "most": 1}
    return frozenset(_paths((yield Query(sql.sellers_with_due_timetable, asked))))


def _read_timetables(sql: Statements, sellers: frozenset[str]) -> Procedure[dict[EntryKey, TimetableEntry]]:
    """Return the entries of the timetables of Sellers."""
    if not sellers:
        return {}
    rows = yield Query(sql.timetables, {"seller_keys": sorted(sellers)})
    return {entry.entry_key: entry for entry in (decode_entry(document) for (document,) in rows)}


def _lock(sql: Statements, named: _RowNames) -> Procedure[set[str]]:
    """Lock rows; return the paths of the locked Opportunities, which include those that the records claim."""
    return _paths((yield Query(sql.lock, record_keys(named.keys) | {"paths": sorted(named.paths)})))


def _resolve_names(
    sql: Statements, needs: Needs, now: datetime, locks: LockStatements | None = None
) -> Procedure[_RowNames]:
    """Return the names of the rows that a command needs, without those that are found while the rows are read.

    Ended Leases are found here, for the sweeper: records whose hold or lifetime has ended (`needs.expired`).

    Args:
        sql: The statements.
        needs: The needs of the command.
        now: The current time.
        locks: If given, ended records that another transaction has locked are left out.
    """
    keys, paths, _ = yield from _find_related(sql, needs)
    fills = set(needs.fills)
    if needs.fills_of:
        fills |= _paths((yield Query(sql.paths_claimed, record_keys(needs.fills_of))))
    if needs.court_times:
        paths |= _paths((yield Query(sql.paths_at_courts, court_time_lists(needs.court_times))))
    for period in sorted(needs.dated_children):
        asked = {"parent": period.parent, "since": microseconds(period.since), "until": microseconds(period.until)}
        paths |= _paths((yield Query(sql.paths_of_dated_children, asked)))
    if needs.leaving:
        rows = yield Query(sql.leaving_paths, {"now": microseconds(now), "most": _LEAVING_PER_BATCH})
        paths |= yield from _add_descendants(sql, _paths(rows))
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
    return _RowNames(keys | needs.records, paths | needs.opportunities, frozenset(fills))


def _first_to_sweep(rows: ResultRows) -> set[OrderKey]:
    """Return the keys of the first records whose bytes together stay within the limit; at least one key."""
    total = 0
    keys: set[OrderKey] = set()
    for expired in map(ExpiredRecord._make, rows):
        if keys and total + expired.size > _BYTES_SWEPT_PER_BATCH:
            break
        total += expired.size
        keys.add(OrderKey(expired.partner, expired.uuid))
    return keys


def _find_related(sql: Statements, needs: Needs) -> Procedure[_RowNames]:
    """Return the names of rows that are needed because of their relation to others.

    These are records that claim an Opportunity, Opportunities of a source, and descendants. The result can change until
    the rows are locked, so `load_to_write` asks for it again.
    """
    keys: set[OrderKey] = set()
    claimed: set[str] = set(needs.claims_on)
    if needs.sources:
        rows = yield Query(sql.paths_of_sources, {"sources": sorted(needs.sources)})
        claimed |= yield from _add_descendants(sql, _paths(rows))
    if needs.announced:
        claimed |= yield from _find_changed_families(sql, needs.announced)
    if needs.families:
        claimed |= yield from _find_families(sql, needs.families)
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
        children |= yield from _add_descendants(sql, set(needs.below))
    return _RowNames(keys, claimed | children)


def _find_changed_families(sql: Statements, announced: Iterable[Opportunity]) -> Procedure[set[str]]:
    """Return the paths of Opportunities that publications change, and of all their descendants."""
    rows = yield Query(sql.documents_of_paths, {"paths": sorted({new.path for new in announced})})
    known = {item.path: item for item in (decode_opportunity(document) for (document,) in rows)}
    return (yield from _add_descendants(sql, changed_paths(known, announced)))


def _find_families(sql: Statements, members: Iterable[str]) -> Procedure[set[str]]:
    """Return the paths of all Opportunities of the families of `members`: their roots with all descendants."""
    roots: set[str] = set()
    above = set(members)
    while above:
        rows = yield Query(sql.parents_of_paths, {"paths": sorted(above)})
        found = [ParentOf._make(row) for row in rows]
        roots |= {child.path for child in found if child.parent is None}
        above = {child.parent for child in found if child.parent is not None}
    return (yield from _add_descendants(sql, roots))


def _add_descendants(sql: Statements, paths: set[str]) -> Procedure[set[str]]:
    """Return the paths, and the paths of all their descendants."""
    found = below = paths
    while below:
        below = _paths((yield Query(sql.paths_of_children, {"parents": sorted(below)}))) - found
        found = found | below
    return found


def _read(sql: Statements, needs: Needs, policy: Policy, now: datetime, named: _RowNames) -> Procedure[_Loaded]:
    rows = yield Query(
        sql.situation,
        {
            **record_keys(named.keys),
            "paths": sorted(named.paths),
            "lookups": sorted(needs.lookups),
            "seller_keys": sorted(needs.sellers | needs.changed_sellers),
            "fills": sorted(named.fills),
            "holders": sorted(needs.holders),
            "now": microseconds(now),
        },
    )
    records: dict[OrderKey, Record] = {}
    proposals: set[OrderKey] = set()
    held: dict[tuple[str, str], int] = {}
    holdings: dict[str, dict[str, Holdings]] = {partner: {} for partner in needs.holders}
    opportunities, spaces, sellers, elsewhere = {}, {}, {}, {}
    for row in map(SituationRow._make, rows):
        match row.what:
            case "record":
                records[OrderKey(row.key, row.other)] = decode_record(row.document, None)
            case "seller":
                sellers[row.key] = decode_seller(row.document)
            case "proposal":
                proposals.add(OrderKey(row.key, row.other))
            case "elsewhere":
                elsewhere[row.key] = row.booked
            case "held":
                held[row.key, row.other] = int(row.leased)
            case "schema":
                check_revision(row.key)
            case "quotes" | "proposals":
                of_partner = holdings[row.key]
                of_partner[row.other] = _add_holdings(of_partner.get(row.other, Holdings()), row)
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
        sold_elsewhere=elsewhere,
    )
    return _Loaded(situation, proposals)


def _add_holdings(known: Holdings, row: SituationRow) -> Holdings:
    """Return what a partner holds of a Seller, after adding the quotes or the proposals that the row counts."""
    if row.what == "proposals":
        return replace(known, proposals=row.booked)
    return replace(known, quotes=row.booked, size=int(row.leased))


def _read_personal_data(sql: Statements, records: dict[OrderKey, Record]) -> Procedure[None]:
    """Add personal data to the records. If a record was not locked, its personal data may be erased by now."""
    with_order = [key for key, record in records.items() if record.order]
    if with_order:
        rows = yield Query(sql.personal_data, record_keys(with_order))
        for personal in map(PersonalDataOf._make, rows):
            key = OrderKey(personal.partner, personal.uuid)
            records[key] = add_personal_data(records[key], personal.document)


def _keys(rows: ResultRows) -> set[OrderKey]:
    return set(map(OrderKey._make, rows))


def _paths(rows: ResultRows) -> set[str]:
    return {path for (path,) in rows}
