"""A test kit for authors of a store. Its tests show whether a store keeps the rules of the Store protocol.

    class TestMyStore(DurableStoreTests):
        def open_store(self, folder, *, policy, writer, clock):
            return MyStore(folder / "my.db", policy=policy, writer=writer, clock=clock)

`docs/how-to/write-a-store.md` explains how to use the kit, and lists the rules. The kit also has tests for identity
stores, and for the views of a store. It needs pytest, which the extra `openbooking[testing]` installs.
"""

try:
    import pytest
except ModuleNotFoundError as fault:
    message = "openbooking.testing needs pytest: install openbooking[testing]."
    raise ModuleNotFoundError(message, name=fault.name) from fault

# With this call, failed assertions of the kit show values. The call must come before the imports of the modules.
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("ledger", "samples", "stores")))

from openbooking.testing.stores.durable_tests import DurableStoreTests  # noqa: E402
from openbooking.testing.stores.event_tests import DurableEventTests, EventTests  # noqa: E402
from openbooking.testing.stores.identity_tests import DurableIdentityStoreTests, IdentityStoreTests  # noqa: E402
from openbooking.testing.stores.store_tests import StoreTests  # noqa: E402
from openbooking.testing.stores.views.view_tests import ViewTests  # noqa: E402

__all__ = [
    "DurableEventTests",
    "DurableIdentityStoreTests",
    "DurableStoreTests",
    "EventTests",
    "IdentityStoreTests",
    "StoreTests",
    "ViewTests",
]
