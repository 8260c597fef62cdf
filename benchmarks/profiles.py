"""A profile of a server's processor time, from samples of its stacks that another process takes.

The sampler is py-spy. It slows down the server a little, so nothing is measured meanwhile. The operating system must
allow it to read other processes; root always may.
"""

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SAMPLES_A_SECOND = 250
_STARTED = "Sampling process"
_SMALLEST_SHARE = 0.01
# Threads that wait for work, or for the disk at a commit.
_IDLE = "(concurrent/futures/thread.py:"
# The time of a stack counts for its innermost frame that belongs to one of these.
_PARTS = {
    "request ids and the log": r"structlog/|logging/|openbooking/web/observe\.py|openbooking/serving/logs\.py",
    "HTTP": r"uvicorn/|starlette/|asyncio/runners\.py|openbooking/serving/connection\.py",
    "routes and headers": r"openbooking/(web|system)",
    "reading and writing JSON-LD": r"openbooking/(jsonld|openactive)/",
    "deciding": r"openbooking/booking/",
    "knowing the caller": r"openbooking/identity/|openbooking/store/(identity|shared)",
    "the database's driver": r"asyncpg/|openbooking/store/sqlite\.py",
    "rows and statements": r"openbooking/store/",
}
_COMPILED = {part: re.compile(rf"\((?:\S*/)?(?:{pattern})") for part, pattern in _PARTS.items()}


@contextmanager
def profile(pid: int, place: Path) -> Iterator[None]:
    """Print a profile of the process and its children during the block."""
    samples = place / "samples"
    command: list[str | Path] = [Path(sys.executable).parent / "py-spy", "record", "--pid", str(pid), "--subprocesses"]
    command += ["--rate", str(_SAMPLES_A_SECOND), "--format", "raw", "--output", samples]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as sampler:
        assert sampler.stdout  # noqa: S101 - as asked for
        sampling = any(_STARTED in line for line in sampler.stdout)
        yield
        sampler.send_signal(signal.SIGINT)
        sampler.stdout.read()
    if sampling:
        _tell(samples.read_text(encoding="utf-8").splitlines())
    else:
        print("  no profile: the operating system does not allow py-spy to read the server", flush=True)


def _tell(lines: Sequence[str]) -> None:
    """Print the shares. Each line is a stack, from its outermost frame, and the number of its samples."""
    spent: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if _IDLE not in frames[-1]:
            spent[_part(frames)] += int(count)
    total = spent.total()
    told = [f"{part} {count / total:.0%}" for part, count in spent.most_common() if count / total >= _SMALLEST_SHARE]
    print(f"  spent on {', '.join(told)}", flush=True)


def _part(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        for part, pattern in _COMPILED.items():
            if pattern.search(frame):
                return part
    return "other"
