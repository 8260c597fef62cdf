"""Encodes and decodes the JSON documents in `document` columns.

The personal data of a record is in a separate document, in the table `personal_data`.
"""

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import Record
from openbooking.booking.model.record import decode_record as decode_without_personal_data
from openbooking.booking.model.timetable import TimetableEntry

encode = msgspec.json.Encoder().encode
# Decoded Opportunities, Sellers and timetables are cached, because they are read many times before they change.
decode_opportunity = lru_cache(2_000)(msgspec.json.Decoder(Opportunity).decode)
decode_seller = lru_cache(200)(msgspec.json.Decoder(Seller).decode)
decode_entry = lru_cache(200)(msgspec.json.Decoder(TimetableEntry).decode)
_decode_personal_data = msgspec.json.Decoder(PersonalData).decode
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def decode_record(document: bytes, personal: bytes | None) -> Record:
    """Decode a record; add the personal data to its Order unless `personal` is None."""
    record = decode_without_personal_data(document)
    return record if personal is None else add_personal_data(record, personal)


def add_personal_data(record: Record, document: bytes) -> Record:
    """Decode personal data; return the record with it in its Order."""
    if record.order is None:
        return record
    return replace(record, order=replace(record.order, personal=_decode_personal_data(document)))


def encode_record(record: Record) -> bytes:
    """Encode a record without its personal data."""
    if record.order is None or record.order.personal is None:
        return encode(record)
    return encode(replace(record, order=replace(record.order, personal=None)))


def microseconds(instant: datetime) -> int:
    """Return the exact number of microseconds from 1970 UTC to an instant."""
    return (instant - _EPOCH) // _MICROSECOND


def first_activity_id(at: datetime) -> str:
    """Return the beginning of the ids of entries of the activity log at this time. Ids sort by time."""
    return f"{microseconds(at):016x}"


def instant(microseconds_since_1970: int) -> datetime:
    """Return the instant that is the given number of microseconds after 1970 UTC."""
    return _EPOCH + timedelta(microseconds=microseconds_since_1970)
