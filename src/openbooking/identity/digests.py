"""Secrets that this system hands out: long random words, of which it keeps the digest only."""

import hashlib
import hmac
import secrets
from enum import StrEnum

_BYTES = 32


class SecretKind(StrEnum):
    """What a secret is for, told by its first letters, so that one found in the wrong place can be recognised."""

    API_KEY = "obk_"
    CLIENT_SECRET = "obs_"  # noqa: S105 - the beginning of one
    CODE = "obc_"
    REFRESH_TOKEN = "obr_"  # noqa: S105 - the beginning of one
    REGISTRATION_TOKEN = "obi_"  # noqa: S105 - the beginning of one
    LINK = "obl_"
    SESSION = "obn_"
    DEVICE = "obd_"


def new_secret(kind: SecretKind) -> str:
    """A fresh one, to be told once."""
    return kind + secrets.token_urlsafe(_BYTES)


def new_id() -> str:
    """A fresh identifier, which is no secret."""
    return secrets.token_hex(16)


def digest(secret: str) -> str:
    """What is kept of a secret. It is a long random word, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str | None) -> bool:
    """Whether this is the secret of that digest; takes as long whichever it is."""
    return hmac.compare_digest(digest(secret), kept or "")
