"""A test kit for authors of a store. Its tests show whether a store keeps the rules of the Store protocol.

    class TestMyStore(DurableStoreTests):
        def open_store(self, folder, *, policy, writer, clock):
            return MyStore(folder / "my.db", policy=policy, writer=writer, clock=clock)

`docs/how-to/write-a-store.md` explains how to use the kit, and lists the rules. The kit also has tests for identity
stores. It needs pytest.
"""

import pytest

# With this call, failed assertions of the kit show values. The call must come before the imports of the modules.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "crash_tests",
            "durable_tests",
            "erased_files_tests",
            "erasure_tests",
            "feed_page_tests",
            "figures_tests",
            "follower_tests",
            "holding_tests",
            "identity_tests",
            "ledger",
            "partnership_tests",
            "proposal_tests",
            "race_tests",
            "republish_tests",
            "sale_tests",
            "samples",
            "store_tests",
        )
    )
)

from openbooking.testing.durable_tests import DurableStoreTests  # noqa: E402
from openbooking.testing.identity_tests import DurableIdentityStoreTests, IdentityStoreTests  # noqa: E402
from openbooking.testing.store_tests import StoreTests  # noqa: E402

__all__ = ["DurableIdentityStoreTests", "DurableStoreTests", "IdentityStoreTests", "StoreTests"]
