"""Shared parts of the benchmarks: the server in a process of its own, callers, and the output of ratios.

Callers are `wrk`, which needs a tenth of the server's processor time for a request. Files are in this folder, because
/tmp may be in memory.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx2
import msgspec

HERE = Path(__file__).parent
HOST = "127.0.0.1"
_SECONDS_TO_START = 30
_CONNECTIONS_TO_REACH_ALL = 16


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder on the disk of this repository."""
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".data-") as made:
        yield Path(made)


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def process(arguments: Sequence[str | Path], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    """Run a process that listens on the port, and yield its id."""
    known = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    with subprocess.Popen(
        arguments, env=known | (environment or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            _wait_for(port, running)
            yield running.pid
        finally:
            running.terminate()


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and running.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{running.args!r} does not listen on port {port}.")


@contextmanager
def serve(database: str | Path, port: int, **settings: str) -> Iterator[int]:
    """Run `openbooking serve` on a database, and yield its process id as soon as it listens."""
    environment = {f"OPENBOOKING_{name.upper()}": value for name, value in settings.items()}
    command: list[str | Path] = [
        Path(sys.executable).parent / "openbooking",
        "serve",
        "--port",
        str(port),
        "--database",
        database,
    ]
    with process(command, port, environment) as pid:
        yield pid


@contextmanager
def server(database: str | Path, port: int, **settings: str) -> Iterator[int]:
    """Run `openbooking serve` on a database, and yield its process id when all its processes answer."""
    with serve(database, port, **settings) as pid:
        # The server listens before it answers. Each connection waits for the process to which it belongs.
        for _ in range(_CONNECTIONS_TO_REACH_ALL):
            httpx2.get(f"http://{HOST}:{port}/healthz", timeout=_SECONDS_TO_START).raise_for_status()
        yield pid


def memory_mb(pid: int) -> float:
    """Return the memory of a process, or of the largest of its children, in megabytes.

    Mapped files beside an SQLite file are left out, because all processes share them.
    """
    held, counts = 0, True
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):
            counts = ".sqlite3" not in line
        elif name == "Rss:" and counts:
            held += int(rest[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return max(held / 1000, *(memory_mb(int(child)) for child in children), 0)


def processor_ms(pid: int) -> float:
    """Return the milliseconds of processor time of a process since its start, to the microsecond (Linux)."""
    # The number that clock_getcpuclockid(3) returns for the process, with all its threads.
    clock = (~pid << 3) | 2
    return time.clock_gettime_ns(clock) / 1_000_000


def processor_seconds() -> float:
    """Return the seconds that all cores of this machine together have worked since its start."""
    user, nice, system, _idle, _waiting, *interrupts = Path("/proc/stat").read_text(encoding="ascii").split()[1:8]
    return sum(map(int, (user, nice, system, *interrupts))) / os.sysconf("SC_CLK_TCK")


class Load(msgspec.Struct, frozen=True):
    """The result of callers: answers per second, the p99 wait in milliseconds, and the number of failures."""

    rate: float
    p99_ms: float
    failures: int


def load(url: str, *, callers: int, seconds: float, script: str = "get.lua", arguments: Sequence[str] = ()) -> Load:
    """Return the answers per second of callers that each send again as soon as they get an answer."""
    command = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(callers),
        "--duration",
        f"{seconds:g}s",
        "--timeout",
        "30s",
    ]
    command += ["--script", script, url, "--", *arguments]
    told = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True).stdout
    answered = json.loads(told.splitlines()[-1])
    found = Load(
        rate=answered["requests"] / (answered["microseconds"] / 1_000_000),
        p99_ms=answered["p99"] / 1000,
        failures=answered["failures"],
    )
    if found.failures:
        raise RuntimeError(f"{found.failures} of {answered['requests']} requests to {url} failed.")
    return found


def put_load(  # noqa: PLR0913 - what is sent, where and how often
    port: int, path: str, bodies: Sequence[bytes], sent: Mapping[str, str], lines: Path, *, callers: int, seconds: float
) -> Load:
    """Return the answers per second to PUTs of these bodies, each to a new UUID. `lines` is a file for the bodies."""
    lines.write_bytes(b"\n".join(bodies))
    arguments = [f"{path}/", str(lines), *(f"{name}={value}" for name, value in sent.items())]
    return load(f"http://{HOST}:{port}", callers=callers, seconds=seconds, script="put.lua", arguments=arguments)


def tell_medians(what: str, rounds: Sequence[tuple[float, float]], aim: float | None = None) -> float:
    """Print the line of a rate and its reference, by the median of the rounds; return the rate."""
    rate = median(ours for ours, _ in rounds)
    tell(what, rate, median(reference for _, reference in rounds), aim)
    return rate


def tell(what: str, rate: float, reference: float, aim: float | None = None) -> None:
    """Print one line: the rate, the reference and the ratio."""
    wanted = f"  (aim {aim:g})" if aim else ""
    print(f"{what:<44} {rate:>9,.0f}/s   of {reference:>9,.0f}/s   {rate / reference:>5.2f}{wanted}", flush=True)
