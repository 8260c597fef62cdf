"""Feeds of a Booking System with up to millions of items, made on the fly, for the benchmark of harvests.

The items have the properties that real items have, as often as real items have them (`tests/support/importing`). Each
item is made of one of a few hundred templates and of its number, so that a process can tell what any item must be.
`provider_feeds.py PORT ITEMS PAGE_ITEMS KEEP` serves them.
"""

import json
import random
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.importing.item_shapes import usage

BASE = datetime(2027, 3, 1, tzinfo=UTC)
DAYS = 28
HOST = "127.0.0.1"
TEMPLATES = 300
ACTIVITIES = tuple(
    (f"https://openactive.io/activity-list#{number:08x}-0000-4000-8000-000000000000", label)
    for number, label in enumerate(
        [
            "Badminton",
            "Yoga",
            "Pilates",
            "Swimming",
            "Football",
            "Tennis",
            "Squash",
            "Netball",
            "Judo",
            "Boxing",
            "Climbing",
            "Cycling",
            "Running",
            "Rowing",
            "Zumba",
            "Basketball",
            "Archery",
            "Fencing",
            "Golf",
            "Hockey",
            "Karate",
            "Rugby",
            "Sailing",
            "Skating",
            "Walking",
            "Volleyball",
            "Cricket",
            "Athletics",
        ]
    )
)
TOWNS = ((51.51, -0.13), (52.48, -1.9), (53.48, -2.24), (55.86, -4.25), (51.45, -2.58), (54.97, -1.61), (51.75, -1.25))
_SITE = "https://provider.example.com/"
_SLOT_MINUTES = 30
_REQUIREMENTS = ("Approval", "AttendeeDetails")


class Feed(NamedTuple):
    """A feed: its name, its type, the type by which real items are counted, its parents, and its share of all items."""

    name: str
    type: str
    shaped_by: str
    parent: str
    parent_property: str
    share: float


FEEDS = {
    feed.name: feed
    for feed in (
        Feed("session-series", "SessionSeries", "Event", "", "", 0.03),
        Feed("facility-uses", "FacilityUse", "FacilityUse", "", "", 0.01),
        Feed("scheduled-sessions", "ScheduledSession", "Event", "session-series", "superEvent", 0.46),
        Feed("slots", "Slot", "Slot", "facility-uses", "facilityUse", 0.36),
        Feed("events", "Event", "Event", "", "", 0.14),
    )
}


def size(feed: str, items: int) -> int:
    """Return the number of items of a feed, of all feeds with this many."""
    return max(1, round(FEEDS[feed].share * items))


def item(feed: str, number: int, items: int) -> bytes:
    """Return an item as its feed publishes it."""
    made = FEEDS[feed]
    parts = _templates(feed)[number * 7919 % TEMPLATES]
    start = BASE + timedelta(minutes=_SLOT_MINUTES * (number * 48_271 % (DAYS * 48)))
    parent = f"{_SITE}{made.parent}/{number % size(made.parent, items)}" if made.parent else ""
    values = {
        "@N": str(number),
        "@S": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "@E": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "@P": parent,
        "@R": str(number % 12),
    }
    return "".join(values.get(part, part) for part in parts).encode()


def page(feed: str, after: int, items: int, page_items: int, site: str) -> bytes:
    """Return the page of a feed behind an item."""
    end = min(after + page_items, size(feed, items))
    made = b",".join(item(feed, number, items) for number in range(after, end))
    return b'{"items":[%s],"next":"%s/%s?afterChangeNumber=%d","license":"https://example.com/"}' % (
        made,
        site.encode(),
        feed.encode(),
        end,
    )


@cache
def _templates(feed: str) -> list[list[str]]:
    """Return templates, each as the texts and marks of which an item consists."""
    shares, _ = usage()
    chance = random.Random(feed)  # noqa: S311 - the same items again
    made = []
    for _ in range(TEMPLATES):
        data = _thing(FEEDS[feed], shares, chance)
        whole = {"state": "updated", "kind": FEEDS[feed].type, "id": "\0@N\0", "modified": "\0@N\0", "data": data}
        text = json.dumps(whole, ensure_ascii=False).replace(
            '"modified": "\\u0000@N\\u0000"', '"modified": \\u0000@N\\u0000'
        )
        text = text.replace('"\\u0000@R\\u0000"', "\\u0000@R\\u0000")
        made.append(text.split("\\u0000"))
    return made


