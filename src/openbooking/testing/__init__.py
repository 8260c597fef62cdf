"""A test kit for authors of a store: its tests show whether the store keeps what the Store protocol promises.

    class TestMyStore(DurableStoreTests):
        def open_store(self, folder, *, policy, writer, clock):
            return MyStore(folder / "my.db", policy=policy, writer=writer, clock=clock)

`docs/how-to/write-a-store.md` explains how to use it, and which rules the tests check. There are tests for identity
stores too, and for the views of a store. The kit needs pytest.
"""

import pytest

# Without this, an assertion that fails in the kit shows no values. It must come before the modules are imported.
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
            "money_view_tests",
            "partnership_tests",
            "proposal_tests",
            "race_tests",
            "republish_tests",
            "sale_tests",
            "samples",
            "store_tests",
            "view_case",
            "view_tests",
        )
    )
)

from openbooking.testing.durable_tests import DurableStoreTests  # noqa: E402
from openbooking.testing.identity_tests import DurableIdentityStoreTests, IdentityStoreTests  # noqa: E402
from openbooking.testing.store_tests import StoreTests  # noqa: E402
from openbooking.testing.view_tests import ViewTests  # noqa: E402

__all__ = ["DurableIdentityStoreTests", "DurableStoreTests", "IdentityStoreTests", "StoreTests", "ViewTests"]
