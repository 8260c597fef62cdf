"""A Broker that does not know of imports. It remembers feed items, its bookings, and later changes of its Orders."""

from datetime import datetime
from typing import Any, NamedTuple

from openbooking.openactive.ids import key_of
from openbooking.openactive.opportunity_types import OpportunityType
from support.builders import new_uuid
from support.http_system import Follower, World
from support.importing.upstream import Json, Shown

FEEDS = sorted({type_.feed for type_ in OpportunityType})
_PARENTS = ("superEvent", "facilityUse", "aggregateFacilityUse")
_PREFIX = "token "


class Seen(NamedTuple):
    """A thing in an open feed: its `@id`, and its spaces and price now."""

    id: str
    left: int
    price: float
    offer: str


class Item(NamedTuple):
    """A booked OrderItem as an Order shows it."""

    status: str
    id: str
    shown: Shown
    price: float

    @property
    def confirmed(self) -> bool:
        return self.status.endswith("OrderItemConfirmed")


class Broker:
    """One Broker. For each Order it keeps the reply to B, updated by the Orders feed alone."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = {feed: Follower(world, f"/feeds/{feed}") for feed in FEEDS}
        self._orders = Follower(world, "/api/orders-rpde")
        self._data: dict[str, Json] = {}
        # The token of each `@id` seen so far, the `@id` of each token, and the last offer of each token.
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.last_seen: dict[str, Seen] = {}
        self.booked: dict[str, dict[str, Item]] = {}
        self.known: dict[str, dict[str, Item]] = {}

    async def follow(self) -> set[str]:
        """Read all new items of the feeds; return the Orders that the Orders feed has changed."""
        for follower in self._open.values():
            for key, entry in (await _all_news(follower)).items():
                self._take(key, entry)
        news = await _all_news(self._orders)
        for uuid, entry in news.items():
            self._hear(uuid, entry["data"]["orderedItem"])
        return set(news)

    def _take(self, key: str, entry: Json) -> None:
        data = entry.get("data", {})
        if entry["state"] == "deleted":
            self._data.pop(key, None)
        elif str(data.get("description")).startswith(_PREFIX):
            self._data[key] = data
            token = data["description"].removeprefix(_PREFIX)
            assert self.tokens.setdefault(data["@id"], token) == token, f"{data['@id']} was another thing"
            assert self.ids.setdefault(token, data["@id"]) == data["@id"], f"{token} has another @id"

    def _hear(self, uuid: str, items: list[Json]) -> None:
        for told in items:
            known = self.known[uuid][told["@id"]]._replace(status=told["orderItemStatus"])
            if isinstance(told["orderedItem"], dict) and "startDate" in told["orderedItem"]:
                known = known._replace(shown=_shown(told["orderedItem"]), id=told["orderedItem"]["@id"])
            self.known[uuid][told["@id"]] = known

    def published(self) -> set[str]:
        """Return the tokens of all things in the open feeds, including parents."""
        return {data["description"].removeprefix(_PREFIX) for data in self._data.values()}

    def offered(self) -> dict[str, Seen]:
        """Return the things that can be booked now, by token."""
        found: dict[str, Seen] = {}
        for data in self._data.values():
            offers = data.get("offers") or self._offers_above(data)
            left = data.get("remainingAttendeeCapacity", data.get("remainingUses", 0))
            if offers and left and not str(data.get("eventStatus")).endswith(("Cancelled", "Postponed")):
                token = data["description"].removeprefix(_PREFIX)
                found[token] = Seen(data["@id"], left, offers[0]["price"], offers[0]["@id"])
        self.last_seen |= found
        return found

    def _offers_above(self, data: Json) -> list[Json]:
        above = data.get("superEvent")
        found: list[Json] = self._data.get(key_of(above), {}).get("offers", []) if isinstance(above, str) else []
        return found

    async def book(self, *wanted: Seen) -> int:
        """Send B of one space at each thing; return the status of the response."""
        uuid, total = new_uuid(), sum(seen.price for seen in wanted)
        answer = await self._world.call("PUT", f"orders/{uuid}", self._world.order(*_items(wanted), total=total))
        if answer.status_code == 201:
            items = {item["@id"]: _item(item) for item in answer.json()["orderedItem"]}
            self.booked[uuid], self.known[uuid] = items, dict(items)
        return answer.status_code

    async def quote(self, seen: Seen) -> int:
        """Send C1 of one space; return the status of the response."""
        quote = self._world.quote(*_items([seen]))
        return (await self._world.call("PUT", f"order-quote-templates/{new_uuid()}", quote)).status_code

    async def status(self, uuid: str) -> dict[str, Item]:
        """Return the items of an Order by `@id`, as Order Status shows them."""
        answer = await self._world.call("GET", f"orders/{uuid}")
        assert answer.status_code == 200, answer.text
        return {item["@id"]: _item(item) for item in answer.json()["orderedItem"]}

    def confirmed(self) -> dict[str, int]:
        """Return the number of booked spaces that are not cancelled, by the `@id` of the thing."""
        found: dict[str, int] = {}
        for items in self.known.values():
            for item in items.values():
                found[item.id] = found.get(item.id, 0) + item.confirmed
        return found


async def _all_news(follower: Follower) -> dict[str, Any]:
    """Return all items that had changed before the call. A page may miss the last of them while numbers are being
    given.
    """
    return await follower.news() | await follower.news()


def _items(wanted: Any) -> list[Json]:
    return [
        {"@type": "OrderItem", "position": position, "orderedItem": seen.id, "acceptedOffer": seen.offer}
        for position, seen in enumerate(wanted)
    ]


def _item(item: Json) -> Item:
    thing = item["orderedItem"]
    return Item(item["orderItemStatus"], thing["@id"], _shown(thing), item["acceptedOffer"]["price"])


def _shown(thing: Json) -> Shown:
    above = next((thing[name] for name in _PARENTS if isinstance(thing.get(name), dict)), None)
    parent = _shown(above) if above else Shown("", "", None, None)
    return Shown(
        thing.get("name") or parent.name,
        thing.get("location", {}).get("name") or parent.place,
        _time(thing.get("startDate")),
        _time(thing.get("endDate")),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