def _thing(feed: Feed, shares: Mapping[str, Mapping[str, float]], chance: random.Random) -> dict[str, Any]:
    """Return the properties that a thing of a feed has, each with the share of real things that have it."""
    town = chance.choice(TOWNS)
    activity = chance.choice(ACTIVITIES)
    is_session, is_parent = feed.parent != "", feed.type in ("SessionSeries", "FacilityUse")
    values: dict[str, Any] = {
        "identifier": "\0@N\0",
        "name": f"{activity[1]} {chance.choice(('for all', 'beginners', 'evening', 'club'))} {chance.randrange(200)}",
        "description": "A description of what takes place, for whom, and what to bring. " * chance.randrange(1, 9),
        "url": f"{_SITE}book/{feed.name}/\0@N\0",
        "activity": [{"@type": "Concept", "@id": activity[0], "prefLabel": activity[1], "inScheme": "https://openactive.io/activity-list"}],
        "eventStatus": "https://schema.org/EventScheduled",
        "genderRestriction": "https://openactive.io/NoRestriction",
        "ageRange": {"@type": "QuantitativeValue", "minValue": 16},
        "category": ["Sport"],
        "maximumAttendeeCapacity": 20,
        "maximumUses": 12,
        "image": [{"@type": "ImageObject", "url": f"{_SITE}picture.jpg"}],
        "beta:formattedDescription": "<p>A description of what takes place.</p>",
        "alternateName": "Another name",
        "attendeeInstructions": "Please come ten minutes early.",
    }  # fmt: skip
    wanted = {name for name, share in shares.get(feed.shaped_by, {}).items() if chance.random() * 100 < share}
    thing: dict[str, Any] = {
        "@context": "https://openactive.io/",
        "@type": feed.type,
        "@id": f"{_SITE}{feed.name}/\0@N\0",
    }
    thing |= {name: value for name, value in values.items() if name in wanted}
    if not is_session:
        seller = chance.randrange(40)
        thing["name"], thing["activity"] = values["name"], values["activity"]
        thing["location"] = {
            "@type": "Place", "name": f"Centre {town[0]}", "@id": f"{_SITE}places/{chance.randrange(500)}",
            "address": {"@type": "PostalAddress", "streetAddress": "1 High Street", "addressLocality": "Testford",
                        "addressRegion": "Testshire", "postalCode": "TE5 7AB", "addressCountry": "GB"},
            "geo": {"@type": "GeoCoordinates", "latitude": round(town[0] + chance.gauss(0, 0.15), 5),
                    "longitude": round(town[1] + chance.gauss(0, 0.2), 5)},
        }  # fmt: skip
        thing["provider" if feed.type == "FacilityUse" else "organizer"] = {
            "@type": "Organization", "@id": f"{_SITE}sellers/{seller}", "name": f"Seller {seller}",
            "legalName": f"Seller {seller} Ltd", "taxMode": "https://openactive.io/TaxGross",
            "isOpenBookingAllowed": chance.randrange(5) > 0,
        }  # fmt: skip
    if not is_parent:
        thing |= {"startDate": "\0@S\0", "duration": "PT1H"} | ({"endDate": "\0@E\0"} if "endDate" in wanted else {})
        thing["remainingUses" if feed.type == "Slot" else "remainingAttendeeCapacity"] = "\0@R\0"
    if feed.parent:
        thing[feed.parent_property] = "\0@P\0"
    if feed.type not in {"ScheduledSession", "FacilityUse"}:
        thing["offers"] = [_offer(feed, number, shares["Offer"], chance) for number in range(chance.randrange(1, 4))]
    return thing


def _offer(feed: Feed, number: int, shares: Mapping[str, float], chance: random.Random) -> dict[str, Any]:
    values = {
        "name": chance.choice(("Adult", "Junior", "Member")),
        "description": "A price for those who book online.",
        "identifier": f"OFFER{number}",
        "allowCustomerCancellationFullRefund": True,
        "latestCancellationBeforeStartDate": "P1D",
        "openBookingInAdvance": "https://openactive.io/Optional",
        "validFromBeforeStartDate": chance.choice(("P7D", "P14D", "P30D")),
        "validThroughBeforeStartDate": "PT1H",
        "ageRestriction": {"@type": "QuantitativeValue", "minValue": 16},
        "openBookingFlowRequirement": [f"https://openactive.io/OpenBooking{chance.choice(_REQUIREMENTS)}"],
    }  # fmt: skip
    wanted = {name for name, share in shares.items() if chance.random() * 100 < share}
    made = {"@type": "Offer", "@id": f"{_SITE}{feed.name}/\0@N\0#offer{number}", "price": chance.randrange(0, 30) / 2}
    return made | {"priceCurrency": "GBP"} | {name: value for name, value in values.items() if name in wanted}


class _Served:
    """The pages that were served, and how often a page with items was served again."""

    def __init__(self) -> None:
        self.pages = self.again = 0
        self._seen: set[str] = set()

    def note(self, path: str, *, is_last: bool) -> None:
        self.pages += 1
        self.again += path in self._seen and not is_last
        self._seen.add(path)


def main(port: int, items: int, page_items: int, keep: int) -> None:
    """Serve the feeds, and the number of served pages at `/served`.

    Args:
        port: The port.
        items: The number of items of all feeds.
        page_items: The number of items of a page.
        keep: Whether pages are kept in memory once they are made; 1 or 0.
    """
    served = _Served()
    kept: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without Nagle's algorithm, which waits after the headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = kept.get(self.path) or self._made()
            if keep:
                kept[self.path] = body
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _made(self) -> bytes:
            asked = urlsplit(self.path)
            feed = asked.path.strip("/")
            if feed == "served":
                return json.dumps({"pages": served.pages, "again": served.again}).encode()
            after = int(parse_qs(asked.query).get("afterChangeNumber", ["0"])[0])
            served.note(self.path, is_last=after >= size(feed, items))
            return page(feed, after, items, page_items, f"http://{self.headers['Host']}")

        def log_message(self, *arguments: Any) -> None:
            pass

    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer((HOST, port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
