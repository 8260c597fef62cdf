"""Limits of the attempts to sign in, by account, address and known browser, and of access requests; pure functions.

After several failures, an attempt from an unknown browser has to wait. Each further failure doubles the wait. A known
browser does not have to wait, but becomes unknown after too many failures.

Each counter (`Attempts`) has a subject: an account, an address, a known browser or an address of access requests.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from msgspec.structs import replace

from openbooking.identity.records import Attempts, Device

# How long a browser stays known after a sign-in, and how long its failures are kept.
DEVICE_LIFETIME = timedelta(days=180)
_DEVICE_FAILURES_BEFORE_LOCK = 10

_ACCOUNT_FAILURES_BEFORE_WAIT = 5
_ADDRESS_FAILURES_BEFORE_WAIT = 20
_ACCESS_REQUESTS_BEFORE_WAIT = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FAILURE_RETENTION = timedelta(hours=1)
_MAX_DOUBLINGS = 5
_IPV6_HOST_BITS = 64


def account_subject(name: str) -> str:
    """Return the subject of attempts at the password of an account. The account need not exist."""
    return f"account:{name[:200]}"


def code_subject(name: str) -> str:
    """Return the subject of attempts at the codes of an account.

    A right password clears the counter of passwords, so codes have a separate counter.
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


def request_subject(text: str) -> str:
    """Return the subject of access requests from an address."""
    return f"access-request:{address_subject(text)}"


def device_subject(known: Device) -> str:
    """Return the subject of attempts at an account in one of its known browsers."""
    return f"device:{known.digest}:{known.username}"


def is_account_subject(subject: str) -> bool:
    """Return whether a subject counts the attempts at one account from all unknown browsers."""
    return subject.startswith(("account:", "code:"))


def is_device_locked(known: Attempts) -> bool:
    """Return whether the attempts in a known browser have failed too often. The browser is then treated as unknown.

    The failures are kept until a sign-in in that browser succeeds. This limits the attempts with a stolen cookie.
    """
    return known.subject.startswith("device:") and known.failures >= _DEVICE_FAILURES_BEFORE_LOCK


def add_attempt(known: Attempts | None, subject: str, now: datetime) -> Attempts:
    """Return the counter after one more attempt, with the earliest time of the next attempt.

    Args:
        known: The counter before the attempt; None if there is none.
        subject: The subject of the counter.
        now: The time.
    """
    before = known or Attempts(subject=subject, failures=0, blocked_until=now, expires=now)
    failures = 1 if before.expires <= now else before.failures + 1
    if subject.startswith("device:"):
        return replace(before, failures=failures, blocked_until=now, expires=now + DEVICE_LIFETIME)
    before_wait = _attempts_before_wait(subject)
    wait = timedelta()
    if failures >= before_wait:
        wait = min(_FIRST_WAIT * 2 ** min(failures - before_wait, _MAX_DOUBLINGS), _LONGEST_WAIT)
    return replace(before, failures=failures, blocked_until=now + wait, expires=now + wait + _FAILURE_RETENTION)


def _attempts_before_wait(subject: str) -> int:
    """Return the number of the attempt after which the next one has to wait."""
    if is_account_subject(subject):
        return _ACCOUNT_FAILURES_BEFORE_WAIT
    is_request = subject.startswith("access-request:")
    return _ACCESS_REQUESTS_BEFORE_WAIT if is_request else _ADDRESS_FAILURES_BEFORE_WAIT


def must_wait(known: Attempts, now: datetime) -> bool:
    """Return whether the next attempt has to wait. A wait beyond the limit comes from a wrong clock and is ignored."""
    return now < known.blocked_until <= now + _LONGEST_WAIT


def remove_attempt(counted: Attempts, now: datetime) -> Attempts:
    """Return the counter with one failure less, because an attempt that was counted as a failure succeeded."""
    return replace(counted, failures=max(counted.failures - 1, 0), blocked_until=now)
