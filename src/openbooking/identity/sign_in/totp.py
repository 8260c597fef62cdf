"""One-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost; pure functions."""

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
# How many half minutes the clock of a telephone may be off, either way.
_STEPS_OFF = 1


def new_factor_secret() -> str:
    """The secret of an app that is to be enrolled, 160 bits in base 32."""
    return random_base32()


def enrolment_uri(secret: str, name: str, issuer: str) -> str:
    """What an app reads from a QR code: the secret, whose account it is, and where."""
    return TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def in_groups(text: str) -> str:
    """The text in groups of four, which people can copy."""
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def new_recovery_codes() -> list[str]:
    """Codes of 80 bits, so that nobody guesses one from its digest."""
    drawn = (base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(_RECOVERY_CODES))
    return [in_groups(code).replace(" ", "-") for code in drawn]


def enrolled(secret: str, code: str, recovery_codes: list[str], now: datetime) -> SecondFactor | None:
    """The second factor, if the code shows that the app has the secret; that code is spent then."""
    digests = tuple(_recovery_digest(recovery) for recovery in recovery_codes)
    return spend_code(SecondFactor(secret=secret, since=now, recovery_digests=digests), code, now)


def spend_code(factor: SecondFactor, code: str, now: datetime) -> SecondFactor | None:
    """The factor after a code of the app, or None if the code is wrong, or not later than the last (RFC 6238 5.2)."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdecimal() and len(typed) == _DIGITS):
        return None
    totp = TOTP(factor.secret)
    try:
        step = totp.verify_and_get_timecode(typed, for_time=now.timestamp(), valid_window=_STEPS_OFF)
    except OTPVerificationError:
        return None
    # A code from beyond now was spent by a clock that was ahead, and must not keep later ones out.
    if step <= factor.last_step <= totp.timecode(now) + _STEPS_OFF:
        return None
    return replace(factor, last_step=step)


def spend_recovery_code(factor: SecondFactor, code: str) -> SecondFactor | None:
    """The factor after a recovery code, which is good once, or None if it is none of those that are left."""
    spent = _recovery_digest(code)
    if spent not in factor.recovery_digests:
        return None
    return replace(factor, recovery_digests=tuple(kept for kept in factor.recovery_digests if kept != spent))


def _recovery_digest(code: str) -> str:
    """The digest of a recovery code, however it is typed."""
    return digest("".join(char for char in code.lower() if char.isalnum()))
