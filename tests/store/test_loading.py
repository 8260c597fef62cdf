"""Publishing loads the Orders of Opportunities that it changes, and no other Orders."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.policy import Policy
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.store import Store
from openbooking.store.memory import MemoryStore
from openbooking.store.migrate import prepare
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import MANAGER, SELLER, Clock, book, fresh, session
from openbooking.testing.store_case import feed_writer
from support.databases import opened_stores

pytestmark = pytest.mark.anyio

YOGA, SPIN = session("yoga", 5), session("spin", 5)
SOURCE = "feed"


class LoadAnnounced(ActorCommand, frozen=True):
    """A command that records the situation which the store loads for announced Opportunities."""

    announced: tuple[Opportunity, ...]
    seen: list[Situation]

    def needs(self) -> Needs:
        return Needs(announced=self.announced)

    def decide(self, situation: Situation) -> Decision[None]:
        self.seen.append(situation)
        return Decision(reply=None)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    kind: str = request.param
    if kind == "memory":
        return lambda: MemoryStore(policy=Policy(), writer=feed_writer(), clock=Clock())
    if kind == "sqlite":
        database = str(tmp_path / "announced.sqlite3")
        prepare(database)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        database = server.new_database()
    return lambda: opened_stores.open_store(database)


def renamed(opportunity: Opportunity) -> Opportunity:
    return replace(opportunity, properties={**opportunity.properties, "name": "Tango"})


@pytest.mark.spec("OB-NOTIF-06")
async def test_only_orders_of_changed_opportunities_and_descendants_are_loaded(
    open_store: Callable[[], Store],
) -> None:
    store = open_store()
    try:
        await store.execute(PublishSeller(SELLER, actor=MANAGER))
        for family in (YOGA, SPIN):
            await store.execute(Publish(tuple(replace(member, source=SOURCE) for member in family), actor=MANAGER))
        yoga, spin = fresh(), fresh()
        await store.execute(book(yoga, "yoga"))
        await store.execute(book(spin, "spin"))
        series, one = YOGA
        later = replace(one, start=one.start and one.start.replace(hour=20), end=None)
        for announced, expected in (
            ((*YOGA, *SPIN), set()),
            ((series, replace(one, capacity=7), *SPIN), set()),
            ((replace(series, offers=()), one, *SPIN), {yoga}),
            ((renamed(series), one, *SPIN), {yoga}),
            ((series, later, *SPIN), {yoga}),
            ((renamed(series), later, renamed(SPIN[0])), {yoga, spin}),
            (session("new", 5), set()),
        ):
            seen: list[Situation] = []
            await store.execute(LoadAnnounced(announced, seen, actor=MANAGER))
            assert {key.uuid for key in seen[-1].records} == expected
        await store.execute(Withdraw(sources=frozenset({SOURCE}), actor=MANAGER))
        await store.execute(LoadAnnounced(YOGA, seen, actor=MANAGER))
        assert {key.uuid for key in seen[-1].records} == {yoga}
    finally:
        await store.close()
