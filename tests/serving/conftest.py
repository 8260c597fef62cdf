"""Fixtures for all tests of the server."""

import pytest


@pytest.fixture(autouse=True)
def commands_in_process(logs_as_before: None) -> None:
    """Restore the configuration of logging, which servers and commands change in the process of the tests."""
