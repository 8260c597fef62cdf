"""A Broker that books in the sandbox."""

from collections.abc import Iterator

import pytest

from openbooking.sandbox.client import Sandbox
from support.sandbox_broker import SandboxBroker


@pytest.fixture
def broker(openbooking_sandbox: Sandbox) -> Iterator[SandboxBroker]:
    """A Broker, whose answers are judged at the end of the test."""
    made = SandboxBroker(openbooking_sandbox)
    yield made
    made.close()
