"""What every test of the server needs."""

import pytest


@pytest.fixture(autouse=True)
def commands_in_process(logs_as_before: None) -> None:
    """Servers and commands run in the process of the tests."""
