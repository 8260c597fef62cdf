"""A database with bookings of two Sellers, which commands of the command line read and change."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.model.opportunity import AccessRules, Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import OrderRecord, Record
from openbooking.settings import Settings
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.system import open_identity_store, use_store
from openbooking.testing.samples import Clock
from support.builders import PRICE, UUID, book, item, propose, request, session
from support.identity_provider import grant, partner
from support.parties import BOB, CENTRE, CUSTOMER, MANAGER, STUDIO
from support.proposals import NEGOTIATED

Result = TypeVar("Result")

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
DAY = str(START.date())
BOBS, STUDIOS, PROPOSED = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
ORDER, OF_BOB, OF_STUDIO, PROPOSAL = f"alice/{UUID}", f"bob/{BOBS}", f"alice/{STUDIOS}", f"alice/{PROPOSED}"
FORMULA = '=HYPERLINK("https://evil.example.com")'


def at_start(key: str, days: int = 0, **changes: Any) -> list[Opportunity]:
    """Return a series with a session in two days, or some days later."""
    start = START + timedelta(days=days)
    return session(key, **{"start": start, "end": start + timedelta(hours=1), **changes})


YOGA = at_start("yoga", access=AccessRules(code=True))
LATER = at_start("later", 1)
TRIP = at_start("trip", capacity=1, offered={"flow": NEGOTIATED})
PILATES = at_start("pilates", seller=STUDIO)
YOGA_PATH, LATER_PATH, PILATES_PATH = (family[-1].path for family in (YOGA, LATER, PILATES))


def use(database: Path, work: Callable[[SqlStore], Awaitable[Result]], clock: Clock | None = None) -> Result:
    """Open the database, call a function with it, and return the result."""

    async def do() -> Result:
        async with use_store(Settings(database=str(database)), clock) as store:
            return await work(store)

    return asyncio.run(do())


def execute(database: Path, *commands: Command[Any], clock: Clock | None = None) -> None:
    """Execute commands in the database."""

    async def work(store: SqlStore) -> None:
        for command in commands:
            await store.execute(command)

    use(database, work, clock)


def order_of(family: list[Opportunity], spaces: int, **changes: Any) -> OrderRequest:
    """Return a request for some spaces at a session."""
    items = (item(family, position) for position in range(spaces))
    return request(*items, **{"total_payment_due": PRICE * spaces, **changes})


def fill(database: Path) -> None:
    """Make a database with Orders of Geoff, and one of a Customer whose name is a formula."""
    prepare(str(database))
    asyncio.run(_add_partners(database))
    named = {**CUSTOMER, "givenName": FORMULA, "familyName": "\x1b[2J"}
    execute(
        database,
        *(PublishSeller(seller, actor=MANAGER) for seller in (CENTRE, STUDIO)),
        *(Publish(tuple(family), actor=MANAGER) for family in (YOGA, LATER, TRIP, PILATES)),
        book(order_of(YOGA, 2)),
        book(order_of(YOGA, 1, customer=named), caller=BOB, uuid=BOBS),
        book(
            order_of(PILATES, 1, seller=STUDIO.key, seller_id=f"id:{STUDIO.key}", total_payment_due=PRICE * 6 / 5),
            uuid=STUDIOS,
        ),
    )
    # The hold of the proposal has ended before its lifetime.
    execute(database, propose(order_of(TRIP, 1), uuid=PROPOSED), clock=_clock_behind(timedelta(hours=25)))


def record_of(database: Path, reference: str = ORDER) -> Record:
    """Return the record of an Order."""
    found, uuid = reference.split("/")

    async def work(store: SqlStore) -> Record:
        for seller in (CENTRE, STUDIO):
            record = await store.views.of(seller.key).order(OrderKey(found, uuid))
            if record:
                return record
        raise AssertionError(reference)

    return use(database, work)


def order_record(database: Path, reference: str = ORDER) -> OrderRecord:
    """Return the record of a booked Order."""
    record = record_of(database, reference)
    assert isinstance(record, OrderRecord)
    return record


def statuses(database: Path, reference: str = ORDER) -> list[str]:
    """Return the statuses of the items of an Order, without the namespace."""
    return [state.status.rpartition("/")[2] for state in order_record(database, reference).states]


def propose_another(database: Path) -> None:
    """Let Bob propose an Order for the only space of the trip, too."""
    execute(database, propose(order_of(TRIP, 1), caller=BOB, uuid=PROPOSED))


def _clock_behind(by: timedelta) -> Clock:
    clock = Clock()
    clock.time = datetime.now(UTC) - by
    return clock


async def _add_partners(database: Path) -> None:
    store = open_identity_store(Settings(database=str(database)))
    keys = ("alice", "bob")
    await store.save(*map(partner, keys), *(grant(key, seller.key) for key in keys for seller in (CENTRE, STUDIO)))
    await store.close()
