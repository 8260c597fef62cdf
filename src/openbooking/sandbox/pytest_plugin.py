"""The pytest fixture `openbooking_sandbox`, for tests of Brokers.

Put this line into the `conftest.py` at the top of the tests:

    pytest_plugins = ["openbooking.sandbox.pytest_plugin"]

The sandbox runs in a process of its own, which is started once in each test process. Each test begins in its start
state. `docs/how-to/test-a-broker.md` explains how to use the fixture.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from openbooking.sandbox.client import Sandbox

_COMMAND = (sys.executable, "-m", "openbooking", "sandbox", "--port", "0", "--json")


@pytest.fixture(scope="session")
def openbooking_sandbox_process() -> Iterator[Sandbox]:
    """Yield a sandbox that tests share, in the state in which the last test left it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}
    with subprocess.Popen(_COMMAND, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            assert process.stdout  # noqa: S101 - it is a pipe
            line = process.stdout.readline()
            if not line:
                pytest.fail("The sandbox did not start. Its messages are in the captured standard error.")
            addresses = json.loads(line)
            with Sandbox(addresses["site"], addresses["key"], addresses["api"]) as running:
                yield running
        finally:
            process.terminate()


@pytest.fixture
def openbooking_sandbox(openbooking_sandbox_process: Sandbox) -> Sandbox:
    """Return a sandbox in its start state."""
    openbooking_sandbox_process.reset()
    return openbooking_sandbox_process
