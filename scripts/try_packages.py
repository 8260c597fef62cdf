"""Installs the wheel as users do, and runs it without a network.

try_packages.py FOLDER: the wheel of the folder is installed by pip with each Python from 3.11 on that is found, and by
uvx and pipx. This takes minutes, most of them for pip. The commands then run in a namespace without a network, where
Linux allows that. The installation itself needs a network.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

_OLDEST, _NEWEST = 11, 14
_SECONDS = 600
# Turns the loopback interface of a new network namespace on (SIOCSIFFLAGS, IFF_UP and IFF_RUNNING), and runs a command.
_WITH_LOOPBACK = """
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(socket.AF_INET), 0x8914, struct.pack("16sh14x", b"lo", 0x41))
os.execvp(sys.argv[1], sys.argv[1:])
"""
# The client of a Broker loads no library of a server.
_CLIENT = """
import sys
import openbooking.broker
loaded = {"alembic", "asyncpg", "jinja2", "sqlalchemy", "starlette", "structlog", "uvicorn"} & sys.modules.keys()
sys.exit(f"The client loads {loaded}" if loaded else 0)
"""
# Without pytest the test kit says what to install.
_KIT = """
try:
    import openbooking.testing
except ImportError as fault:
    assert "openbooking[testing]" in str(fault), fault
else:
    raise SystemExit("pytest is installed, so this shows nothing.")
"""


def main(folder: Path) -> None:
    """Try the wheel of the folder in all ways; end with status 1 at the first failure."""
    (wheel,) = folder.resolve().glob("*.whl")
    for version, python in _interpreters():
        with TemporaryDirectory() as scratch:
            _try_pip(version, python, wheel, Path(scratch))
    with TemporaryDirectory() as scratch:
        _try_runners(wheel, Path(scratch))


def _interpreters() -> Iterator[tuple[str, str]]:
    """Yield the version and the path of each Python that is supported and found."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in range(_OLDEST, _NEWEST + 1):
        found = sorted(pyenv.glob(f"versions/3.{minor}.*/bin/python"))
        python = str(found[-1]) if found else shutil.which(f"python3.{minor}")
        if python and _runs(python):
            yield f"3.{minor}", python
        else:
            _report(f"Python 3.{minor}: not on this machine")


def _runs(python: str) -> bool:
    return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0


def _try_pip(version: str, python: str, wheel: Path, scratch: Path) -> None:
    """Install with pip into a new environment, and run the commands there."""
    _run(python, "-m", "venv", str(scratch / "venv"))
    programs = scratch / "venv" / "bin"
    _run(str(programs / "pip"), "--disable-pip-version-check", "-q", "install", "--only-binary", ":all:", str(wheel))
    own = str(programs / "python")
    for command in (
        (str(programs / "openbooking"), "--version", "--verbose"),
        (str(programs / "openbooking"), "-h"),
        (own, "-m", "openbooking", "--version"),
        (own, "-c", _CLIENT),
        (own, "-c", _KIT),
        (str(programs / "openbooking"), "check", "--port", "0"),
        (str(programs / "openbooking"), "migrate"),
        (str(programs / "openbooking"), "demo", "--book"),
    ):
        _run(*_without_network(), *command, folder=scratch)
    _report(f"Python {version}: pip install, check, migrate, demo{_network()}")


def _try_runners(wheel: Path, scratch: Path) -> None:
    """Install with uvx and pipx, which needs a network, and run the demo without a network."""
    _run(sys.executable, "-m", "venv", str(scratch / "venv"))
    programs = scratch / "venv" / "bin"
    _run(str(programs / "pip"), "--disable-pip-version-check", "-q", "install", "uv", "pipx")
    homes = {name: str(scratch / name.lower()) for name in ("UV_CACHE_DIR", "UV_TOOL_DIR", "PIPX_HOME", "PIPX_BIN_DIR")}
    install, demo = ("openbooking", "--version"), ("openbooking", "demo", "--book")
    uvx = (str(programs / "uvx"), "--python", sys.executable)
    _run(*uvx, "--from", str(wheel), *install, folder=scratch, **homes)
    _run(*_without_network(), *uvx, "--offline", "--from", str(wheel), *demo, folder=scratch, **homes)
    _report(f"uvx openbooking demo{_network()}")
    pipx = (str(programs / "pipx"), "run", "--python", sys.executable, "--spec", str(wheel))
    _run(*pipx, *install, folder=scratch, **homes)
    _run(*_without_network(), *pipx, *demo, folder=scratch, **homes)
    _report(f"pipx run openbooking demo{_network()}")


def _report(done: str) -> None:
    """Print what was tried, at once, because the next step takes long."""
    print(done, flush=True)


def _without_network() -> tuple[str, ...]:
    """Return the words that run a command in a namespace without a network; none if that is not allowed here."""
    if not _network():
        return ()
    return ("unshare", "--map-root-user", "--net", sys.executable, "-c", _WITH_LOOPBACK)


def _network() -> str:
    """Return what the results say about the network."""
    unshare = shutil.which("unshare")
    allowed = unshare and subprocess.run([unshare, "--map-root-user", "--net", "true"], check=False).returncode == 0
    return ", without a network" if allowed else ""


def _run(*command: str, folder: Path | None = None, **variables: str) -> None:
    """Run a command; end with its output if it fails. It sees nothing of this checkout and of its settings."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"OPENBOOKING_|PYTHON|VIRTUAL_ENV", name)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=kept | variables, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"{' '.join(command)} did not end within {_SECONDS} seconds.")
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
