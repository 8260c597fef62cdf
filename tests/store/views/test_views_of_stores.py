"""The views of every store keep what their protocol says."""

from pathlib import Path

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.clock import Clock
from openbooking.store.memory import MemoryStore
from openbooking.testing import ViewTests


class TestMemoryViews(ViewTests):
    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> MemoryStore:
        return MemoryStore(policy=policy, writer=writer, clock=clock)
