"""Limits of the attempts to sign in, by account, address and known browser; pure functions.

An attempt from an unknown browser has to wait after several failures, for twice as long each time. A known browser need
not wait, and becomes an unknown one after too many failures.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from msgspec.structs import replace

from openbooking.identity.records import Attempts, Device

# How long a browser is known after a sign-in, and its failures are counted.
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
    """Return the subject of attempts at the password of an account. The account need not exist."""
    return f"account:{name[:200]}"


def code_subject(name: str) -> str:
    """Return the subject of attempts at the codes of an account.

    A right password clears the subject of passwords, so codes need one of their own.
    """
    return f"code:{name[:200]}"


def address_subject(text: str) -> str:
    """Return the subject of attempts from an address. IPv6 addresses of one /64 network share a subject."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return f"address:{text[:200]}"
    if isinstance(parsed, IPv6Address):
        return f"address:{IPv6Address(int(parsed) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS)}"
    return f"address:{parsed}"


def device_subject(known: Device) -> str:
    """Return the subject of attempts at an account in a browser that is known to it."""
    return f"device:{known.digest}:{known.username}"


def is_account_subject(subject: str) -> bool:
    """Return whether a subject counts the attempts at one account from all unknown browsers."""
    return subject.startswith(("account:", "code:"))


def is_device_locked(known: Attempts) -> bool:
    """Return whether a known browser has failed too often, and is treated as an unknown one.

    The failures count until a sign-in in that browser succeeds, so a stolen device cookie allows no more attempts.
    """
    return known.subject.startswith("device:") and known.failures >= _MAX_FAILURES_BY_DEVICE


def add_attempt(known: Attempts | None, subject: str, now: datetime) -> Attempts:
    """Return the counter after one more attempt, with the time until which the next one has to wait.

    `known` is the counter so far; None if there is none.
    """
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
    """Return whether the next attempt has to wait. A wait longer than the longest was set by a wrong clock."""
    return now < known.blocked_until <= now + _LONGEST_WAIT


def remove_attempt(counted: Attempts, now: datetime) -> Attempts:
    """Return the counter without an attempt that has succeeded."""
    return replace(counted, failures=max(counted.failures - 1, 0), blocked_until=now)
