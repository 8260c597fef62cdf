"""A thousand callers at once for the last ten spaces, over HTTP on SQLite: `make bench`.

Ten must get a space each, all others must get `OpportunityIsFullError`, and the feed must show that none is left. It is
compared with a thousand callers who book a class each.
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
    """Return the status, and the class of the item's error if it has one."""
    answered = await caller.ask(request)
    reply = msgspec.json.decode(answered.body)
    errors = reply["orderedItem"][0].get("error", []) if "orderedItem" in reply else [reply]
    return answered.status, errors[0]["@type"] if errors else ""


async def race(port: int, bodies: list[bytes]) -> tuple[float, Counter[Outcome]]:
    """Send all requests at once, on open connections; return the seconds until the last answer, and the answers."""
    callers = [await Caller.connect(port) for _ in bodies]
    requests = [put("/api/orders", body, headers()) for body in bodies]
    started = time.perf_counter()
    outcomes = await asyncio.gather(*map(_ask, callers, requests))
    seconds = time.perf_counter() - started
    for caller in callers:
        caller.writer.close()
    return seconds, Counter(outcomes)


def run(place: Path, wanted: int) -> tuple[float, Counter[Outcome], int]:
    """Race all callers for this many sessions; return also how many spaces the feed then shows."""
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
    """Return the spaces of all sessions that are left according to the feed."""
    left: dict[str, int] = {}
    while items := (page := httpx2.get(url).raise_for_status().json())["items"]:
        left |= {item["id"]: item["data"]["remainingAttendeeCapacity"] for item in items}
        url = page["next"]
    return sum(left.values())


def main() -> None:
    """Race, check the result and print it."""
    with folder() as place:
        apart, all_booked, _ = run(place, CALLERS)
        together, outcomes, left = run(place, 1)
    expected = {(201, ""): PLACES, (409, "OpportunityIsFullError"): CALLERS - PLACES}
    if all_booked != {(201, ""): CALLERS} or outcomes != expected or left != 0:
        raise SystemExit(f"The race went wrong: {outcomes}, {left} left; apart: {all_booked}.")
    print(f"{CALLERS:,} callers for the last {PLACES} spaces: {PLACES} Orders, {CALLERS - PLACES} refusals, 0 left")
    tell("answers in that race (to callers apart)", CALLERS / together, CALLERS / apart)


if __name__ == "__main__":
    main()
