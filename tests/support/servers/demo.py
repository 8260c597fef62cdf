"""`openbooking demo` in a process of its own, as a user runs it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from support.command_line import OPENBOOKING

# The last command of the guide. Only comments follow.
LAST_COMMAND = 'call "$api/orders-rpde"'
_LAST_LINE = "# Sign in: "


class Demo(NamedTuple):
    """A running demo.

    Attributes:
        database: The path of its database.
        printed: The guide that the demo prints, which can be pasted into a shell.
    """

    database: Path
    printed: str

    def found(self, pattern: str) -> str:
        """Return what the group of a pattern matches in the printed guide."""
        found = re.search(pattern, self.printed, re.MULTILINE)
        assert found, pattern
        return found[1]

    @property
    def api(self) -> str:
        """The URL of the booking API."""
        return self.found(r"^api=(.*)$")

    @property
    def site(self) -> str:
        """The URL of the site."""
        return self.api.removesuffix("/api")


def without_settings() -> dict[str, str]:
    """Return the environment without settings of openbooking."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}


@contextmanager
def running_demo(database: Path) -> Iterator[Demo]:
    """Run the demo during the block, from the end of the guide on."""
    command = [OPENBOOKING, "demo", "--port", "0", "--database", str(database)]
    with subprocess.Popen(command, env=without_settings(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith(_LAST_LINE):
                    break
            yield Demo(database, "".join(lines))
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
