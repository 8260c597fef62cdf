"""The recount: whether the database agrees with itself. Whatever differs is a fault of this software, or of the disk.

Places follow from claims, claims from records, feeds from both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from openbooking.booking.opportunity import Opportunity
from openbooking.booking.order import OrderKey, Record
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, FeedWriter
from openbooking.spec.terms import OpportunityType
from openbooking.store.audit_statements import AuditStatements
from openbooking.store.documents import decode_opportunity, decode_record, microseconds
from openbooking.store.effects import published_of_record
from openbooking.store.exchange import Exchange, Query, record_keys
from openbooking.store.rows import claim_row

_AT_ONCE = 500
_MOST_OF_A_KIND = 100
_OPEN_FEEDS = sorted({type_.feed for type_ in OpportunityType})
_PRIVATE_FEEDS = [ORDERS, ORDER_PROPOSALS]
_NUMBERED_WITHIN = timedelta(minutes=1)


class Finding(NamedTuple):
    """Something that does not agree with the rest: what it is, and how it differs."""

    about: str
    wrong: str


def audit(sql: AuditStatements, writer: FeedWriter, now: datetime) -> Exchange[list[Finding]]:
    """All that does not agree."""
    return [
        *(yield from _of_records(sql, writer)),
        *(yield from _of_opportunities(sql, now)),
        *(yield from _without_owner(sql)),
        *(yield from _of_numbers(sql, now)),
    ]


def _of_records(sql: AuditStatements, writer: FeedWriter) -> Exchange[list[Finding]]:
    """Whether claims and Orders feeds say what the records say."""
    findings: list[Finding] = []
    last = OrderKey("", "")
    while rows := (yield Query(sql.records_after, last._asdict() | {"most": _AT_ONCE})):
        records = {OrderKey(partner, uuid): decode_record(*documents) for partner, uuid, *documents in rows}
        last = max(records)
        claims: dict[OrderKey, set[tuple[Any, ...]]] = defaultdict(set)
        for claim in (yield Query(sql.claims_of_records, record_keys(records))):
            claims[OrderKey(*claim[1:3])].add(tuple(claim))
        items = yield Query(sql.feed_items_of_records, {"feeds": _PRIVATE_FEEDS, **record_keys(records)})
        published = {(feed, OrderKey(partner, uuid)): data for feed, partner, uuid, data in items}
        for key, record in records.items():
            findings += _of_record(record, claims[key], published, writer)
    return findings


def _of_record(
    record: Record,
    claims: set[tuple[Any, ...]],
    published: dict[tuple[str, OrderKey], bytes | None],
    writer: FeedWriter,
) -> Iterator[Finding]:
    about = f"Order {record.uuid} of {record.partner}"
    expected = {claim_row(record.key, claim) for claim in record.claims()}
    if claims != expected:
        yield Finding(about, f"claims {_differing(claims, expected)}, its record {_differing(expected, claims)}")
    for publication in published_of_record(record.key, record, writer):
        place = (publication.feed.name, record.key)
        if place not in published:
            if publication.data is None:
                continue  # it has not entered the feed, or that it was deleted has been forgotten by now
            yield Finding(about, f"is missing in the feed {publication.feed.name}")
        elif _essentials(published[place]) != _essentials(publication.data):
            yield Finding(about, f"is shown otherwise in the feed {publication.feed.name}")


def _differing(some: set[tuple[Any, ...]], others: set[tuple[Any, ...]]) -> str:
    listed = ", ".join(f"{places} of {path} until {expires}" for path, _, _, places, expires in sorted(some - others))
    return listed or "nothing more"


def _of_opportunities(sql: AuditStatements, now: datetime) -> Exchange[list[Finding]]:
    """Whether counters and open feeds say what the claims say."""
    findings: list[Finding] = []
    last = ""
    while rows := (yield Query(sql.opportunities_after, {"path": last, "most": _AT_ONCE})):
        paths = [path for path, *_ in rows]
        last = paths[-1]
        leases: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for path, places, expires in (yield Query(sql.leases_of, {"paths": paths})):
            leases[path].append((expires, places))
        items = yield Query(sql.open_feed_items, {"feeds": _OPEN_FEEDS, "paths": paths})
        shown = {(feed, id_): data for feed, id_, data in items}
        for path, booked, sold, document in rows:
            if booked != sold:
                findings.append(Finding(path, f"counts {booked} places as sold, of which {sold} are claimed"))
            opportunity = decode_opportunity(document)
            data = shown.get((opportunity.type.feed, path))
            if data is None:
                findings.append(Finding(path, "is missing in its feed"))
            elif _remaining(data) not in set(_possible(opportunity, sold, leases[path], now)):
                findings.append(Finding(path, f"is shown in its feed with {_remaining(data)} places left"))
    return findings


def _possible(
    opportunity: Opportunity, sold: int, leases: Iterable[tuple[int, int]], now: datetime
) -> Iterator[int | None]:
    """The places left that a feed may show now: Leases may have ended since it last changed, or before."""
    if opportunity.capacity is None:
        yield None
        return
    held = 0
    for expires, places in sorted(leases, reverse=True):
        if expires <= microseconds(now):
            yield max(opportunity.capacity - sold - held, 0)
        held += places
    yield max(opportunity.capacity - sold - held, 0)


def _without_owner(sql: AuditStatements) -> Exchange[list[Finding]]:
    """What belongs to nothing."""
    findings: list[Finding] = []
    most = {"most": _MOST_OF_A_KIND}
    for path, partner, uuid in (yield Query(sql.claims_without_record, most)):
        findings.append(Finding(f"Order {uuid} of {partner}", f"claims {path} but has no record"))
    for partner, uuid in (yield Query(sql.personal_data_without_record, most)):
        findings.append(Finding(f"Order {uuid} of {partner}", "has personal data but no record"))
    for feed, id_ in (yield Query(sql.open_feed_items_without_opportunity, most)):
        findings.append(Finding(id_, f"is shown in the feed {feed} but does not exist"))
    return findings


def _of_numbers(sql: AuditStatements, now: datetime) -> Exchange[list[Finding]]:
    """Whether feed items have numbers, and none that will be given again."""
    long_ago = {"before": microseconds(now - _NUMBERED_WITHIN), "most": _MOST_OF_A_KIND}
    findings = [
        Finding(id_, f"has been waiting for its number in the feed {feed}")
        for feed, id_ in (yield Query(sql.feed_items_pending_since, long_ago))
    ]
    ((last, highest),) = yield Query(sql.highest_numbers, {})
    if highest is not None and highest > last:
        findings.append(Finding("The counter", f"is at {last}, but the number {highest} has been given"))
    return findings


def _essentials(data: bytes | None) -> Any:
    """What of an Order in a feed must agree, however this version writes the rest."""
    if data is None:
        return None
    order = msgspec.json.decode(data)
    items = [(item.get("@id"), item.get("orderItemStatus")) for item in order.get("orderedItem", ())]
    return items, order.get("orderProposalStatus"), order.get("totalPaymentDue", {}).get("price")


def _remaining(data: bytes) -> int | None:
    return next((value for name, value in msgspec.json.decode(data).items() if name.startswith("remaining")), None)
