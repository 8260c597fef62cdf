"""Keyed fingerprints of requests, by which repeats of B and P are recognised (OB-B-10, OB-APP-16).

A plain digest of a request would let whoever reads it confirm a guess of an e-mail address. So the record keeps an HMAC
of the digest. Its key is part of the personal data and is erased with it.
"""

import hashlib
import hmac

from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import Record


def fingerprint_key(nonce: str) -> str:
    """The key that a nonce makes; the nonce itself is not kept."""
    return hashlib.sha256(f"{nonce}/fingerprint".encode()).hexdigest()


def keyed(key: str, fingerprint: str) -> str:
    """The fingerprint of a request as a record keeps it."""
    return hmac.new(key.encode(), fingerprint.encode(), hashlib.sha256).hexdigest()


def is_known_by(record: Record, fingerprint: str) -> bool:
    """Whether the record was made by a request with this fingerprint; False once its personal data has been erased."""
    personal = personal_data_of(record)
    if personal is None or not personal.fingerprint_key or record.fingerprint is None:
        return False
    return hmac.compare_digest(record.fingerprint, keyed(personal.fingerprint_key, fingerprint))


def personal_data_of(record: Record) -> PersonalData | None:
    """The personal data of the record, if it has any."""
    return record.order.personal if record.order else None
