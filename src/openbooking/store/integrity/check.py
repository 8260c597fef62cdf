"""The integrity check of `openbooking doctor`: compares the parts of a database that must agree.

Counts of booked spaces must agree with claims, claims and lines with records, and feeds with claims and records. A
contradiction is caused by a fault of this software or of the disk. Only a court that is sold twice can have another
cause: a publication that moved a booked Slot.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from openbooking.booking.model.opportunity import CourtTime, Opportunity, is_on_sale, parents_among
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import Record
from openbooking.booking.store import ORDER_PROPOSALS, ORDERS, FeedWriter
from openbooking.openactive.opportunity_types import OPEN_FEEDS
from openbooking.store.change_set import record_publications
from openbooking.store.database import Procedure, Query, record_keys
from openbooking.store.documents import decode_opportunity, decode_record, instant, microseconds
from openbooking.store.integrity.finding import Finding
from openbooking.store.integrity.spaces import SpacesOfPage
from openbooking.store.integrity.statements import (
    IntegrityStatements,
    OpenFeedItem,
    OrderFeedItem,
    SlotOfCourt,
    StoredLease,
    StoredOpportunity,
    StoredRecord,
)
from openbooking.store.rows import ClaimRow, claim_rows
from openbooking.store.views.rows import EndedLineRow, ended_line_rows

_AT_ONCE = 500
_MOST_OF_A_KIND = 100
_PRIVATE_FEEDS = [ORDERS, ORDER_PROPOSALS]
_NUMBERED_WITHIN = timedelta(minutes=1)


class _AddressCheck:
    """Counts the feed items whose `@id` has another address than the setting of the site's address.

    All these items are reported as one finding, because their common cause is a change of that setting.
    """

    def __init__(self, feeds: str, remedy: str) -> None:
        self._feeds = feeds
        self._remedy = remedy
        self._count = 0
        self._example = ""

    def compare(self, published: Any, expected: Any) -> None:
        """Count an item if its published `@id` differs from the expected one."""
        if published != expected:
            self._count += 1
            self._example = self._example or f"{published} would be {expected} now"

    def findings(self) -> list[Finding]:
        """Return one finding for all counted items; none if no item was counted."""
        if not self._count:
            return []
        items = f"have items at another address than the one that is set, {self._count} in all ({self._example})"
        return [Finding(self._feeds, f"{items}: {self._remedy}")]


def check_integrity(sql: IntegrityStatements, writer: FeedWriter, now: datetime) -> Procedure[list[Finding]]:
    """Return all contradictions in the database.

    Args:
        sql: The statements.
        writer: Writes feed items as they should be.
        now: The current time.
    """
    return [
        *(yield from _check_records(sql, writer)),
        *(yield from _check_opportunities(sql, writer, now)),
        *(yield from _find_orphans(sql)),
        *(yield from _check_numbers(sql, now)),
    ]


def _check_records(sql: IntegrityStatements, writer: FeedWriter) -> Procedure[list[Finding]]:
    """Compare claims, lines and Orders feeds with the records."""
    findings: list[Finding] = []
    addresses = _AddressCheck("The Orders feeds", "each item gets the new address when its Order changes next")
    last = OrderKey("", "")
    while rows := (yield Query(sql.records_after, last._asdict() | {"most": _AT_ONCE})):
        stored = map(StoredRecord._make, rows)
        records = {OrderKey(each.partner, each.uuid): decode_record(each.document, each.personal) for each in stored}
        last = max(records)
        claims: dict[OrderKey, set[ClaimRow]] = defaultdict(set)
        for claim in map(ClaimRow._make, (yield Query(sql.claims_of_records, record_keys(records)))):
            claims[OrderKey(claim.partner, claim.uuid)].add(claim)
        lines = {EndedLineRow._make(row) for row in (yield Query(sql.ended_lines_of_records, record_keys(records)))}
        findings += _check_lines(records.values(), lines)
        items = yield Query(sql.feed_items_of_records, {"feeds": _PRIVATE_FEEDS, **record_keys(records)})
        shown = map(OrderFeedItem._make, items)
        published = {(item.feed, OrderKey(item.partner, item.uuid)): item.data for item in shown}
        for key, record in records.items():
            findings += _check_record(record, claims[key], published, writer, addresses)
    return findings + addresses.findings()


def _check_record(
    record: Record,
    claims: set[ClaimRow],
    published: dict[tuple[str, OrderKey], bytes | None],
    writer: FeedWriter,
    addresses: _AddressCheck,
) -> Iterator[Finding]:
    about = f"Order {record.uuid} of {record.partner}"
    expected = set(claim_rows(record).values())
    if claims != expected:
        yield Finding(about, f"claims {_list_claims(claims, expected)}, its record {_list_claims(expected, claims)}")
    for publication in record_publications(record.key, record, writer):
        place = (publication.feed.name, record.key)
        if place not in published:
            if publication.data is None:
                continue  # it has not entered the feed yet, or its deleted item was removed
            yield Finding(about, f"is missing in the feed {publication.feed.name}")
            continue
        shown, expected_item = _essentials(published[place]), _essentials(publication.data)
        if shown.content != expected_item.content:
            yield Finding(about, f"differs from its record in the feed {publication.feed.name}")
        else:
            addresses.compare(shown.address, expected_item.address)


def _check_lines(records: Iterable[Record], stored: set[EndedLineRow]) -> Iterator[Finding]:
    expected = {row for record in records for row in ended_line_rows(None, record).written}
    for partner, uuid in sorted({(row.partner, row.uuid) for row in stored ^ expected}):
        yield Finding(f"Order {uuid} of {partner}", "has other lines in the table of views than in its record")


def _list_claims(some: set[ClaimRow], others: set[ClaimRow]) -> str:
    only = sorted(some - others)
    listed = ", ".join(f"{claim.places} of {claim.opportunity} until {claim.expires}" for claim in only)
    return listed or "nothing more"


def _check_opportunities(sql: IntegrityStatements, writer: FeedWriter, now: datetime) -> Procedure[list[Finding]]:
    """Compare counts of booked spaces with claims, and open feeds with claims and with the Opportunities on sale."""
    findings: list[Finding] = []
    parents: dict[str, Opportunity] = {}
    addresses = _AddressCheck(
        "The open feeds", "`openbooking feed republish` renews them; they cannot be booked before"
    )
    last = ""
    while rows := (yield Query(sql.opportunities_after, {"path": last, "most": _AT_ONCE})):
        stored = [StoredOpportunity._make(row) for row in rows]
        paths = [each.path for each in stored]
        last = paths[-1]
        counts = yield from _load_spaces(sql, stored, now)
        items = yield Query(sql.open_feed_items, {"feeds": list(OPEN_FEEDS), "paths": paths})
        shown = {(item.feed, item.id): item.data for item in map(OpenFeedItem._make, items)}
        opportunities = {each.path: decode_opportunity(each.document) for each in stored}
        yield from _load_parents(sql, opportunities.values(), parents)
        for path, counted, claimed, _ in stored:
            if counted != claimed:
                findings.append(Finding(path, f"counts {counted} spaces as sold, of which {claimed} are claimed"))
            opportunity = opportunities[path]
            if counts.sold_twice(opportunity):
                findings.append(Finding(path, f"shares the court {opportunity.court}, which is sold twice at one time"))
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
            if _remaining(data) not in counts.possible_spaces(opportunity):
                findings.append(Finding(path, f"is shown in its feed with {_remaining(data)} spaces left"))
    return findings + addresses.findings()


def _load_spaces(
    sql: IntegrityStatements, stored: Sequence[StoredOpportunity], now: datetime
) -> Procedure[SpacesOfPage]:
    """Return the sold and leased spaces of these Opportunities, and of the Slots that overlap them on their courts."""
    sold = {each.path: each.claimed for each in stored}
    times: dict[str, CourtTime] = {}
    for slot in map(SlotOfCourt._make, (yield Query(sql.slots_overlapping, {"paths": sorted(sold)}))):
        sold[slot.path] = slot.claimed
        times[slot.path] = CourtTime(slot.court, instant(slot.court_from), instant(slot.court_until))
    leases: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for lease in map(StoredLease._make, (yield Query(sql.leases_of, {"paths": sorted(sold)}))):
        leases[lease.path].append((lease.expires, lease.spaces))
    rows = yield Query(sql.sold_elsewhere, {"paths": sorted(sold)})
    elsewhere = {path: (shown, spaces) for path, shown, spaces in rows}
    return SpacesOfPage(sold, leases, elsewhere, times, microseconds(now))


def _load_parents(
    sql: IntegrityStatements, children: Iterable[Opportunity], known: dict[str, Opportunity]
) -> Procedure[None]:
    """Add all ancestors of Opportunities to `known`.

    Args:
        sql: The statements.
        children: The Opportunities.
        known: Opportunities by path. Those that are here already are not read again.
    """
    while wanted := {child.parent for child in children if child.parent} - known.keys():
        rows = yield Query(sql.documents_of_paths, {"paths": sorted(wanted)})
        children = [decode_opportunity(document) for (document,) in rows]
        known |= {parent.path: parent for parent in children}


def _find_orphans(sql: IntegrityStatements) -> Procedure[list[Finding]]:
    """Find claims, personal data and feed items whose record or Opportunity is missing."""
    findings: list[Finding] = []
    most = {"most": _MOST_OF_A_KIND}
    for path, partner, uuid in (yield Query(sql.claims_without_record, most)):
        findings.append(Finding(f"Order {uuid} of {partner}", f"claims {path} but has no record"))
    for path, partner, uuid in (yield Query(sql.ended_lines_without_record, most)):
        findings.append(Finding(f"Order {uuid} of {partner}", f"has a line for {path} but no record"))
    for partner, uuid in (yield Query(sql.personal_data_without_record, most)):
        findings.append(Finding(f"Order {uuid} of {partner}", "has personal data but no record"))
    for feed, id_ in (yield Query(sql.open_feed_items_without_opportunity, most)):
        findings.append(Finding(id_, f"is shown in the feed {feed} but does not exist"))
    return findings


def _check_numbers(sql: IntegrityStatements, now: datetime) -> Procedure[list[Finding]]:
    """Find feed items that have had no change number for more than a minute, and numbers above the counter."""
    long_ago = {"before": microseconds(now - _NUMBERED_WITHIN), "most": _MOST_OF_A_KIND}
    findings = [
        Finding(id_, f"has been waiting for its number in the feed {feed}")
        for feed, id_ in (yield Query(sql.feed_items_pending_since, long_ago))
    ]
    ((last, highest),) = yield Query(sql.highest_numbers, {})
    if highest is not None and highest > last:
        findings.append(Finding("The counter", f"is at {last}, but the number {highest} has been given"))
    return findings


class _Essentials(NamedTuple):
    """The parts of an Order in a feed that must agree with its record. Versions may write other parts differently."""

    address: Any
    content: tuple[Any, ...]


def _essentials(data: bytes | None) -> _Essentials:
    if data is None:
        return _Essentials(None, ())
    order = msgspec.json.decode(data)
    items = [
        (str(item.get("@id")).rpartition("/")[2], item.get("orderItemStatus")) for item in order.get("orderedItem", ())
    ]
    content = (items, order.get("orderProposalStatus"), order.get("totalPaymentDue", {}).get("price"))
    return _Essentials(order.get("@id"), content)


def _remaining(data: dict[str, Any]) -> int | None:
    return next((value for name, value in data.items() if name.startswith("remaining")), None)
