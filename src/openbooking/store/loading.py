"""The load: what a batch of commands needs, locked in key order before it is read.

Records are locked first, then Opportunities, each in the order of their keys, so that two writers never wait for each
other in a circle. A record that is not there cannot be locked: whoever adds it second, fails and tries again. The
parents and Sellers of what is locked are only looked at.
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
from openbooking.store.database import Answer, ChangedMeanwhileError, Exchange, Query, record_keys
from openbooking.store.documents import (
    decode_opportunity,
    decode_record,
    decode_seller,
    microseconds,
    with_personal_data,
)
from openbooking.store.locks import LockStatements, find_locked
from openbooking.store.statements import Statements

RECORDS_AT_ONCE = 500
# What is swept at once takes some milliseconds, for others wait meanwhile.
_SWEPT_AT_ONCE, _BYTES_SWEPT_AT_ONCE = 100, 100_000


class _Names(NamedTuple):
    """Which records and Opportunities; `fills` are the paths of which spaces may be sold."""

    keys: set[OrderKey]
    paths: set[str]
    fills: frozenset[str] = frozenset()


class _Found(NamedTuple):
    """A situation, and the open proposals at the paths to fill, which may not be part of it yet."""

    situation: Situation
    proposals: set[OrderKey]


def load(sql: Statements, needs: Needs, policy: Policy, now: datetime) -> Exchange[Situation]:
    """The situation of what is needed, without locks."""
    named = yield from _named(sql, needs, now)
    found = yield from _read(sql, needs, policy, now, named)
    if not found.proposals <= named.keys:
        named.keys.update(found.proposals)
        found = yield from _read(sql, needs, policy, now, named)
    return found.situation


def load_to_write(
    sql: Statements, locks: LockStatements, needs: Needs, policy: Policy, now: datetime
) -> Exchange[Situation]:
    """The situation of what is needed; nobody else changes any of it before the transaction has ended.

    Expired records that somebody else has locked are left for another time, so that the others are swept.
    """
    if sql.one_writer:
        return (yield from load(sql, needs, policy, now))
    named = yield from _named(sql, needs, now, locks)
    locked = yield from _lock(sql, named)
    situation, proposals = yield from _read(sql, needs, policy, now, named)
    withdrawn = situation.spaces.keys() - situation.opportunities.keys()
    if withdrawn or not proposals <= named.keys:
        # What was withdrawn cannot be locked itself, and what is claimed of it must not change either.
        if withdrawn:
            named.keys.update(_keys((yield Query(sql.records_claiming, {"paths": sorted(withdrawn)}))))
        named.keys.update(proposals)
        locked |= yield from _lock(sql, named)
        situation, proposals = yield from _read(sql, needs, policy, now, named)
    claimed = {claim.opportunity for record in situation.records.values() for claim in record.claims()}
    if not (claimed & situation.opportunities.keys() <= locked and proposals <= named.keys):
        raise ChangedMeanwhileError
    related = yield from _related(sql, needs)
    if not (related.keys <= named.keys and related.paths <= named.paths):
        raise ChangedMeanwhileError
    return situation


def _lock(sql: Statements, named: _Names) -> Exchange[set[str]]:
    """The paths of the Opportunities that are locked from now on."""
    return _paths((yield Query(sql.lock, record_keys(named.keys) | {"paths": sorted(named.paths)})))


def _named(sql: Statements, needs: Needs, now: datetime, locks: LockStatements | None = None) -> Exchange[_Names]:
    """What is needed by name, or because of how it is related to what is named.

    With `locks`, it is without the expired records that cannot be locked, and the others are locked.
    """
    keys, paths, _ = yield from _related(sql, needs)
    fills = set(needs.fills)
    if needs.fills_of:
        fills |= _paths((yield Query(sql.paths_claimed, record_keys(needs.fills_of))))
    if needs.expired:
        rows = yield Query(sql.expired_records, {"now": microseconds(now), "most": _SWEPT_AT_ONCE})
        to_sweep = _first_to_sweep(rows)
        if locks and to_sweep:
            to_sweep -= (yield from find_locked(locks, to_sweep)).keys()
        keys |= to_sweep
    if needs.over_before:
        over = {"over_before": microseconds(needs.over_before), "most": RECORDS_AT_ONCE}
        keys |= _keys((yield Query(sql.records_over, over)))
    for withheld, partnerships in ((False, needs.shown_to), (True, needs.withheld_from)):
        for partnership in sorted(partnerships):
            values = {**partnership._asdict(), "withheld": withheld, "most": RECORDS_AT_ONCE}
            keys |= _keys((yield Query(sql.records_of_partnership, values)))
    return _Names(keys | needs.records, paths | needs.opportunities, frozenset(fills))


def _first_to_sweep(rows: Answer) -> set[OrderKey]:
    """As many as can be swept at once, but one at least."""
    total = 0
    keys: set[OrderKey] = set()
    for partner, uuid, size in rows:
        if keys and total + size > _BYTES_SWEPT_AT_ONCE:
            break
        total += size
        keys.add(OrderKey(partner, uuid))
    return keys


def _related(sql: Statements, needs: Needs) -> Exchange[_Names]:
    keys: set[OrderKey] = set()
    claimed: set[str] = set(needs.claims_on)
    if needs.sources:
        rows = yield Query(sql.paths_of_sources, {"sources": sorted(needs.sources)})
        claimed |= yield from _with_what_is_below(sql, _paths(rows))
    if needs.announced:
        claimed |= yield from _changed_and_below(sql, needs.announced)
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
        children |= yield from _with_what_is_below(sql, set(needs.below))
    return _Names(keys, claimed | children)


def _changed_and_below(sql: Statements, announced: Iterable[Opportunity]) -> Exchange[set[str]]:
    """The paths of those that change, and of all that lies below them."""
    rows = yield Query(sql.documents_of_paths, {"paths": sorted({new.path for new in announced})})
    known = {item.path: item for item in (decode_opportunity(document) for (document,) in rows)}
    return (yield from _with_what_is_below(sql, changed_paths(known, announced)))


def _family(sql: Statements, members: Iterable[str]) -> Exchange[set[str]]:
    """The paths of all that shares a root with these."""
    roots: set[str] = set()
    above = set(members)
    while above:
        rows = yield Query(sql.parents_of_paths, {"paths": sorted(above)})
        roots |= {path for path, parent in rows if parent is None}
        above = {parent for _, parent in rows if parent is not None}
    return (yield from _with_what_is_below(sql, roots))


def _with_what_is_below(sql: Statements, paths: set[str]) -> Exchange[set[str]]:
    found = below = paths
    while below:
        below = _paths((yield Query(sql.paths_of_children, {"parents": sorted(below)}))) - found
        found = found | below
    return found


def _read(sql: Statements, needs: Needs, policy: Policy, now: datetime, named: _Names) -> Exchange[_Found]:
    rows = yield Query(
        sql.situation,
        {
            **record_keys(named.keys),
            "paths": sorted(named.paths),
            "looked_at": sorted(needs.lookups),
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
    for what, key, other, booked, leased, document in rows:
        match what:
            case "record":
                records[OrderKey(key, other)] = decode_record(document, None)
            case "seller":
                sellers[key] = decode_seller(document)
            case "proposal":
                proposals.add(OrderKey(key, other))
            case "held":
                held[key, other] = int(leased)
            case "quotes" | "proposals":
                holdings[key][other] = _with_kind(holdings[key].get(other, Holdings()), what, booked, int(leased))
            case _:
                spaces[key] = Spaces(booked, leased)
        if what == "opportunity":
            opportunities[key] = decode_opportunity(document)
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
    return _Found(situation, proposals)


def _with_kind(known: Holdings, what: str, count: int, size: int) -> Holdings:
    """What a partner holds of a Seller, with its records of one more kind."""
    if what == "proposals":
        return replace(known, proposals=count)
    return replace(known, quotes=count, size=size)


def _read_personal_data(sql: Statements, records: dict[OrderKey, Record]) -> Exchange[None]:
    """Complete the Orders and proposals; a record that is not locked may just have lost it."""
    told = [key for key, record in records.items() if record.order]
    if told:
        for partner, uuid, document in (yield Query(sql.personal_data, record_keys(told))):
            key = OrderKey(partner, uuid)
            records[key] = with_personal_data(records[key], document)


def _keys(rows: Answer) -> set[OrderKey]:
    return {OrderKey(*row) for row in rows}


def _paths(rows: Answer) -> set[str]:
    return {path for (path,) in rows}
