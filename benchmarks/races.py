"""A thousand callers at once for the last ten places, through HTTP on SQLite: `make bench`.

Ten must get one each, all others must be told that it is full, and the feed must say that none is left. Told beside it:
how much longer that takes than a thousand callers who each book a class of their own.
"""

import asyncio
import time
from collections import Counter
from pathlib import Path

import httpx2
import msgspec

from callers import Caller, put
from openbooking.openactive.ids import Identifiers
from stage import HOST, folder, free_port, server, tell
from stock import headers, order_body, settings_of, stock

CALLERS = 1_000
PLACES = 10

Outcome = tuple[int, str]


async def _ask(caller: Caller, request: bytes) -> Outcome:
    """The status, and the class of the item's error if it has one."""
    answered = await caller.ask(request)
    reply = msgspec.json.decode(answered.body)
    errors = reply["orderedItem"][0].get("error", []) if "orderedItem" in reply else [reply]
    return answered.status, errors[0]["@type"] if errors else ""


async def race(port: int, bodies: list[bytes]) -> tuple[float, Counter[Outcome]]:
    """Send all of these at once, on open connections: the seconds until the last is answered, and the answers."""
    callers = [await Caller.connect(port) for _ in bodies]
    requests = [put("/api/orders", body, headers()) for body in bodies]
    started = time.perf_counter()
    outcomes = await asyncio.gather(*map(_ask, callers, requests))
    seconds = time.perf_counter() - started
    for caller in callers:
        caller.writer.close()
    return seconds, Counter(outcomes)


def run(place: Path, wanted: int) -> tuple[float, Counter[Outcome], int]:
    """A race of all callers over so many sessions; with how many places the feed then says are left."""
    port = free_port()
    database = place / f"{wanted}.sqlite3"
    settings = settings_of(str(database), port)
    ids = Identifiers(settings.base_uri)
    asyncio.run(stock(settings, sessions=wanted, capacity=PLACES))
    with server(database, port):
        bodies = [order_body(ids, [number % wanted]) for number in range(CALLERS)]
        seconds, outcomes = asyncio.run(race(port, bodies))
        return seconds, outcomes, _left(f"http://{HOST}:{port}/feeds/scheduled-sessions")


def _left(url: str) -> int:
    """The places left by the feed, of all sessions together."""
    left: dict[str, int] = {}
    while items := (page := httpx2.get(url).raise_for_status().json())["items"]:
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
