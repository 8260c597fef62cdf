"""A terminal in which the commands of a page run.

One shell runs all blocks of a page, so that variables and folders stay. The commands of `openbooking` run in the
process of the tests, because a process for each of them would take most of the time. Servers are processes.
"""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from openbooking.cli import app
from support.command_line import OPENBOOKING
from support.pages.blocks import ROOT
from support.servers.demo import without_settings

_SERVER = re.compile(
    r"(?:\A|(?<=\n))(?:[A-Z_]+=\S+ )*(?:openbooking (?:serve|demo|sandbox)(?!.* -- )|uvicorn )[^\n;|&]*\Z"
)
_STARTED_WITHIN_SECONDS = 60
_TIMEOUT_SECONDS = 100
_MOST_SHOWN = 3000
_SETTINGS = ("OPENBOOKING_", "BROKER_")
# The system is installed already, so that `make` only says what it would do.
_PRELUDE = f'make() {{ command make --dry-run --always-make --directory="{ROOT}" "$@"; }}\n'
# Passes a command of `openbooking` to the process of the tests.
_STAND_IN = """#!{python} -IS
import json, os, socket, stat, sys
arguments = sys.argv[1:]
if arguments[:1] in (["serve"], ["demo"], ["sandbox"]) or "--follow" in arguments:
    os.execv({openbooking!r}, ["openbooking", *arguments])
with socket.create_connection(("127.0.0.1", {port})) as tests:
    typed = "" if stat.S_ISCHR(os.fstat(0).st_mode) else sys.stdin.read()
    request = {{"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd(), "typed": typed}}
    tests.sendall(json.dumps(request).encode())
    tests.shutdown(socket.SHUT_WR)
    answer = json.loads(tests.makefile("rb").read())
sys.stdout.write(answer["output"])
sys.stdout.flush()
sys.stderr.write(answer["errors"])
sys.exit(answer["status"])
"""


class Terminal:
    """A terminal in a folder.

    Args:
        folder: An empty folder.
        settings: Variables of the environment.

    Attributes:
        folder: The folder.
        address: The host and port at which a server of the page answers.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        self.address = f"127.0.0.1:{port}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._programs = folder.with_name(f"{folder.name}-programs")
        self._programs.mkdir()
        self._add_stand_in(self._programs / "openbooking")
        path = os.pathsep.join((str(self._programs), str(Path(sys.executable).parent), os.environ["PATH"]))
        ports = {"OPENBOOKING_PORT": port, "UVICORN_PORT": port}
        self._shell = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail"],
            cwd=folder,
            env={**without_settings(), **ports, **(settings or {}), "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.run(_PRELUDE)

    def _add_stand_in(self, program: Path) -> None:
        port = self._listener.getsockname()[1]
        program.write_text(
            _STAND_IN.format(python=sys.executable, openbooking=OPENBOOKING, port=port), encoding="utf-8"
        )
        program.chmod(0o755)

    def run(self, script: str, typed: str = "") -> str:
        """Run a script, and return what it prints. A script that starts a server returns when the server answers.

        Args:
            script: The text of a block.
            typed: What the user types while the script runs.
        """
        server = server_of(script)
        if server:
            before = self.run(script.strip().removesuffix(server), typed)
            return before + self._serve(server)
        file, printed = self._programs / "block.sh", self._programs / "printed"
        file.write_text(script, encoding="utf-8")
        self._send(f". '{file}' </dev/null >'{printed}' 2>&1; echo done")
        has_ended = self._answer_commands(typed)
        output = printed.read_text(encoding="utf-8")
        assert has_ended, f"{script}\n{output[-_MOST_SHOWN:]}"
        return output

    def _send(self, line: str) -> None:
        assert self._shell.stdin
        self._shell.stdin.write(f"{line}\n")
        self._shell.stdin.flush()

    def _answer_commands(self, typed: str) -> bool:
        """Run the commands of the script until the script ends; return whether it succeeded."""
        assert self._shell.stdout
        until = time.monotonic() + _TIMEOUT_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._shell.stdout, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0:
                ready = {key.fileobj for key, _ in selector.select(left)}
                if self._listener in ready:
                    self._answer_command(typed)
                elif ready:
                    return self._shell.stdout.readline() == "done\n"
        return False

    def _answer_command(self, typed: str) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as sent:
            # The event loop of a browser is in this thread, so the command gets a thread of its own.
            with ThreadPoolExecutor(1) as thread:
                done = thread.submit(_run_command, json.loads(sent.read()), typed).result()
            connection.sendall(json.dumps(done).encode())

    def _serve(self, command: str) -> str:
        """Start a server in the background; return what it prints until it answers."""
        printed = self._programs / "server"
        self._send(f"exec env {command} </dev/null >'{printed}' 2>&1 & echo done")
        assert self._answer_commands("")
        until = time.monotonic() + _STARTED_WITHIN_SECONDS
        while not _answers(f"http://{self.address}/healthz"):
            assert time.monotonic() < until, self.server_output()
            time.sleep(0.1)
        return self.server_output()

    def server_output(self) -> str:
        """Return what the server has printed until now."""
        return (self._programs / "server").read_text(encoding="utf-8")

    def close(self) -> None:
        """Stop the servers, and close the terminal."""
        self._listener.close()
        with suppress(BrokenPipeError):
            self._shell.communicate("kill $(jobs -p) 2>/dev/null || true; wait; exit\n", timeout=30)
        # A shell that has ended at a command that failed leaves its servers behind.
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGTERM)


def server_of(script: str) -> str:
    """Return the last command of a script if it runs until it is stopped, and nothing otherwise."""
    found = _SERVER.search(script.strip())
    return found[0] if found else ""


def _answers(url: str) -> bool:
    """Return whether a server answers, with whatever status."""
    try:
        urllib.request.urlopen(url, timeout=_STARTED_WITHIN_SECONDS).close()  # noqa: S310 - the address is ours
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def _run_command(request: dict[str, Any], typed: str) -> dict[str, Any]:
    """Run a command of `openbooking` in its folder, with its variables; return what it prints, and its status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(request["folder"])
        for name in [name for name in os.environ if name.startswith(_SETTINGS)]:
            patch.delenv(name)
        for name, value in request["environment"].items():
            if name.startswith(_SETTINGS):
                patch.setenv(name, value)
        done = CliRunner().invoke(app, request["arguments"], input=request["typed"] or typed)
    return {"output": done.stdout, "errors": done.stderr, "status": done.exit_code}


@contextmanager
def terminal(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Open a terminal in an empty folder; stop its servers at the end."""
    opened = Terminal(folder, settings)
    try:
        yield opened
    finally:
        opened.close()
