"""Tests of the bounds on Leases of a Booking Partner, for store authors to inherit."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.model.order import HoldingBound
from openbooking.booking.model.policy import HoldingBounds, Leasing, Policy
from openbooking.testing.rules import rule
from openbooking.testing.samples import BOB, MANAGER, SELLER, Clock, fresh, quote, session, spaces_left
from openbooking.testing.store_case import StoreTestCase

DEFAULTS = Policy()


@rule("Leases and bounds")
class HoldingTests(StoreTestCase):
    """Part of `StoreTests`: bounds on Leases, and their expiry."""

    def test_leases_stop_at_the_share_and_the_open_quotes_of_a_partner(self, tmp_path: Path) -> None:
        """The reply to a quote beyond a bound has no Lease. Other Booking Partners still get Leases."""

        async def run() -> None:
            bounds = HoldingBounds(share=0.5, share_above=10, quotes=8)
            async with self.opened(tmp_path, Clock(), Policy(leasing=Leasing.ANONYMOUS, bounds=bounds)) as store:
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                for key in ("yoga", "spin"):
                    await store.execute(Publish(session(key, 12), actor=MANAGER))
                yoga = [await store.execute(quote(fresh(), "yoga")) for _ in range(7)]
                spin = [await store.execute(quote(fresh(), "spin")) for _ in range(3)]
                other = await store.execute(quote(fresh(), "yoga", caller=BOB))
                assert [reply.not_held for reply in (*yoga, *spin, other)] == [
                    *[None] * 6,
                    HoldingBound.SHARE,
                    *[None] * 2,
                    HoldingBound.OPEN_QUOTES,
                    None,
                ]
                assert (await spaces_left(store, "yoga"), await spaces_left(store, "spin")) == (5, 10)

        asyncio.run(run())

    def test_leases_stop_at_the_bytes_of_open_quotes(self, tmp_path: Path) -> None:
        """The bytes of the stored quotes are counted, not those of their Opportunities."""

        async def run() -> None:
            policy = Policy(leasing=Leasing.ANONYMOUS, bounds=HoldingBounds(bytes=2_000))
            async with self.opened(tmp_path, Clock(), policy) as store:
                await store.execute(PublishSeller(SELLER, actor=MANAGER))
                series, made = session("yoga", 100)
                described = replace(series, properties={**series.properties, "description": "long " * 10_000})
                await store.execute(Publish((described, made), actor=MANAGER))
                replies = [await store.execute(quote(fresh(), "yoga")) for _ in range(20)]
                bounds = [reply.not_held for reply in replies]
                assert bounds[:2] == [None, None]
                assert bounds[-1] is HoldingBound.BYTES

        asyncio.run(run())

    def test_many_ended_leases_are_removed_in_several_steps(self, tmp_path: Path) -> None:
        """`ExpireLeases` returns the number of removed Leases, and 0 when no ended Lease is left."""

        async def run() -> None:
            clock = Clock()
            async with self.stocked(tmp_path, clock, yoga=1000) as store:
                for _ in range(150):
                    await store.execute(quote(fresh(), "yoga", "yoga"))
                clock.move(Policy().lease_duration)
                swept = [await store.execute(ExpireLeases()) for _ in range(4)]
                assert sum(swept) == 150
                assert swept[-1] == 0
                assert await spaces_left(store, "yoga") == 1000

        asyncio.run(run())
