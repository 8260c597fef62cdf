"""Where a repeat of B or P is recognised: fingerprints of requests are compared here (OB-B-10, OB-APP-16).

A plain digest of a request would let its readers confirm a guessed e-mail address. A record therefore stores an HMAC of
the digest. The key of the HMAC is part of the personal data, and is erased together with that data.
"""

import hashlib
import hmac

from openbooking.booking.model.order import PersonalData
from openbooking.booking.model.record import Record


def fingerprint_key(nonce: str) -> str:
    """Return the key of a fingerprint, which is made from a nonce. The nonce is not stored."""
    return hashlib.sha256(f"{nonce}/fingerprint".encode()).hexdigest()


def keyed_fingerprint(key: str, fingerprint: str) -> str:
    """Return the keyed fingerprint that a record stores."""
    return hmac.new(key.encode(), fingerprint.encode(), hashlib.sha256).hexdigest()


def matches_fingerprint(record: Record, fingerprint: str) -> bool:
    """Return whether a request with this fingerprint made the record; False if its personal data has been erased."""
    personal = personal_data_of(record)
    if personal is None or not personal.fingerprint_key or record.fingerprint is None:
        return False
    return hmac.compare_digest(record.fingerprint, keyed_fingerprint(personal.fingerprint_key, fingerprint))


def personal_data_of(record: Record) -> PersonalData | None:
    """Return the personal data of the record, or None."""
    return record.order.personal if record.order else None
