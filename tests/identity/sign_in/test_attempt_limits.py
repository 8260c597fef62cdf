"""Limits of the attempts to sign in, by account, address and known browser."""

from datetime import timedelta

import pytest

from openbooking.identity.sign_in import attempt_limits

pytestmark = pytest.mark.anyio


def test_waits_double_up_to_a_quarter_of_an_hour_and_expire_after_an_hour() -> None:
    from support.builders import NOW  # noqa: PLC0415 - this test's alone

    known, now, waits = None, NOW, []
    for _ in range(12):
        known = attempt_limits.add_attempt(known, "account:ann", now)
        waits.append((known.blocked_until - now).total_seconds())
        now = known.blocked_until
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert known
    assert attempt_limits.add_attempt(known, "account:ann", now + timedelta(hours=1)).failures == 1


def test_addresses_of_one_ipv6_network_share_a_counter() -> None:
    assert (
        attempt_limits.address_subject("2001:db8::1")
        == attempt_limits.address_subject("2001:db8::ffff:2")
        != attempt_limits.address_subject("2001:db8:1::1")
    )
    assert attempt_limits.address_subject("192.0.2.1") != attempt_limits.address_subject("192.0.2.2")
    assert attempt_limits.address_subject("testclient") == "address:testclient"
