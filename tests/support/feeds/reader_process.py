"""A process that reads a feed to its end, with the sync and the async client in turn.

Tests start it: `reader_process.py URL COPY CERTIFICATE` reads into a copy, and with `catalogue` behind these arguments
into the database of a Broker. It prints the largest number of bytes of memory that it used.
"""

import asyncio
import ssl
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path

import httpx2

from openbooking.broker.catalogue.feeds import FeedKeeper
from openbooking.broker.store.database import open_database
from openbooking.harvest.client import HarvestOptions, Keeper, harvest, harvest_async
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End, Limits, Received

OPTIONS = HarvestOptions(limits=Limits(first_pause=0.001, longest_pause=0.05))


def read(url: str, copy: Keeper, trust: ssl.SSLContext) -> Received | End:
    """Read the feed with the sync client; return the last step."""
    with httpx2.Client(verify=trust) as client:
        (last,) = deque(harvest(url, copy, client, OPTIONS), maxlen=1)
    return last


def read_async(url: str, copy: Keeper, trust: ssl.SSLContext) -> Received | End:
    """Read the feed with the async client; return the last step."""

    async def run() -> Received | End:
        async with httpx2.AsyncClient(verify=trust) as client:
            (last,) = deque([step async for step in harvest_async(url, copy, client, OPTIONS)], maxlen=1)
        return last

    return asyncio.run(run())


def peak_bytes(process: int | str = "self") -> int:
    """Return the largest number of bytes of memory that a process has used; 0 if the process has ended or Linux does
    not say.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


@contextmanager
def keeper(location: str, kind: str) -> Iterator[Keeper]:
    """Yield what keeps the feed."""
    if kind == "copy":
        with Copy(Path(location)) as copy:
            yield copy
        return
    with closing(open_database(location)) as database:
        yield FeedKeeper(database, "https://provider.example.com", "Event")


def main(url: str, location: str, certificate: str, kind: str = "copy") -> None:
    trust = ssl.create_default_context(cafile=certificate)
    with keeper(location, kind) as kept:
        for face in cycle((read, read_async)):
            last = face(url, kept, trust)
            if isinstance(last, End) and not last.fault:
                break
    print(peak_bytes())  # noqa: T201 - for the process that waits


if __name__ == "__main__":
    main(*sys.argv[1:])
