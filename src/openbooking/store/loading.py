"""The load: what a batch of commands needs, locked in key order before it is read.

Records are locked first, then Opportunities, each in the order of their keys, so that two writers never wait for each
other in a circle. A record that is not there cannot be locked: whoever adds it second, fails and tries again. The
parents and Sellers of what is locked are only looked at.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.logistics import changed_paths
from openbooking.booking.opportunity import Opportunity
from openbooking.booking.order import OrderKey, Record, RecordKind
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, Places, Situation
from openbooking.store.documents import (
    decode_opportunity,
    decode_record,
    decode_seller,
    microseconds,
    with_personal_data,
)
from openbooking.store.exchange import Answer, ChangedMeanwhileError, Exchange, Query, record_keys
from openbooking.store.statements import Statements

RECORDS_AT_ONCE = 500


class _Names(NamedTuple):
    """Which records and Opportunities."""

    keys: set[OrderKey]
    paths: set[str]


def load(sql: Statements, needs: Needs, policy: Policy, now: datetime) -> Exchange[Situation]:
    """The situation of what is needed, without locks."""
    named = yield from _named(sql, needs, now)
    return (yield from _read(sql, needs, policy, now, named))


def load_to_write(sql: Statements, needs: Needs, policy: Policy, now: datetime) -> Exchange[Situation]:
    """The situation of what is needed; nobody else changes any of it before the transaction has ended."""
    if sql.one_writer:
        return (yield from load(sql, needs, policy, now))
    named = yield from _named(sql, needs, now)
    locked = _paths((yield Query(sql.lock, record_keys(named.keys) | {"paths": sorted(named.paths)})))
    situation = yield from _read(sql, needs, policy, now, named)
    withdrawn = situation.places.keys() - situation.opportunities.keys()
    if withdrawn:
        # They cannot be locked themselves, and what is claimed of them must not change either.
        named.keys.update(_keys((yield Query(sql.records_claiming, {"paths": sorted(withdrawn)}))))
        locked |= _paths((yield Query(sql.lock, record_keys(named.keys) | {"paths": sorted(named.paths)})))
        situation = yield from _read(sql, needs, policy, now, named)
    claimed = {claim.opportunity for record in situation.records.values() for claim in record.claims()}
    if not claimed & situation.opportunities.keys() <= locked:
        raise ChangedMeanwhileError
    related = yield from _related(sql, needs)
    if not (related.keys <= named.keys and related.paths <= named.paths):
        raise ChangedMeanwhileError
    return situation


def _named(sql: Statements, needs: Needs, now: datetime) -> Exchange[_Names]:
    """What is needed by name, or because of how it is related to what is named."""
    keys, paths = yield from _related(sql, needs)
    if needs.expired:
        rows = yield Query(sql.expired_records, {"now": microseconds(now), "most": RECORDS_AT_ONCE})
        keys |= _keys(rows)
    if needs.over_before:
        over = {"over_before": microseconds(needs.over_before), "most": RECORDS_AT_ONCE}
        keys |= _keys((yield Query(sql.records_over, over)))
    for withheld, partnerships in ((False, needs.shown_to), (True, needs.withheld_from)):
        for partnership in sorted(partnerships):
            values = {**partnership._asdict(), "withheld": withheld, "most": RECORDS_AT_ONCE}
            keys |= _keys((yield Query(sql.records_of_partnership, values)))
    return _Names(keys | needs.records, paths | needs.opportunities)


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


def _read(sql: Statements, needs: Needs, policy: Policy, now: datetime, named: _Names) -> Exchange[Situation]:
    rows = yield Query(
        sql.situation,
        {
            **record_keys(named.keys),
            "paths": sorted(named.paths),
            "looked_at": sorted(needs.looked_at),
            "seller_keys": sorted(needs.sellers),
            "now": microseconds(now),
        },
    )
    records: dict[OrderKey, Record] = {}
    opportunities, places, sellers = {}, {}, {}
    for what, key, uuid, booked, leased, document in rows:
        if what == "record":
            records[OrderKey(key, uuid)] = decode_record(document, None)
        elif what == "seller":
            sellers[key] = decode_seller(document)
        else:
            places[key] = Places(booked, leased)
        if what == "opportunity":
            opportunities[key] = decode_opportunity(document)
    yield from _read_personal_data(sql, records)
    return Situation(
        now=now,
        policy=policy,
        records=records,
        opportunities=opportunities,
        places=places,
        sellers=sellers,
    )


def _read_personal_data(sql: Statements, records: dict[OrderKey, Record]) -> Exchange[None]:
    """Complete the Orders and proposals; a record that is not locked may just have lost it."""
    told = [key for key, record in records.items() if record.order and record.kind is not RecordKind.QUOTE]
    if told:
        for partner, uuid, document in (yield Query(sql.personal_data, record_keys(told))):
            key = OrderKey(partner, uuid)
            records[key] = with_personal_data(records[key], document)


def _keys(rows: Answer) -> set[OrderKey]:
    return {OrderKey(*row) for row in rows}


def _paths(rows: Answer) -> set[str]:
    return {path for (path,) in rows}
