"""Structs of `openbooking.booking` to and from the bytes of `document` columns; personal data apart from the rest."""

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import Record
from openbooking.booking.model.record import decode_record as decode_without_personal_data

encode = msgspec.json.Encoder().encode
# What is wanted is read again and again before it changes.
decode_opportunity = lru_cache(2_000)(msgspec.json.Decoder(Opportunity).decode)
decode_seller = lru_cache(200)(msgspec.json.Decoder(Seller).decode)
_decode_personal_data = msgspec.json.Decoder(PersonalData).decode
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def decode_record(document: bytes, personal: bytes | None) -> Record:
    """The record, with the personal data of its Order where there is any."""
    record = decode_without_personal_data(document)
    return record if personal is None else with_personal_data(record, personal)


def with_personal_data(record: Record, document: bytes) -> Record:
    """The record with the personal data of its Order."""
    if record.order is None:
        return record
    return replace(record, order=replace(record.order, personal=_decode_personal_data(document)))


def encode_record(record: Record) -> bytes:
    """The record without personal data."""
    if record.order is None or record.order.personal is None:
        return encode(record)
    return encode(replace(record, order=replace(record.order, personal=None)))


def microseconds(instant: datetime) -> int:
    """The instant in microseconds since 1970 UTC, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(microseconds_since_1970: int) -> datetime:
    """The instant so many microseconds after 1970 UTC."""
    return _EPOCH + timedelta(microseconds=microseconds_since_1970)
