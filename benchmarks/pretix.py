"""Bookings a second, as a multiple of orders of the ticketing system pretix: `make pretix`.

There is no other Booking System in Python to compare with. Both systems take orders of three items over HTTP, from the
same number of callers, with two processes, on the same PostgreSQL server, in turns. pretix does more than a Booking
System has to. It is installed in a venv of its own and not changed: after its first data is loaded, its REST API does
everything.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from booking import ITEMS, OPPORTUNITIES, ROUNDS
from openbooking.testing.postgres import PostgresServer
from postgres import CALLERS, WORKERS, PostgresBench
from stage import HOST, folder, free_port, process, tell_medians

SECONDS = 10.0
_TOKEN = "benchmark"  # noqa: S105 - known to whoever reads this
_HEADERS = {"Authorization": f"Token {_TOKEN}"}
_CONFIGURATION = """
[pretix]
instance_name = benchmark
url = {site}
datadir = {data}
[database]
backend = postgresql
name = {name}
user = {user}
host = {host}
[django]
secret = benchmark
"""
_FIRST = [
    ("organizer", {"name": "Riverside", "slug": "riverside"}),
    ("saleschannel", {"organizer": 1, "label": "Web", "identifier": "web", "type": "web", "position": 0}),
    (
        "team",
        {
            "organizer": 1,
            "name": "All",
            "all_events": True,
            "all_event_permissions": True,
            "all_organizer_permissions": True,
        },
    ),
    ("teamapitoken", {"team": 1, "name": "benchmark", "token": _TOKEN}),
]


class Pretix:
    """An installation of pretix in a virtual environment, with a database of its own."""

    def __init__(self, programs: Path, url: str, place: Path) -> None:
        self._programs = programs
        self._place = place
        self._port = free_port()
        where = urlsplit(url)
        configuration = place / "pretix.cfg"
        configuration.write_text(
            _CONFIGURATION.format(
                site=f"http://{HOST}:{self._port}",
                data=place / "pretix",
                name=where.path[1:],
                user=where.username,
                host=parse_qs(where.query)["host"][0],
            ),
            encoding="utf-8",
        )
        self._environment = {"PRETIX_CONFIG_FILE": str(configuration), "DJANGO_SETTINGS_MODULE": "pretix.settings"}
        self._orders = ""
        self._order: dict[str, Any] = {}

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the processes of pretix."""
        command: list[str | Path] = [self._programs / "gunicorn", "pretix.wsgi", "--bind", f"{HOST}:{self._port}"]
        with process([*command, "--workers", str(WORKERS)], self._port, self._environment):
            yield

    def prepare(self) -> None:
        """Make the tables and the first data."""
        first = self._place / "first.json"
        made = [{"model": f"pretixbase.{model}", "pk": 1, "fields": fields} for model, fields in _FIRST]
        first.write_text(json.dumps(made), encoding="utf-8")
        self._run("migrate")
        self._run("loaddata", str(first))

    def stock(self) -> None:
        """Make an event with an unlimited number of tickets."""
        events = f"http://{HOST}:{self._port}/api/v1/organizers/riverside/events/"
        event = {
            "name": {"en": "Yoga"},
            "slug": "yoga",
            "date_from": "2040-01-01T10:00:00Z",
            "currency": "GBP",
            "live": False,
            "testmode": False,
            "is_public": True,
            "timezone": "Europe/London",
        }
        self._post(events, event)
        ticket = self._post(
            f"{events}yoga/items/", {"name": {"en": "Place"}, "default_price": "12.00", "admission": True}
        )
        self._post(f"{events}yoga/quotas/", {"name": "Spaces", "size": None, "items": [ticket["id"]]})
        self._orders = f"{events}yoga/orders/"
        position = {"item": ticket["id"], "variation": None, "price": "12.00", "attendee_name": "Geoff Capes"}
        self._order = {
            "email": "geoff@example.com",
            "locale": "en",
            "sales_channel": "web",
            "positions": [{"positionid": number, **position} for number in range(1, ITEMS + 1)],
        }

    def rate(self) -> float:
        """Return the orders per second of the same number of callers."""
        end = time.perf_counter() + SECONDS
        with ThreadPoolExecutor(CALLERS) as callers:
            made = sum(callers.map(self._ordered_until, [end] * CALLERS))
        return made / SECONDS

    def _ordered_until(self, end: float) -> int:
        """Return the number of orders that one caller makes until the given time, one after the other."""
        made = 0
        with httpx2.Client(timeout=60, headers=_HEADERS) as caller:
            while time.perf_counter() < end:
                caller.post(self._orders, json=self._order).raise_for_status()
                made += time.perf_counter() < end
        return made

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        answer = httpx2.post(url, json=body, headers=_HEADERS, timeout=60)
        if answer.is_error:
            raise RuntimeError(answer.text)
        return answer.json()

    def _run(self, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / "python", "-m", "pretix", *arguments]
        subprocess.run(command, env=os.environ | self._environment, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print the ratio. The argument is the `bin` folder of a virtual environment with pretix."""
    with folder() as place, PostgresServer() as postgres:
        bench = PostgresBench(postgres, place)
        pretix = Pretix(Path(sys.argv[1]), postgres.bare_database(), place)
        pretix.prepare()
        with pretix.serving():
            pretix.stock()
            rounds = [(bench.served(OPPORTUNITIES).rate, pretix.rate()) for _ in range(ROUNDS)]
        tell_medians(f"B, {CALLERS} callers, to orders of pretix", rounds)


if __name__ == "__main__":
    main()
