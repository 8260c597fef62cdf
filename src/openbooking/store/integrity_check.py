"""The recount: whether the database agrees with itself. Whatever differs is a fault of this software, or of the disk.

Spaces follow from claims, claims from records, feeds from both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from openbooking.booking.model.opportunity import Opportunity, is_on_sale, parents_among
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Spaces
from openbooking.booking.rules.capacity import spaces_left
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, FeedWriter
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.store.documents import decode_opportunity, decode_record, microseconds
from openbooking.store.effects import published_of_record
from openbooking.store.exchange import Exchange, Query, record_keys
from openbooking.store.integrity_statements import IntegrityStatements
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


class _Addresses:
    """Counts the feed items whose `@id` is not what it would be if they were published now, at the address that is set.

    They are one finding, for it is one thing that has happened to all of them.
    """

    def __init__(self, feeds: str, remedy: str) -> None:
        self._feeds = feeds
        self._remedy = remedy
        self._count = 0
        self._example = ""

    def compare(self, published: Any, expected: Any) -> None:
        """Count what has been published as this and would be published as that."""
        if published != expected:
            self._count += 1
            self._example = self._example or f"{published} would be {expected} now"

    def findings(self) -> list[Finding]:
        """What was counted, if anything."""
        if not self._count:
            return []
        items = f"have items at another address than the one that is set, {self._count} in all ({self._example})"
        return [Finding(self._feeds, f"{items}: {self._remedy}")]


def check_integrity(sql: IntegrityStatements, writer: FeedWriter, now: datetime) -> Exchange[list[Finding]]:
    """All that does not agree."""
    return [
        *(yield from _of_records(sql, writer)),
        *(yield from _of_opportunities(sql, writer, now)),
        *(yield from _without_owner(sql)),
        *(yield from _of_numbers(sql, now)),
    ]


def _of_records(sql: IntegrityStatements, writer: FeedWriter) -> Exchange[list[Finding]]:
    """Whether claims and Orders feeds say what the records say."""
    findings: list[Finding] = []
    addresses = _Addresses("The Orders feeds", "each is written anew when its Order changes next")
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
            findings += _of_record(record, claims[key], published, writer, addresses)
    return findings + addresses.findings()


def _of_record(
    record: Record,
    claims: set[tuple[Any, ...]],
    published: dict[tuple[str, OrderKey], bytes | None],
    writer: FeedWriter,
    addresses: _Addresses,
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
            continue
        (shown_as, *shown), (written_as, *written) = _essentials(published[place]), _essentials(publication.data)
        if shown != written:
            yield Finding(about, f"is shown otherwise in the feed {publication.feed.name}")
        else:
            addresses.compare(shown_as, written_as)


def _differing(some: set[tuple[Any, ...]], others: set[tuple[Any, ...]]) -> str:
    listed = ", ".join(f"{spaces} of {path} until {expires}" for path, _, _, spaces, expires in sorted(some - others))
    return listed or "nothing more"


def _of_opportunities(sql: IntegrityStatements, writer: FeedWriter, now: datetime) -> Exchange[list[Finding]]:
    """Whether counters and open feeds say what the claims say, and feeds show what is on sale and nothing else."""
    findings: list[Finding] = []
    parents: dict[str, Opportunity] = {}
    addresses = _Addresses("The open feeds", "`openbooking feed republish` renews them; they cannot be booked before")
    last = ""
    while rows := (yield Query(sql.opportunities_after, {"path": last, "most": _AT_ONCE})):
        paths = [path for path, *_ in rows]
        last = paths[-1]
        leases: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for path, spaces, expires in (yield Query(sql.leases_of, {"paths": paths})):
            leases[path].append((expires, spaces))
        items = yield Query(sql.open_feed_items, {"feeds": _OPEN_FEEDS, "paths": paths})
        shown = {(feed, id_): data for feed, id_, data in items}
        opportunities = {path: decode_opportunity(document) for path, *_, document in rows}
        yield from _load_parents(sql, opportunities.values(), parents)
        for path, booked, sold, _ in rows:
            if booked != sold:
                findings.append(Finding(path, f"counts {booked} spaces as sold, of which {sold} are claimed"))
            opportunity = opportunities[path]
            encoded = shown.get((opportunity.type.feed, path))
            if not is_on_sale(opportunity, parents_among(parents, opportunity)):
                if encoded is not None:
                    findings.append(Finding(path, "is shown in its feed but is not on sale"))
                continue
            if encoded is None:
                findings.append(Finding(path, "is missing in its feed"))
                continue
            data = msgspec.json.decode(encoded)
            addresses.compare(data.get("@id"), writer.opportunity_id(path))
            if _remaining(data) not in set(_possible(opportunity, sold, leases[path], now)):
                findings.append(Finding(path, f"is shown in its feed with {_remaining(data)} spaces left"))
    return findings + addresses.findings()


def _load_parents(
    sql: IntegrityStatements, children: Iterable[Opportunity], known: dict[str, Opportunity]
) -> Exchange[None]:
    """Add the parents of these to those that are known, and theirs."""
    while wanted := {child.parent for child in children if child.parent} - known.keys():
        rows = yield Query(sql.documents_of_paths, {"paths": sorted(wanted)})
        children = [decode_opportunity(document) for (document,) in rows]
        known |= {parent.path: parent for parent in children}


def _possible(
    opportunity: Opportunity, sold: int, leases: Iterable[tuple[int, int]], now: datetime
) -> Iterator[int | None]:
    """The spaces left that a feed may show now: Leases may have ended since it last changed, or before."""
    held = 0
    for expires, spaces in sorted(leases, reverse=True):
        if expires <= microseconds(now):
            yield spaces_left(opportunity, Spaces(sold, held))
        held += spaces
    yield spaces_left(opportunity, Spaces(sold, held))


def _without_owner(sql: IntegrityStatements) -> Exchange[list[Finding]]:
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


def _of_numbers(sql: IntegrityStatements, now: datetime) -> Exchange[list[Finding]]:
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


def _essentials(data: bytes | None) -> tuple[Any, ...]:
    """The `@id` of an Order in a feed, and what else must agree, however this version writes the rest."""
    if data is None:
        return (None,)
    order = msgspec.json.decode(data)
    items = [
        (str(item.get("@id")).rpartition("/")[2], item.get("orderItemStatus")) for item in order.get("orderedItem", ())
    ]
    return order.get("@id"), items, order.get("orderProposalStatus"), order.get("totalPaymentDue", {}).get("price")


def _remaining(data: dict[str, Any]) -> int | None:
    return next((value for name, value in data.items() if name.startswith("remaining")), None)
