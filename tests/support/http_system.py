"""A Booking System behind HTTP on each kind of store, with two Sellers, three partners and Opportunities to book."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.grant_terms import NO_TERMS
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.store import Store
from openbooking.booking.views import StoreWithViews
from openbooking.identity.store import IdentityStore
from openbooking.jsonld.write import Writer
from openbooking.jsonld.write_feed import JsonLdFeedWriter
from openbooking.openactive.ids import Identifiers, key_of
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.settings import AccessMode, Settings
from openbooking.store.identity.memory import MemoryIdentityStore
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.system import open_identity_store, open_store
from openbooking.testing.samples import Clock
from openbooking.web.app import Application, create_app
from openbooking.web.request import asks_for_html
from support.builders import NOW, course, event, headline_event, on_demand_event, session, slot
from support.identity_provider import grant, partner, signing_key, users
from support.message_judge import judge
from support.openapi.contract import contract_of, route_of
from support.parties import ALICE, BOB, BROKER, CENTRE, CHARLIE, CUSTOMER, MANAGER, STUDIO

SITE = "https://booking.example.com"
YOGA, COURT, HALL = session("yoga"), slot("court"), slot("hall", individual=False, capacity=5)
PILATES = session("pilates", seller=STUDIO)
RUN, FESTIVAL, TALK = event("run"), headline_event("festival"), event("talk", parent=headline_event("conference"))
COURSE, LESSON, VIDEO = course("course"), event("lesson", parent=course("lessons")), on_demand_event("video")
EVENTS = (RUN, FESTIVAL, TALK, COURSE, LESSON, VIDEO)


# Mounts the application in another application, and returns that.
Mount = Callable[[Application], ASGIApp]


class World:
    """The Booking System as a Broker sees it. `store` and `clock` are for changes that a Broker cannot make.

    If `judged` is true, OpenActive's validators check all responses at the end of the test.
    """

    judged = True

    def __init__(
        self, client: httpx2.AsyncClient, *, store: Store, identity: IdentityStore, clock: Clock, settings: Settings
    ) -> None:
        self.client, self.store, self.identity, self.settings = client, store, identity, settings
        self.clock = clock
        self.ids = Identifiers(settings.base_uri)

    @property
    def start(self) -> str:
        """The address of the page after sign-in: the console, or the partners if the store has no views."""
        return f"{SITE}/console" if isinstance(self.store, StoreWithViews) else f"{SITE}/partners"

    async def call(
        self, method: str, path: str, body: Any = None, partner: str = "alice", **headers: str
    ) -> httpx2.Response:
        """Send a request to the API with the credentials of a partner."""
        sent = {"Authorization": f"Bearer obk_{partner}", "Content-Type": BOOKING_MEDIA_TYPE, **headers}
        content = body if isinstance(body, bytes) else None
        json = None if isinstance(body, bytes) else body
        return await self.client.request(method, f"/api/{path}", content=content, json=json, headers=sent)

    def item(self, family: list[Opportunity], position: int = 0) -> dict[str, Any]:
        """Return an OrderItem of a request."""
        offer = next(offered for opportunity in reversed(family) for offered in opportunity.offers)
        return {
            "@type": "OrderItem",
            "position": position,
            "orderedItem": self.ids.opportunity(family[-1].path),
            "acceptedOffer": self.ids.offer(offer.ref),
        }

    def quote(self, *items: dict[str, Any], seller: str = CENTRE.key, **changes: Any) -> dict[str, Any]:
        """Return the body of C1, or of C2 if there is a customer."""
        made = {
            "@context": "https://openactive.io/",
            "@type": "OrderQuote",
            "brokerRole": "https://openactive.io/AgentBroker",
            "broker": BROKER,
            "seller": self.ids.seller(seller),
            "orderedItem": list(items),
            **changes,
        }
        return {name: value for name, value in made.items() if value is not None}

    def order(self, *items: dict[str, Any], total: float = 12, **changes: Any) -> dict[str, Any]:
        """Return the body of B."""
        return self.quote(
            *items,
            **{
                "@type": "Order",
                "customer": CUSTOMER,
                "totalPaymentDue": {"@type": "PriceSpecification", "price": total, "priceCurrency": "GBP"},
                "payment": {"@type": "Payment", "identifier": "payment-1"},
                **changes,
            },
        )

    async def read_feed(self, path: str, partner: str = "alice") -> dict[str, Any]:
        """Follow a feed to its end; return the last version of each item, by the last segment of its id."""
        return await Follower(self, path, partner).news()

    def pass_time(self, **duration: float) -> None:
        """Move the clock ahead."""
        self.clock.move(timedelta(**duration))


class Follower:
    """A follower of a feed."""

    def __init__(self, world: World, path: str, partner: str = "alice") -> None:
        self._world, self._partner = world, partner
        self._url = f"{SITE}{path}"

    async def news(self) -> dict[str, Any]:
        """Return the items that have changed since the last call, by the last segment of their ids."""
        found: dict[str, Any] = {}
        ends = 0
        # A reader may share a numbering of items that began before the last commit. The next reader has that item.
        while ends < 2:
            response = await self._world.client.get(self._url, headers={"Authorization": f"Bearer obk_{self._partner}"})
            page = response.json()
            if page["items"]:
                found |= {key_of(entry["id"]): entry for entry in page["items"]}
                self._url, ends = page["next"], 0
            else:
                assert page["next"] == self._url
                ends += 1
        return found


@asynccontextmanager
async def open_world(store_kind: str, folder: Path, **changes: Any) -> AsyncIterator[World]:
    """Open a Booking System with data on a store of this kind, with changed settings.

    `terms` are those of Alice's grant by the centre; the other grants have no terms. For PostgreSQL `database` is the
    URL. `mount` puts the application into another one. At the end all responses are judged.
    """
    clock = Clock()
    terms = changes.pop("terms", NO_TERMS)
    mount: Mount | None = changes.pop("mount", None)
    assert clock() == NOW
    in_folder = str(folder / "world.sqlite3")
    made = {"site_url": SITE, "database": in_folder, "sweep_seconds": 0.05, **changes}
    settings = Settings(**{**made, "access": AccessMode(made.get("access", AccessMode.API_KEY))})
    if store_kind == "memory":
        writer = JsonLdFeedWriter(Writer(Identifiers(settings.base_uri)))
        store: Store = (in_memory := MemoryStore(policy=settings.policy, writer=writer, clock=clock))
        identity: IdentityStore = MemoryIdentityStore(in_memory.activity)
    else:
        await asyncio.to_thread(prepare, settings.database)
        store, identity = open_store(settings, clock), open_identity_store(settings)
    for seller in (CENTRE, STUDIO):
        await store.execute(PublishSeller(seller, actor=MANAGER))
    for family in (YOGA, COURT, HALL, PILATES, *EVENTS):
        await store.execute(Publish(tuple(family), actor=MANAGER))
    for caller in (ALICE, BOB, CHARLIE):
        grants = (
            grant(caller.partner, seller, terms if (caller, seller) == (ALICE, CENTRE.key) else NO_TERMS)
            for seller in sorted(caller.sellers or ())
        )
        await identity.save(partner(caller.partner), *grants)
    await identity.save(signing_key(), *users())
    async with serving(settings, clock, store, identity, mount) as world:
        yield world


@asynccontextmanager
async def serving(
    settings: Settings, clock: Clock, store: Store, identity: IdentityStore, mount: Mount | None = None
) -> AsyncIterator[World]:
    """Open a Booking System over these stores and their data. At the end all responses are judged.

    The system is started as a server starts it; if `mount` puts it into another application, the first request starts
    it.
    """
    answers = list[httpx2.Response]()

    async def keep(answer: httpx2.Response) -> None:
        if world.judged:
            await answer.aread()
            answers.append(answer)

    app = create_app(settings, clock, store, identity)
    transport = httpx2.ASGITransport(mount(app) if mount else app)
    async with (
        _closed_afterwards(app) if mount else app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=settings.site, event_hooks={"response": [keep]}) as client,
    ):
        world = World(client, store=store, identity=identity, clock=clock, settings=settings)
        yield world
        routes = list(app.routes)
    assert not world.judged or [fault for answer in answers for fault in judge().faults(answer)] == []
    if world.judged:
        differences = _differences(answers, settings, routes)
        assert differences == [], "\n".join(differences)


def _differences(answers: list[httpx2.Response], settings: Settings, routes: list[BaseRoute]) -> list[str]:
    """Return what differs between the responses of programs and the OpenAPI document."""
    contract = contract_of(settings, routes)
    found: list[str] = []
    for answer in answers:
        route = route_of(answer, routes, settings)
        if route and not asks_for_html(Headers(raw=[(n.lower(), v) for n, v in answer.request.headers.raw])):
            request = f"{answer.request.method} {answer.request.url}"
            found += [f"{request}: {fault}" for fault in contract.faults(route, answer)]
    return found


@asynccontextmanager
async def _closed_afterwards(app: Application) -> AsyncIterator[None]:
    yield
    await app.close()
