"""How often somebody may try a password: by account, address and known browser; pure functions.

Strangers wait, for twice as long each time. A known browser does not, and is a stranger after so many guesses.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from msgspec.structs import replace

from openbooking.identity.records import Attempts, Device

# How long a browser is known after somebody has signed in, and its guesses are remembered.
DEVICE_LIFETIME = timedelta(days=180)
_MAX_FAILURES_BY_DEVICE = 10

_FREE_FOR_ACCOUNT = 5
_FREE_FOR_ADDRESS = 20
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_REMEMBERED = timedelta(hours=1)
_LONGEST_DOUBLINGS = 5
_IPV6_HOST_BITS = 64


def account_subject(name: str) -> str:
    """The subject that attempts to sign in to an account count for, whether or not there is one."""
    return f"account:{name[:200]}"


def code_subject(name: str) -> str:
    """The subject that codes of a second factor count for: not that of passwords, which a right one forgets."""
    return f"code:{name[:200]}"


def address_subject(text: str) -> str:
    """The subject that attempts from an address count for; who has one IPv6 address has a network of them."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return f"address:{text[:200]}"
    if isinstance(parsed, IPv6Address):
        return f"address:{IPv6Address(int(parsed) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS)}"
    return f"address:{parsed}"


def device_subject(known: Device) -> str:
    """The subject that attempts to sign in to an account from a browser known to it count for."""
    return f"device:{known.digest}:{known.username}"


def is_account_subject(subject: str) -> bool:
    """Whether attempts of this subject are those at one account, wherever they come from."""
    return subject.startswith(("account:", "code:"))


def is_device_locked(known: Attempts) -> bool:
    """Whether these are attempts of a browser that has guessed too often to be known any more.

    They count until somebody signs in there, however long that takes: a stolen cookie is good for these and no more.
    """
    return known.subject.startswith("device:") and known.failures >= _MAX_FAILURES_BY_DEVICE


def add_attempt(known: Attempts | None, subject: str, now: datetime) -> Attempts:
    """One more attempt, and how long the next has to wait."""
    before = known or Attempts(subject=subject, failures=0, blocked_until=now, expires=now)
    failures = 1 if before.expires <= now else before.failures + 1
    if subject.startswith("device:"):
        return replace(before, failures=failures, blocked_until=now, expires=now + DEVICE_LIFETIME)
    free = _FREE_FOR_ACCOUNT if is_account_subject(subject) else _FREE_FOR_ADDRESS
    wait = timedelta()
    if failures >= free:
        wait = min(_FIRST_WAIT * 2 ** min(failures - free, _LONGEST_DOUBLINGS), _LONGEST_WAIT)
    return replace(before, failures=failures, blocked_until=now + wait, expires=now + wait + _REMEMBERED)


def must_wait(known: Attempts, now: datetime) -> bool:
    """Whether the next attempt has to wait; a wait beyond the longest was set by a clock that was wrong."""
    return now < known.blocked_until <= now + _LONGEST_WAIT


def remove_attempt(counted: Attempts, now: datetime) -> Attempts:
    """As before an attempt that was none, for it succeeded."""
    return replace(counted, failures=max(counted.failures - 1, 0), blocked_until=now)
