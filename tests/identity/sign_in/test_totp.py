"""One-time codes of an authenticator app, and recovery codes."""

from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP

from openbooking.identity.records import SecondFactor
from openbooking.identity.sign_in.totp import new_factor_secret, new_recovery_codes, spend_code, spend_recovery_code
from support.identity_provider import Desk

pytestmark = pytest.mark.anyio
# The secret of the examples in RFC 6238, appendix B.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def code(desk: Desk, secret: str, steps: int = 0) -> str:
    """Return the code that the app shows now, or `steps` half minutes later."""
    return TOTP(secret).at(desk.clock(), counter_offset=steps)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, shown: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    factor = SecondFactor(secret=SECRET, since=now)
    spent = spend_code(factor, f" {shown[:3]} {shown[3:]} ", now)
    assert spent
    assert spent.last_step == seconds // 30
    for late, good in ((0, True), (30, True), (60, False)):
        at = datetime.fromtimestamp(seconds // 30 * 30 + late, UTC)
        assert (spend_code(factor, shown, at) is not None) is good
    for wrong in ("", "28708", f"{shown}0", f"-{shown[1:]}", "٢٨٧٠٨٢", "abcdef", f"0x{shown[2:]}"):
        assert spend_code(factor, wrong, now) is None


def test_a_code_is_valid_once_and_earlier_codes_are_not() -> None:
    """Codes are valid for a minute and a half, but never after a later code."""
    now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    factor = SecondFactor(secret=SECRET, since=now)
    before, at, after = (TOTP(SECRET).at(now, counter_offset=offset) for offset in (-1, 0, 1))
    spent = spend_code(factor, at, now)
    assert spent
    assert spend_code(spent, at, now) is None
    assert spend_code(spent, before, now) is None
    latest = spend_code(spent, after, now)
    assert latest
    assert [spend_code(latest, code, now) for code in (before, at, after)] == [None] * 3


def test_a_last_step_in_the_future_blocks_no_code() -> None:
    now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    ahead = spend_code(SecondFactor(secret=SECRET, since=now), TOTP(SECRET).at(now.timestamp() + 864_000), now)
    assert ahead is None
    later = now + timedelta(days=10)
    spent = spend_code(SecondFactor(secret=SECRET, since=now), TOTP(SECRET).at(later), later)
    assert spent
    assert spend_code(spent, TOTP(SECRET).at(now), now)


def test_recovery_codes_are_unique_and_accepted_in_any_form() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert {len(code.replace("-", "")) for code in codes} == {16}
    assert len({new_factor_secret() for _ in range(9)}) == 9
    assert len(new_factor_secret()) * 5 == 160
    factor = SecondFactor(secret=SECRET, since=datetime.now(UTC))
    assert spend_recovery_code(factor, codes[0]) is None
    assert spend_recovery_code(factor, "") is None
