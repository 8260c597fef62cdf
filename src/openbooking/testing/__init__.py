"""A test kit for stores: whoever writes one learns from it whether it keeps what the Store protocol promises.

    class TestMyStore(DurableStoreTests):
        def open_store(self, place, *, policy, writer, clock):
            return MyStore(place / "my.db", policy=policy, writer=writer, clock=clock)

It needs pytest and hypothesis.
"""

from openbooking.testing.store_tests import DurableStoreTests, StoreTests

__all__ = ["DurableStoreTests", "StoreTests"]
