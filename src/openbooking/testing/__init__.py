"""A test kit for stores: whoever writes one learns from it whether it keeps what the Store protocol promises.

    class TestMyStore(DurableStoreTests):
        def open_store(self, place, *, policy, writer, clock):
            return MyStore(place / "my.db", policy=policy, writer=writer, clock=clock)

There is one for identity stores too. It needs pytest and hypothesis.
"""

from openbooking.testing.durable_tests import DurableStoreTests
from openbooking.testing.identity_tests import DurableIdentityStoreTests, IdentityStoreTests
from openbooking.testing.store_tests import StoreTests

__all__ = ["DurableIdentityStoreTests", "DurableStoreTests", "IdentityStoreTests", "StoreTests"]
