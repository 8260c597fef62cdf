"""From what a batch of decisions comes to, to the rows that say so in the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey, PersonalData
from openbooking.booking.model.record import Claim, Record
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.erasure import retained_since
from openbooking.booking.rules.fingerprint import personal_data_of
from openbooking.store.documents import encode, encode_record, microseconds
from openbooking.store.effects import Effects

# By the kinds of `Statements.save_catalogue`, `save_bookings` and `save_erasures`; each row in the order of its table's
# columns.
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def catalogue_rows(before: Situation, written: Effects) -> Rows:
    """The rows of what is sold, and by whom."""
    published = {path: item for path, item in written.opportunities.items() if item is not None}
    return {
        "opportunities_removed": [(path,) for path, item in written.opportunities.items() if item is None],
        "opportunities_added": [
            _opportunity_row(item) for path, item in sorted(published.items()) if path not in before.opportunities
        ],
        "opportunities_changed": [
            _without_booked(_opportunity_row(item)) for path, item in published.items() if path in before.opportunities
        ],
        "sellers_set": [(seller.key, encode(seller)) for seller in written.sellers.values()],
    }


def booking_rows(before: Situation, written: Effects, numbers: Iterable[int | None]) -> Rows:
    """The rows of records, claims and feed items; `numbers` are those the feed items get."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        "records_removed": [],
        "records_added": [],
        "records_changed": [],
        "claims_released": [],
        "claims_set": [],
        "personal_set": [],
        "places_booked": list(written.booked.items()),
        "published": [
            (item.feed.name, item.feed.partner, item.id, item.kind, number, item.data, microseconds(before.now))
            for item, number in zip(written.publications, numbers, strict=False)
        ],
    }
    for key, record in sorted(written.records.items()):
        _add_record(rows, key, before.records.get(key), record)
        old, new = _personal_data(before.records.get(key)), _personal_data(record)
        if new is not None and new != old:
            personal, over_at = new
            rows["personal_set"].append((*key, encode(personal), _microseconds(over_at)))
    return rows


def erasure_rows(before: Situation, written: Effects) -> Rows:
    """The keys of personal data that is erased, and a note of what is erased or replaced and may be on the disk."""
    rows: dict[str, list[tuple[Any, ...]]] = {"personal_erased": [], "erasures": []}
    for key, record in sorted(written.records.items()):
        old, new = _personal_data(before.records.get(key)), _personal_data(record)
        if old is not None and new is None:
            rows["personal_erased"].append(key)
        if old is not None and (new is None or new[0] != old[0]):
            rows["erasures"].append((*key, microseconds(before.now), 0, 0))
    return rows


def _add_record(
    rows: dict[str, list[tuple[Any, ...]]], key: OrderKey, before: Record | None, after: Record | None
) -> None:
    held, claimed = _claims(before), _claims(after)
    rows["claims_released"] += [(path, *key) for path in held.keys() - claimed.keys()]
    rows["claims_set"] += [claim_row(key, claim) for path, claim in claimed.items() if held.get(path) != claim]
    if after is None:
        rows["records_removed"].append(key)
    else:
        rows["records_changed" if before else "records_added"].append(_record_row(after))


def _personal_data(record: Record | None) -> tuple[PersonalData, datetime | None] | None:
    """The personal data, and when its retention period begins."""
    personal = personal_data_of(record) if record else None
    return (personal, retained_since(record)) if record and personal else None


def _record_row(record: Record) -> tuple[Any, ...]:
    document = encode_record(record)
    times = (_microseconds(record.ends), _microseconds(record.lease_expires))
    return (*record.key, record.kind, record.updated, record.seller, record.withheld, *times, len(document), document)


def _claims(record: Record | None) -> dict[str, Claim]:
    return {claim.opportunity: claim for claim in record.claims()} if record else {}


def claim_row(key: OrderKey, claim: Claim) -> tuple[Any, ...]:
    """The row of a claim."""
    return (claim.opportunity, *key, claim.spaces, _microseconds(claim.expires))


def _microseconds(instant: datetime | None) -> int | None:
    return microseconds(instant) if instant else None


def _opportunity_row(opportunity: Opportunity) -> tuple[Any, ...]:
    return (opportunity.path, opportunity.parent, opportunity.seller, opportunity.source, 0, encode(opportunity))


def _without_booked(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:4], row[5])
