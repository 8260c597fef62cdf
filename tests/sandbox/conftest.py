"""A running sandbox, and a Broker that books in it."""

from collections.abc import Iterator

import pytest

from openbooking.sandbox.client import Sandbox
from openbooking.sandbox.pytest_plugin import openbooking_sandbox, openbooking_sandbox_process
from support.sandbox_broker import SandboxBroker

__all__ = ["openbooking_sandbox", "openbooking_sandbox_process"]


@pytest.fixture
def broker(openbooking_sandbox: Sandbox) -> Iterator[SandboxBroker]:
    """A Broker, whose answers are judged at the end of the test."""
    made = SandboxBroker(openbooking_sandbox)
    yield made
    made.close()
