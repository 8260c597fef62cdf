"""What the views, and the hooks of embedders, cost bookings. Run by hand.

    python benchmarks/views.py [--before SOURCE | --hook] [--postgres] [--rounds 12]

Measures the processor time of B of three items in one process without a socket: of the process, and with `--postgres`
also that of the database server. Each part of the views is left out in turn. `--before` names the `src` folder of a
version without views. It is measured in a process of its own, in the same rounds, so that a noisy machine slows both
down. With `--hook` a process with an `on_committed` that does nothing is compared in this way with one without; its
time includes the delivery of the events. `benchmarks/view_pages.py` measures the pages of the views.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import IO, Any, cast
from unittest.mock import patch

import structlog

from openbooking.openactive.ids import Identifiers
from openbooking.store import rows
from openbooking.testing.postgres import PostgresServer
from openbooking.web.app import create_app
from stage import folder
from stock import headers, order_body, settings_of, stock

SESSIONS = 2_000
ITEMS = 3
CALLERS = 32
AT_ONCE = 320
PORT = 8000
BEFORE, WITHOUT_HOOK, HOOK = "before", "without hook", "with hook"
PARTS = ("all", "without sessions", "without search terms", "without list columns", "without ended lines", "none")
LIST_COLUMNS = ("listed_at", "order_status", "value_of_order", "currency_of_order")


@contextmanager
def without(part: str) -> Iterator[None]:
    """Let the store write nothing for a part of the views."""
    if part in (BEFORE, WITHOUT_HOOK, HOOK, "all"):
        yield
        return
    from openbooking.booking.rules.orders.search_terms import SearchTerms  # noqa: PLC0415 - the version before lacks them
    from openbooking.store.views.rows import LineChanges  # noqa: PLC0415

    nothing: dict[str, Any] = {name: lambda *_: None for name in LIST_COLUMNS}
    parts: dict[str, dict[str, Any]] = {
        "without sessions": {"starts_of_sold": lambda _: {}, "booked_session_rows": lambda *_: ()},
        "without search terms": {"search_terms": lambda _: SearchTerms()},
        "without list columns": {**nothing, "hundredths": lambda _: None},
        "without ended lines": {"ended_line_rows": lambda *_: LineChanges()},
    }
    names = parts.get(part) or {name: value for each in parts.values() for name, value in each.items()}
    with patch.multiple(rows, **names):
        yield


def server_seconds(postmaster: int) -> float:
    """Return the processor time of the processes of a database server."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if int(parent) == postmaster:
                total += int((process / "schedstat").read_text(encoding="utf-8").split()[0])
        except OSError:
            continue
    return total / 1e9


async def book(app: Any, bodies: Iterator[bytes], number: int) -> None:
    """Have as many callers as usual send B until so many bookings are made."""
    left = iter(range(number))

    async def caller() -> None:
        for _ in left:
            body, status = next(bodies), 0

            async def receive(body: bytes = body) -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message: dict[str, Any]) -> None:
                nonlocal status
                status = message.get("status", status)

            path = f"/api/orders/{uuid.uuid4()}"
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "PUT",
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers().items()],
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", PORT),
            }
            await app(scope, receive, send)
            if status != 201:  # noqa: PLR2004 - Created
                raise AssertionError(status)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def answer_rounds(database: str, postmaster: int, *, hooked: bool) -> None:
    """For each part that a line of the input names, print the microseconds of processor time for a booking."""
    told, all_told = 0, asyncio.Event()

    async def on_committed(*_: Any) -> None:
        nonlocal told
        told += 1
        if told % AT_ONCE == 0:
            all_told.set()

    async def book_and_tell() -> None:
        all_told.clear()
        await book(app, bodies, AT_ONCE)
        if hooked:
            await all_told.wait()

    settings = settings_of(database, PORT)
    await stock(settings, sessions=SESSIONS)
    ids, chance = Identifiers(settings.base_uri), random.Random(1)  # noqa: S311 - the same data each time
    bodies = iter(lambda: order_body(ids, chance.sample(range(SESSIONS), ITEMS)), None)
    # The version before knows no hooks.
    hook: dict[str, Any] = {"on_committed": on_committed} if hooked else {}
    app = create_app(settings, **hook)

    def used() -> float:
        return time.process_time() + (server_seconds(postmaster) if postmaster else 0)

    async with app.router.lifespan_context(app):
        await book_and_tell()
        while part := (await asyncio.to_thread(sys.stdin.readline)).strip():
            with without(part):
                before = used()
                await book_and_tell()
                print(json.dumps(1e6 * (used() - before) / AT_ONCE), flush=True)


@contextmanager
def measured(database: str, postmaster: int, source: str = "", hook: str = "") -> Iterator[Callable[[str], float]]:
    """Start a process with a version of the sources; yield a function that measures a part in it."""
    environment = {**os.environ, **({"PYTHONPATH": source} if source else {})}
    command = [sys.executable, __file__, "--answer", database, str(postmaster), hook]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1) as running:
        stdin, stdout = cast("IO[str]", running.stdin), cast("IO[str]", running.stdout)

        def measure(part: str) -> float:
            stdin.write(f"{part}\n")
            return float(stdout.readline())

        yield measure
        stdin.close()


@contextmanager
def databases(place: Path, *, postgres: bool) -> Iterator[Callable[[], tuple[str, int]]]:
    """Yield a function that returns a new database, and the process id of its server."""
    with PostgresServer() if postgres else nullcontext() as server:
        if server is None:
            yield lambda: (str(place / f"{uuid.uuid4().hex}.sqlite3"), 0)
        else:
            postmaster = int((server.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            yield lambda: (server.bare_database(), postmaster)


def compare(before: str, rounds: int, *, hook: bool, postgres: bool) -> None:
    """Print the medians of all parts, and of their ratios to the first one in each round."""
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        new_database = stack.enter_context(databases(stack.enter_context(folder()), postgres=postgres))
        measures: list[tuple[Callable[[str], float], Sequence[str]]] = []
        if before:
            measures.append((stack.enter_context(measured(*new_database(), before)), (BEFORE,)))
        if hook:
            measures += (
                (stack.enter_context(measured(*new_database(), hook=each)), (part,))
                for part, each in ((WITHOUT_HOOK, ""), (HOOK, "hook"))
            )
        else:
            measures.append((stack.enter_context(measured(*new_database())), PARTS))
        for _ in range(rounds):
            for measure, parts in measures:
                for part in parts:
                    found.setdefault(part, []).append(measure(part))
    for reference in (WITHOUT_HOOK,) if hook else (BEFORE, "none") if before else ("none",):
        print(f"compared with: {reference}")
        for part, times in found.items():
            ratios = [time / other for time, other in zip(times, found[reference], strict=True)]
            lowest = min(times) / min(found[reference])
            print(f"{part:22} {median(times):6.0f} µs for B, {median(ratios):.3f} (of the least {lowest:.3f})")


def main() -> None:
    """Compare, or answer in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--before", default="")
    chosen.add_argument("--hook", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--answer", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if asked.answer:
        asyncio.run(answer_rounds(asked.answer[0], int(asked.answer[1]), hooked=bool(asked.answer[2])))
    else:
        compare(asked.before, asked.rounds, hook=asked.hook, postgres=asked.postgres)


if __name__ == "__main__":
    main()
