"""A terminal in which the commands of the tutorial run, from an empty database, and its server."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
_SERVE = "openbooking serve"
# The system is installed already, so that `make` only says what it would do.
_BEFORE = f'set -o pipefail; make() {{ command make --dry-run --always-make --directory="{ROOT}" "$@"; }}\n'


class Terminal:
    """A terminal in a folder.

    Attributes:
        address: The host and port of the server.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOKING_")}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**kept, "PATH": programs, "OPENBOOKING_PORT": str(port)}
        self._server: subprocess.Popen[str] | None = None

    def run(self, script: str) -> str:
        """Run a script, and return what it prints. A script that starts the server returns when the server answers."""
        if script.strip() == _SERVE:
            return self._serve()
        done = subprocess.run(
            ["bash", "-eu", "-c", _BEFORE + script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def _serve(self) -> str:
        self._server = subprocess.Popen(
            _SERVE.split(), cwd=self._folder, env=self._environment, stderr=subprocess.PIPE, text=True
        )
        assert self._server.stderr
        return next(line for line in self._server.stderr if "serving" in line)

    def close(self) -> None:
        """Stop the server."""
        if self._server and self._server.stderr:
            self._server.send_signal(signal.SIGTERM)
            self._server.communicate(timeout=30)


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """Open a terminal in an empty folder; stop its server at the end."""
    opened = Terminal(folder)
    try:
        yield opened
    finally:
        opened.close()
