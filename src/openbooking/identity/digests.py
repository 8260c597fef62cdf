"""Secrets that this system issues: long random texts, of which it keeps only the digest."""

import hashlib
import hmac
import secrets
from enum import StrEnum

_BYTES = 32


class SecretKind(StrEnum):
    """The kind of a secret. Its value is the prefix of the secret, so that a leaked secret can be recognised."""

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
    """Return whether a secret has the digest that was kept, in constant time."""
    return hmac.compare_digest(digest(secret), kept or "")
