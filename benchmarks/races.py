"""A thousand callers at once for the last ten places, through HTTP on SQLite: `make bench`.

Ten must get one each, all others must be told that it is full, and the feed must say that none is left. Told beside it:
how much longer that takes than a thousand callers who each book a class of their own.
"""

import asyncio
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from openbooking.spec.ids import Identifiers
from stage import HOST, folder, free_port, server, tell
from stock import headers, order_body, stock

CALLERS = 1_000
PLACES = 10

Outcome = tuple[int, str]


class Caller(NamedTuple):
    """A connection that is open before the race begins, and what it will ask."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes


def _request(body: bytes) -> bytes:
    lines = [f"PUT /api/orders/{uuid.uuid4()} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers().items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _ask(caller: Caller) -> Outcome:
    """The status, and the class of the item's error if it has one."""
    caller.writer.write(caller.request)
    head = (await caller.reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0])
    reply = msgspec.json.decode(await caller.reader.readexactly(length))
    errors = reply["orderedItem"][0].get("error", []) if "orderedItem" in reply else [reply]
    return int(head.split()[1]), errors[0]["@type"] if errors else ""


async def race(port: int, bodies: list[bytes]) -> tuple[float, Counter[Outcome]]:
    """Send all of these at once: the seconds until the last is answered, and the answers."""
    callers = [Caller(*await asyncio.open_connection(HOST, port), _request(body)) for body in bodies]
    started = time.perf_counter()
    outcomes = await asyncio.gather(*(_ask(caller) for caller in callers))
    seconds = time.perf_counter() - started
    for caller in callers:
        caller.writer.close()
    return seconds, Counter(outcomes)


def run(place: Path, wanted: int) -> tuple[float, Counter[Outcome], int]:
    """A race of all callers over so many sessions; with how many places the feed then says are left."""
    port = free_port()
    ids = Identifiers(f"http://{HOST}:{port}/api")
    database = place / f"{wanted}.sqlite3"
    asyncio.run(stock(database, ids.base_uri, sessions=wanted, capacity=PLACES))
    with server(database, port):
        bodies = [order_body(ids, [number % wanted]) for number in range(CALLERS)]
        seconds, outcomes = asyncio.run(race(port, bodies))
        return seconds, outcomes, _left(f"http://{HOST}:{port}/feeds/scheduled-sessions")


def _left(url: str) -> int:
    """The places left by the feed, of all sessions together."""
    left: dict[str, int] = {}
    while items := (page := httpx.get(url).raise_for_status().json())["items"]:
        left |= {item["id"]: item["data"]["remainingAttendeeCapacity"] for item in items}
        url = page["next"]
    return sum(left.values())


def main() -> None:
    """Race, check, print."""
    with folder() as place:
        apart, all_booked, _ = run(place, CALLERS)
        together, outcomes, left = run(place, 1)
    expected = {(201, ""): PLACES, (409, "OpportunityIsFullError"): CALLERS - PLACES}
    if all_booked != {(201, ""): CALLERS} or outcomes != expected or left != 0:
        raise SystemExit(f"The race went wrong: {outcomes}, {left} left; apart: {all_booked}.")
    print(f"{CALLERS:,} callers for the last {PLACES} places: {PLACES} Orders, {CALLERS - PLACES} refusals, 0 left")
    tell("answers in that race (to callers apart)", CALLERS / together, CALLERS / apart)


if __name__ == "__main__":
    main()
