"""One-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes for a lost app; pure functions."""

import base64
import secrets
from datetime import datetime

from msgspec.structs import replace
from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError

from openbooking.identity.digests import digest
from openbooking.identity.records import SecondFactor

_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_GROUP = 4
_DIGITS = 6
# How many time steps of half a minute the clock of a telephone may differ.
_STEPS_OFF = 1


def new_factor_secret() -> str:
    """Return a new secret for an app, 160 bits in base 32."""
    return random_base32()


def enrolment_uri(secret: str, name: str, issuer: str) -> str:
    """Return the otpauth URI that an app reads from a QR code: the secret, the user name and the issuer."""
    return TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def split_into_groups(text: str) -> str:
    """Return the text in groups of four characters, which are easier to copy."""
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def new_recovery_codes() -> list[str]:
    """Return ten new recovery codes. Each has 80 random bits, too many to guess a code from its digest."""
    drawn = (base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(_RECOVERY_CODES))
    return [split_into_groups(code).replace(" ", "-") for code in drawn]


def new_second_factor(secret: str, code: str, recovery_codes: list[str], now: datetime) -> SecondFactor | None:
    """Return the new second factor; None if the code is wrong, so that the app does not have the secret.

    The code cannot be used again.
    """
    digests = tuple(_recovery_digest(recovery) for recovery in recovery_codes)
    return spend_code(SecondFactor(secret=secret, since=now, recovery_digests=digests), code, now)


def spend_code(factor: SecondFactor, code: str, now: datetime) -> SecondFactor | None:
    """Return the second factor after the use of a code (RFC 6238 5.2).

    Return None if the code is wrong, or not newer than the last used code.
    """
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdecimal() and len(typed) == _DIGITS):
        return None
    totp = TOTP(factor.secret)
    try:
        step = totp.verify_and_get_timecode(typed, for_time=now.timestamp(), valid_window=_STEPS_OFF)
    except OTPVerificationError:
        return None
    # A wrong clock may have recorded a last step in the future. This must not block the codes of today.
    if step <= factor.last_step <= totp.timecode(now) + _STEPS_OFF:
        return None
    return replace(factor, last_step=step)


def spend_recovery_code(factor: SecondFactor, code: str) -> SecondFactor | None:
    """Return the second factor without a used recovery code; None if the code is wrong or was used before."""
    spent = _recovery_digest(code)
    if spent not in factor.recovery_digests:
        return None
    return replace(factor, recovery_digests=tuple(kept for kept in factor.recovery_digests if kept != spent))


def _recovery_digest(code: str) -> str:
    """Return the digest of a recovery code, without regard to case and separators."""
    return digest("".join(char for char in code.lower() if char.isalnum()))
