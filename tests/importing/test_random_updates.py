"""Random updates of two providers, with a check that each Order keeps the booked Opportunity or is cancelled.

`make hostile` runs this test with 500 updates and 1,000 Orders on each database.
"""

import io
import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.harvest.documents import read_page
from openbooking.importing.page_sources import ReceivedPage
from openbooking.importing.report import Report
from openbooking.importing.run import ImportOptions, run_import
from openbooking.openactive.errors import OpenBookingError
from openbooking.store.sql import SqlStore
from openbooking.testing.postgres import PostgresServer
from support.http_system import World, open_world
from support.importing.broker import Broker
from support.importing.published_items import page
from support.importing.upstream import Fact, Row, Shown, Status, Upstream, Verdict
from support.importing.upstream_updates import Providers
from support.parties import CENTRE, MANAGER

pytestmark = pytest.mark.anyio
_log = logging.getLogger(__name__)

ORDERS_AN_UPDATE = 2
# Decisions of the Seller in this system, which the providers do not know.
BY_SELLER = ("unpublished", "published again", "cancelled by the Seller")


class History:
    """A history of updates, Seller decisions and bookings, with checks after each step."""

    def __init__(self, world: World, providers: Providers) -> None:
        self.world, self.providers, self.broker = world, providers, Broker(world)
        self.chance = providers.chance
        self.done: Counter[str] = Counter()
        self.versions: dict[str, set[Shown]] = defaultdict(set)
        # Things that only the id of a feed identified, and that once had another name and start than the booking.
        self.refused: set[str] = set()
        self._modified = 1

    async def run(self, updates: int) -> None:
        """Run a number of updates with bookings between them, and check every Order at the end."""
        await self.import_(self.providers.start(), complete=True)
        await self.check(complete=True)
        await self.book(updates // 2)
        while sum(self.done.values()) < updates:
            await self.update()
            if len(self.broker.booked) < ORDERS_AN_UPDATE * updates:
                await self.book(2)
        while len(self.broker.booked) < ORDERS_AN_UPDATE * updates:
            await self.book(1)
        await self.import_([], complete=True)
        await self.check(complete=True)
        facts = self.facts()
        for uuid in self.broker.booked:
            await self.check_order(uuid, facts, complete=True)
        off = [seen for token, seen in self.broker.last_seen.items() if token not in self.broker.offered()]
        for seen in off:
            assert await self.broker.quote(seen) != 200, f"{self.broker.tokens[seen.id]} can be booked"

    def summary(self) -> str:
        """Return the numbers of Orders and updates, for the log."""
        items = [item for items in self.broker.known.values() for item in items.values()]
        booked = [item for items in self.broker.booked.values() for item in items.values()]
        cancelled = sum(not item.confirmed for item in items)
        changed = sum(item.shown != was.shown for item, was in zip(items, booked, strict=True) if item.confirmed)
        updates = ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        return (
            f"{len(self.broker.booked)} Orders of {len(items)} items: {cancelled} cancelled, {changed} told of a "
            f"change, {len(items) - cancelled - changed} as booked; {sum(self.done.values())} updates: {updates}"
        )

    # Actions

    async def import_(self, rows: list[Row], *, complete: bool) -> None:
        """Import these items, or all items of both providers if `complete`."""
        self._modified += 1
        for row in rows:
            row.modified = self._modified
        for upstream in self.providers.both:
            some = [row for row in upstream.rows if complete or row in rows]
            if some:
                await self._import(upstream, some)
            upstream.learn()
            for token in upstream.known:
                self.versions[token].add(upstream.shown(token))
            for token, (thing, above) in upstream.known.items():
                if not thing.id and not above and self._is_booked_as_another(token, upstream.shown(token)):
                    self.refused |= {token, *upstream.below(token)}

    def _is_booked_as_another(self, token: str, shown: Shown) -> bool:
        id_ = self.broker.ids.get(token)
        booked = (item for items in self.broker.known.values() for item in items.values() if item.id == id_)
        return any(item.shown.name != shown.name and item.shown.start != shown.start for item in booked)

    async def _import(self, upstream: Upstream, rows: list[Row]) -> None:
        self.chance.shuffle(rows)
        items: list[Any] = [item for row in rows for item in upstream.published(row)]
        if self.chance.random() < 0.1:
            items = ["no JSON", *items]
        tried = await self._run(upstream, items, dry_run=True) if self.chance.random() < 0.2 else None
        lines = await self._run(upstream, items)
        assert tried is None or [line for line in tried if line not in lines] == []
        assert tried is None or [line for line in lines if line not in tried] == []

    async def _run(self, upstream: Upstream, items: list[Any], *, dry_run: bool = False) -> list[dict[str, Any]]:
        async def pages() -> AsyncIterator[ReceivedPage]:
            if items[0] == "no JSON":
                yield ReceivedPage("page of HTML", None, "it is no JSON")
            for number in range(items[0] == "no JSON", len(items), 50):
                yield ReceivedPage(f"page {number}", read_page(page(*items[number : number + 50])))

        written = io.BytesIO()
        options = ImportOptions(upstream.source, CENTRE.key, dry_run=dry_run)
        await run_import(self.world.store, pages(), Report(written), options)
        return [json.loads(line) for line in written.getvalue().splitlines()]

    async def update(self) -> None:
        """Make one random update, or one random decision of the Seller."""
        names = [*self.providers.updates, *BY_SELLER]
        name = self.chance.choice(names)
        if name in BY_SELLER:
            await self._act(name)
            return
        rows = self.providers.updates[name]()
        if not rows:
            return
        self.done[name] += 1
        complete = name != "the parent alone" and self.chance.random() < 0.4
        await self.import_(rows, complete=complete)
        await self.check(complete=complete)

    async def _act(self, name: str) -> None:
        upstream = self.chance.choice(self.providers.both)
        mine = sorted(token for token in self.broker.published() if token in upstream.known)
        if name == "published again":
            mine = sorted(upstream.unpublished)
        elif name == "unpublished" and len(upstream.unpublished) > 5:
            return
        if not mine:
            return
        token = self.chance.choice(mine)
        path = self.broker.ids[token].removeprefix(f"{self.world.ids.base_uri}/identifiers/")
        try:
            await self._execute(name, upstream, token, path)
        except OpenBookingError:
            assert name != "unpublished"
            return
        self.done[name] += 1
        await self.check(complete=False)

    async def _execute(self, name: str, upstream: Upstream, token: str, path: str) -> None:
        if name == "unpublished":
            state = SetSaleState(opportunity=path, sale=SaleState.UNPUBLISHED, actor=MANAGER)
            await self.world.store.execute(state)
            upstream.unpublished.add(token)
        elif name == "published again":
            state = SetSaleState(opportunity=path, sale=SaleState.ON_SALE, actor=MANAGER)
            await self.world.store.execute(state)
            upstream.unpublished.discard(token)
        else:
            await self.world.store.execute(CancelOpportunity(opportunity=path, actor=MANAGER))
            below = {token, *upstream.below(token)}
            seen = {token for token in below & self.broker.published() if upstream.known[token][0].bookable}
            upstream.cancelled_here |= seen
            upstream.perhaps_called_off |= below - seen
            upstream.ever_cancelled |= below

    async def book(self, orders: int) -> None:
        """Try to book a number of Orders with one to three spaces each."""
        for _ in range(orders):
            await self.broker.follow()
            offered = self.broker.offered()
            wanted = [self.chance.choice([*offered.values()]) for _ in range(self.chance.choice([1, 1, 2, 3]))]
            fits = all(seen.left >= wanted.count(seen) for seen in wanted)
            assert await self.broker.book(*wanted) == (201 if fits else 409)

    # Checks

    def facts(self) -> dict[str, Fact]:
        """Return the expected state of each thing that may be on sale."""
        facts = {token: fact for upstream in self.providers.both for token, fact in upstream.facts().items()}
        return {token: self._as_refused(fact) if token in self.refused else fact for token, fact in facts.items()}

    @staticmethod
    def _as_refused(fact: Fact) -> Fact:
        """Return a fact without certainty: refusals decide whether such a thing is on sale."""
        return fact._replace(verdict=min(fact.verdict, Verdict.MAYBE), clear=False)

    async def check(self, *, complete: bool) -> None:
        """Check the Opportunities on sale, the Orders that have news, and some other Orders."""
        told = await self.broker.follow()
        facts = self.facts()
        await self.check_sale(facts, complete=complete)
        others = self.chance.sample([*self.broker.booked], min(5, len(self.broker.booked)))
        for uuid in {*told, *others}:
            await self.check_order(uuid, facts, complete=complete)

    async def check_sale(self, facts: dict[str, Fact], *, complete: bool) -> None:
        """Check that only permitted things and spaces are on sale, and after a complete import all of them."""
        offered, confirmed = self.broker.offered(), self.broker.confirmed()
        assert len({seen.id for seen in offered.values()}) == len(offered)
        for token, seen in offered.items():
            fact = facts.get(token)
            assert fact, f"{token} is not there"
            assert fact.verdict is not Verdict.NO, f"{token} is sold"
            free = max(fact.left - confirmed.get(seen.id, 0), 0)
            assert seen.left == free if complete else seen.left <= free, f"{token}: {seen.left} of {free} left"
            assert not complete or seen.price == fact.price, f"{token} is sold at {seen.price}, not {fact.price}"
        if complete:
            for token, fact in facts.items():
                taken = confirmed.get(self.broker.ids.get(token, ""), 0)
                assert fact.verdict is not Verdict.YES or taken >= fact.left or token in offered, f"{token} is not sold"
        off = [seen for token, seen in self.broker.last_seen.items() if token not in offered]
        for seen in self.chance.sample(off, min(3, len(off))):
            assert await self.broker.quote(seen) != 200, f"{self.broker.tokens[seen.id]} can be booked"

    async def check_order(self, uuid: str, facts: dict[str, Fact], *, complete: bool) -> None:
        """Check that an Order is as its feed says, and still has the booked Opportunities."""
        now = await self.broker.status(uuid)
        assert now == self.broker.known[uuid], "its Broker was not told"
        for key, item in now.items():
            was = self.broker.booked[uuid][key]
            token = self.broker.tokens[was.id]
            upstream = next(one for one in self.providers.both if token in one.known)
            assert (item.id, item.price) == (was.id, was.price)
            assert item.shown in self.versions[token], f"{token} is shown as {item.shown}"
            assert item.confirmed or item.status.endswith("SellerCancelled")
            assert item.confirmed or token in upstream.ever_cancelled, f"{token} was not cancelled"
            fact = facts.get(token)
            if token in upstream.cancelled_here:
                assert not item.confirmed, f"the Seller has cancelled {token}"
            if complete and fact and fact.verdict is Verdict.YES and item.confirmed:
                assert item.shown == upstream.shown(token), f"{token} is shown as it was before"
            if complete and fact and fact.status is Status.CANCELLED and fact.clear:
                assert not item.confirmed, f"{token} is cancelled"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the kind that the parameter `kind` of the test names."""
    if request.getfixturevalue("kind") == "sqlite":
        return str(tmp_path / "histories.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.mark.spec("OB-ID-01", "OB-BKBL-28", "OB-NOTIF-06", "OB-OF-02")
@pytest.mark.no_cover
@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("sqlite", 2), ("postgres", 3)])
async def test_random_updates_keep_each_order_or_cancel_it_in_its_feed(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, kind: str, seed: int
) -> None:
    began = time.monotonic()
    async with open_world(kind, tmp_path, database=database) as world:
        world.judged = False
        history = History(world, Providers(seed, urls=bool(seed % 2)))
        await history.run(request.config.getoption("--updates"))
        assert isinstance(world.store, SqlStore)
        assert await world.store.check_integrity() == []
    _log.info("%s, seed %s: %s; %.0f s", kind, seed, history.summary(), time.monotonic() - began)
