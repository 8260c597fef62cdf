"""A Booking System on a real socket, and Brokers with the blocking and the asynchronous client, called alike."""

import asyncio
import inspect
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import uvicorn

from openbooking.booking.model.opportunity import Opportunity
from openbooking.broker import (
    ApiKey,
    AsyncBroker,
    Basket,
    Broker,
    BrokerOptions,
    Charge,
    Choice,
    FixedHeaders,
    Flow,
    OpenIdClient,
    Organization,
)
from openbooking.broker.credentials import AnyAccess
from openbooking.web.app import Application
from support.http_system import World, open_world

Result = TypeVar("Result")

ORGANIZATION = Organization(name="MyFitnessApp", url="https://myfitnessapp.example.com")


class Served(NamedTuple):
    """A Booking System: its world, and the URL of its dataset site."""

    world: World
    site: str

    def choice(self, family: list[Opportunity]) -> Choice:
        """Return the choice of one space of an Opportunity."""
        item, ids = self.world.item(family), self.world.ids
        return Choice(item["orderedItem"], item["acceptedOffer"], ids.seller(family[-1].seller))


@asynccontextmanager
async def serving_world(store_kind: str, folder: Path, **changes: Any) -> AsyncIterator[Served]:
    """Serve a Booking System with data on a loopback address."""
    apps = list[Application]()

    def mount(app: Application) -> Application:
        apps.append(app)
        return app

    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with open_world(store_kind, folder, site_url=site, mount=mount, **changes) as world:
            # Requests to the socket are not seen by the judge of responses.
            world.judged = False
            # The first request starts a mounted application.
            assert (await world.client.get("/openactive")).status_code == 200
            server = uvicorn.Server(uvicorn.Config(apps[0], lifespan="off", log_config=None))
            running = asyncio.create_task(server._serve([listener]))
            try:
                yield Served(world, f"{site}/openactive")
            finally:
                server.should_exit = True
                await running


class Threaded:
    """A blocking client whose methods are called in a thread, so that tests await them like those of the other one."""

    def __init__(self, blocking: Broker | Basket) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._blocking, name)
        if not callable(value):
            return value

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await asyncio.to_thread(value, *args, **kwargs)
            return Threaded(result) if isinstance(result, Basket) else result

        if inspect.isgeneratorfunction(value):
            return lambda *args, **kwargs: _in_threads(value(*args, **kwargs))

        return call


async def _in_threads(values: Iterator[Any]) -> AsyncIterator[Any]:
    """Yield the values of an iterator, each taken in a thread."""
    end = object()
    while (value := await asyncio.to_thread(next, values, end)) is not end:
        yield value


class Till:
    """Hooks of payment that remember what was captured and not paid back, by Order UUID."""

    def __init__(self) -> None:
        self.authorised: dict[str, Decimal] = {}
        self.kept: dict[uuid.UUID, Decimal] = {}

    def authorise(self, charge: Charge) -> str:
        """Reserve an amount."""
        self.authorised[charge.payment] = charge.amount
        return f"payment {charge.payment}"

    def capture(self, charge: Charge) -> None:
        """Take an amount."""
        self.kept[charge.order] = self.authorised.pop(charge.payment)

    def void(self, charge: Charge) -> None:
        """Release an amount."""
        self.authorised.pop(charge.payment, None)

    def refund(self, charge: Charge) -> None:
        """Pay an amount back."""
        self.kept[charge.order] -= charge.amount


def open_broker(kind: str, served: Served, access: AnyAccess, location: str, **parts: Any) -> Any:
    """Return a Broker of this kind, with the methods of an `AsyncBroker`. The clock is that of the Booking System."""
    given = BrokerOptions(clock=served.world.clock)
    class_: Callable[..., Any] = AsyncBroker if kind == "asynchronous" else Broker
    broker = class_(served.site, access=access, database=location, organization=ORGANIZATION, options=given, **parts)
    return broker if kind == "asynchronous" else Threaded(broker)


async def carry_out(broker: Any, flow: Flow[Result]) -> Result:
    """Carry out a flow with the driver of a Broker."""
    if isinstance(broker, Threaded):
        return await asyncio.to_thread(broker._driver.run, flow)
    result: Result = await broker._driver.run(flow)
    return result


# The access of the partner alice, and the settings of the Booking System.
ACCESS: dict[str, tuple[AnyAccess, dict[str, str]]] = {
    "API key": (ApiKey("obk_alice"), {}),
    "headers": (
        FixedHeaders({"x-partner": "alice"}),
        {"access": "headers", "trusted_partner_header": "x-partner"},
    ),
    "OpenID": (OpenIdClient("alice", "obs_alice", "https://alice.example.com/cb"), {"access": "openid"}),
}
