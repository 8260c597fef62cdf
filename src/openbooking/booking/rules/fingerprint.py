"""Keyed fingerprints of requests, by which repeats of B and P are recognised (OB-B-10, OB-APP-16).

A reader of a plain digest could confirm a guessed e-mail address. A record therefore stores an HMAC of the digest. The
key of the HMAC is part of the personal data and is erased with it.
"""

import hashlib
import hmac

from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import Record


def fingerprint_key(nonce: str) -> str:
    """Return the key that is made from a nonce; the nonce itself is not stored."""
    return hashlib.sha256(f"{nonce}/fingerprint".encode()).hexdigest()


def keyed_fingerprint(key: str, fingerprint: str) -> str:
    """Return the fingerprint of a request as a record stores it."""
    return hmac.new(key.encode(), fingerprint.encode(), hashlib.sha256).hexdigest()


def matches_fingerprint(record: Record, fingerprint: str) -> bool:
    """Whether a request with this fingerprint made the record; False once the personal data has been erased."""
    personal = personal_data_of(record)
    if personal is None or not personal.fingerprint_key or record.fingerprint is None:
        return False
    return hmac.compare_digest(record.fingerprint, keyed_fingerprint(personal.fingerprint_key, fingerprint))


def personal_data_of(record: Record) -> PersonalData | None:
    """Return the personal data of the record, if it has any."""
    return record.order.personal if record.order else None
