"""The limit on requests of one Booking Partner."""

import time
from pathlib import Path

import pytest

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.builders import UUID
from support.http_system import YOGA, World, open_world
from support.validators import Validator

pytestmark = pytest.mark.anyio


@pytest.mark.spec("OB-RATE-01", "OB-RATE-02", "OB-RATE-03", "OB-RATE-04", "E-49")
async def test_requests_over_the_limit_of_a_partner_are_refused(tmp_path: Path, validator: Validator) -> None:
    async with open_world("sqlite", tmp_path, requests_per_minute=3) as world:
        quote = world.quote(world.item(YOGA))
        for path in (f"order-quote-templates/{UUID}", f"order-quotes/{UUID}"):
            assert (await world.call("PUT", path, quote)).status_code in (200, 400)
        assert (await world.call("GET", "orders-rpde")).status_code == 200
        refused = await world.call("PUT", f"orders/{UUID}", world.order(world.item(YOGA)))
        assert (refused.status_code, refused.json()["@type"]) == (429, "TooManyRequestsError")
        assert refused.headers["content-type"] == BOOKING_MEDIA_TYPE
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert validator.failures("OpenBookingError", refused.json()) == []
        assert (await world.call("PUT", f"order-quote-templates/{UUID}", quote, partner="bob")).status_code == 200
        assert (await world.client.get("/feeds/slots")).status_code == 200


@pytest.mark.spec("OB-RATE-03")
@pytest.mark.parametrize("days", [10, -10])
async def test_jumps_of_the_wall_clock_do_not_change_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    sound = time.time
    async with open_world("sqlite", tmp_path, requests_per_minute=3) as world:
        for seconds in (30, 20, 9):
            assert (await world.call("GET", "orders-rpde")).status_code == 200
            world.pass_time(seconds=seconds)
        monkeypatch.setattr(time, "time", lambda: sound() + days * 86_400)
        refused = await world.call("GET", "orders-rpde")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        world.pass_time(seconds=1)
        assert (await world.call("GET", "orders-rpde")).status_code == 200
        assert (await world.call("GET", "orders-rpde")).status_code == 429


async def test_by_default_there_is_no_limit(sqlite_world: World) -> None:
    for _ in range(100):
        assert (await sqlite_world.call("GET", "orders-rpde")).status_code == 200
