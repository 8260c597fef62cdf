"""The catalogue of a Broker: a harvest that is killed, pages a second, and searches: `make harvest`.

- A harvest of a million items is killed a hundred times. Its copy must be exact, its memory small, and at most one page
  may be read again for each kill.
- The same feeds are read by the package `openactive` from PyPI, without its pause between pages, in turns. That package
  keeps items in memory and makes no index. The pages are kept ready by the server, whose work is the same for both.
- Searches of many kinds are made on the copy.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import time as time_of_day
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2

from openbooking.broker.catalogue.query import Near, Search
from openbooking.broker.catalogue.search import find
from openbooking.broker.store.database import Database, open_database
from openbooking.openactive.opportunity_types import OpportunityType
from provider_feeds import ACTIVITIES, BASE, DAYS, FEEDS, HOST, TOWNS, item, size
from stage import HERE, folder, free_port, process
from support.importing.item_shapes import usage

ROUNDS = 3
COMPARED = ("scheduled-sessions", "slots", "events")
SEARCHES = 1_000
MOST_BYTES = 300_000_000
SEED = 19


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure the catalogue of a Broker.")
    parser.add_argument("python", type=Path, help="the Python of a venv with the package openactive")
    parser.add_argument("--items", type=int, default=1_000_000, help="the number of items of the harvest")
    parser.add_argument("--compared", type=int, default=50_000, help="the number of items that both packages read")
    parser.add_argument("--page", type=int, default=500, help="the number of items of a page")
    parser.add_argument("--kills", type=int, default=100, help="how often the harvest is killed")
    parser.add_argument("--database", help="the URL of a PostgreSQL database; without it, an SQLite file")
    asked = parser.parse_args()
    print(f"Items are shaped by {usage()[1]}")
    with folder() as data:
        compare(asked.python, asked.compared, asked.page, data)
        location = asked.database or str(data / "broker.sqlite3")
        harvest_and_kill(asked.items, asked.page, asked.kills, location)
        with closing(open_database(location)) as database:
            search(database, asked.items)


def compare(python: Path, items: int, page: int, data: Path) -> None:
    """Print the pages a second of both packages."""
    with serving(items, page, keep=True) as site:
        theirs, ours, indexed = [], [], []
        # The first reading of each feed makes the pages.
        run(python, HERE / "openactive_harvester.py", site, *COMPARED)
        for round_ in range(ROUNDS):
            told = run(python, HERE / "openactive_harvester.py", site, *COMPARED)
            theirs.append(told["pages"] / told["reading"])
            told = run(sys.executable, HERE / "harvester.py", site, data / f"compared-{round_}", *COMPARED)
            ours.append(told["pages"] / told["reading"])
            indexed.append(told["pages"] / (told["reading"] + told["index"]))
    print(f"Pages a second, {items:,} items, {page} a page, medians of {ROUNDS}:")
    print(f"  openactive 3.0.0, into memory          {median(theirs):8.1f}")
    print(f"  openbooking, into the database         {median(ours):8.1f}  {median(ours) / median(theirs):.1f} times")
    print(
        f"  openbooking, with the index of searches{median(indexed):8.1f}  {median(indexed) / median(theirs):.1f} times"
    )


def harvest_and_kill(items: int, page: int, kills: int, location: str) -> None:
    """Harvest into a database while the process is killed, and check the copy."""
    chance = random.Random(SEED)  # noqa: S311 - any moment will do
    pages = sum(-(-size(feed, items) // page) for feed in FEEDS)
    moments = iter(sorted(chance.sample(range(1, pages), min(kills, pages // 2))))
    began = time.monotonic()
    most_bytes = done = 0
    with serving(items, page) as site, httpx2.Client() as client:
        told = None
        while told is None:
            moment = next(moments, None)
            command = [sys.executable, str(HERE / "harvester.py"), site, location, *FEEDS]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as harvester:
                while moment and harvester.poll() is None and served(client, site)["pages"] < moment + done:
                    time.sleep(0.005)
                if moment and harvester.poll() is None:
                    time.sleep(chance.uniform(0, 0.02))
                    most_bytes = max(most_bytes, peak_bytes(harvester.pid))
                    harvester.send_signal(signal.SIGKILL)
                    done += 1
                output, _ = harvester.communicate()
            if harvester.returncode not in (0, -signal.SIGKILL):
                raise SystemExit("The harvest failed.")
            told = json.loads(output) if output else None
        again = served(client, site)["again"]
    most_bytes = max(most_bytes, told["bytes"])
    with closing(open_database(location)) as database:
        wrong = differences(database, items)
    print(f"Harvest of {items:,} items in {pages:,} pages, killed {done} times, {time.monotonic() - began:.0f} s:")
    print(f"  items that are missing or different    {wrong:8,}")
    print(f"  pages read again                       {again:8,}  at most {done}")
    print(f"  most memory                            {most_bytes / 1e6:8.0f}  MB, at most {MOST_BYTES / 1e6:.0f}")
    print(f"  last reading and index                 {told['reading']:8.0f}  s and {told['index']:.0f} s")
    if wrong or again > done or most_bytes > MOST_BYTES:
        raise SystemExit("The harvest is not what it must be.")


def differences(database: Database, items: int) -> int:
    """Return the number of items that the copy lacks, has differently, or has without need."""
    wrong = 0
    for feed in FEEDS:
        left = set(range(size(feed, items)))
        query = (
            "SELECT number, item.id, content FROM harvest_item item JOIN harvest_feed feed ON feed.feed = item.feed"
            " WHERE feed.name LIKE ? AND deleted = 0 AND number > ? ORDER BY number LIMIT 5000"
        )
        after = 0
        while True:
            with database.transaction() as transaction:
                rows = transaction.execute(query, (f"% {feed}", after)).fetchall()
            if not rows:
                break
            after = rows[-1][0]
            for _, id_, content in rows:
                wrong += int(id_) not in left or bytes(content) != item(feed, int(id_), items)
                left.discard(int(id_))
        wrong += len(left)
    return wrong


def search(database: Database, items: int) -> None:
    """Print how long searches take."""
    with database.transaction() as transaction:
        (name,) = transaction.execute("SELECT name FROM harvest_feed WHERE feed = 1").fetchone() or ("",)
    system = name.partition(" ")[0]
    chance = random.Random(SEED)  # noqa: S311 - the same searches again
    taken: dict[str, list[float]] = {}
    empty, worked = 0, []
    for number in range(SEARCHES):
        kind, wanted = random_search(number, chance)
        began, worked_before = time.perf_counter(), time.process_time()
        empty += not find(database, system, wanted, BASE + timedelta(days=2))
        taken.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - worked_before) * 1000)
    print(f"Searches of {items:,} items, in ms ({empty} of {SEARCHES} without a hit):")
    taken["all"] = [one for times in taken.values() for one in times]
    taken["all, processor time of this process"] = worked
    for kind, times in taken.items():
        print(f"  {kind:38} {median(times):8.1f}  p95 {quantiles(times, n=20)[-1]:.1f}  most {max(times):.1f}")


def random_search(number: int, chance: random.Random) -> tuple[str, Search]:
    """Return one of several kinds of searches with random values, and its name."""
    latitude, longitude = chance.choice(TOWNS)
    near = Near(latitude + chance.gauss(0, 0.1), longitude + chance.gauss(0, 0.1), chance.choice((2, 5, 10, 30)))
    activity = chance.choice(ACTIVITIES)[chance.randrange(2)]
    day = (BASE + timedelta(days=chance.randrange(2, DAYS))).date()
    evening = (time_of_day(17), time_of_day(21))
    kinds = {
        "near": Search(near=near),
        "near, by distance": Search(near=near, sort="distance", bookable=True),
        "near, activity, day, bookable": Search(near=near, activity=activity, day=day, bookable=True),
        "near, evening, spaces, bookable": Search(near=near, hours=evening, spaces=2, bookable=True),
        "activity": Search(activity=activity),
        "activity, day, price, bookable": Search(activity=activity, day=day, max_price=Decimal(5), bookable=True),
        "text": Search(text=f"evening {chance.randrange(200)}"),
        "type, day, second page": Search(type=OpportunityType.SLOT, day=day, offset=20),
        "seller, bookable": Search(
            seller=f"https://provider.example.com/sellers/{chance.randrange(40)}", bookable=True
        ),
        "day": Search(day=day),
    }
    return list(kinds.items())[number % len(kinds)]


@contextmanager
def serving(items: int, page: int, *, keep: bool = False) -> Iterator[str]:
    """Serve the feeds in a process of its own, and yield their site."""
    port = free_port()
    command = [sys.executable, str(HERE / "provider_feeds.py"), str(port), str(items), str(page), str(int(keep))]
    with process(command, port):
        yield f"http://{HOST}:{port}"


def served(client: httpx2.Client, site: str) -> dict[str, int]:
    """Return how many pages the server has served, and how many of them again."""
    told: dict[str, int] = client.get(f"{site}/served").json()
    return told


def run(*command: str | Path) -> dict[str, Any]:
    """Run a harvester, and return what it prints."""
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def peak_bytes(process_id: int) -> int:
    """Return the most bytes of memory that a process has used."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return 1024 * next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
