"""What every test of the demo needs."""

import pytest


@pytest.fixture(autouse=True)
def commands_in_process(logs_as_before: None) -> None:
    """Commands run in the process of the tests."""
