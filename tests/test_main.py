"""`python -m openbooking` is the `openbooking` command."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from openbooking import __version__


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "openbooking", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{__version__}\n"


def test_help_of_the_module_names_the_command() -> None:
    command = [sys.executable, "-m", "openbooking", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Usage: openbooking [OPTIONS] COMMAND" in done.stdout


def test_the_first_process_of_a_container_stops_on_sigterm_while_it_loads(tmp_path: Path) -> None:
    """Linux gives the process with the id 1 no signal that it does not handle, so `docker stop` would wait in vain."""
    slow = 'import time\nprint("loading", flush=True)\ntime.sleep(600)\n'
    (tmp_path / "typer.py").write_text(slow, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    command += [sys.executable, "-m", "openbooking", "serve"]
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "loading\n"
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
            os.kill(int(children), signal.SIGTERM)
            assert process.wait(30) == 128 + signal.SIGTERM
        finally:
            process.kill()
        assert process.stderr
        assert process.stderr.read() == ""
