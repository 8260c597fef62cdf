"""Secrets that this system issues: long random texts. The identity store keeps only their digests."""

import hashlib
import hmac
import secrets
from enum import StrEnum

_BYTES = 32


class SecretKind(StrEnum):
    """The kind of a secret. The value is the prefix of each secret, by which scanners can recognise a leaked secret."""

    API_KEY = "obk_"
    CLIENT_SECRET = "obs_"  # noqa: S105 - a prefix, not a secret
    CODE = "obc_"
    REFRESH_TOKEN = "obr_"  # noqa: S105 - a prefix, not a secret
    REGISTRATION_TOKEN = "obi_"  # noqa: S105 - a prefix, not a secret
    LINK = "obl_"
    SESSION = "obn_"
    DEVICE = "obd_"


def new_secret(kind: SecretKind) -> str:
    """Return a new secret of this kind, 256 random bits."""
    return kind + secrets.token_urlsafe(_BYTES)


def new_id() -> str:
    """Return a new random identifier, which is not secret."""
    return secrets.token_hex(16)


def digest(secret: str) -> str:
    """Return the digest of a secret. SHA-256 is enough, because nobody can guess 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str | None) -> bool:
    """Return whether a secret has the stored digest. The comparison takes constant time."""
    return hmac.compare_digest(digest(secret), kept or "")
