"""`python -m openbooking`: the `openbooking` command.

The image starts the command in this way, because the command loads for a while before it handles SIGTERM. Linux gives
the first process of a container no signal that it does not handle.
"""

import os
import signal
import sys
from types import FrameType

_FIRST_PROCESS = 1


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    if os.getpid() == _FIRST_PROCESS:
        signal.signal(signal.SIGTERM, _exit)
    from openbooking.cli import app

    app(prog_name="openbooking")
