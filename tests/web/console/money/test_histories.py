"""The CSV files of the money page equal, to the penny, a ledger of what the booking API has replied."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import StoreWithViews
from openbooking.openactive.errors import OpenBookingError
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import Availability, FlowRequirement
from openbooking.testing.postgres import PostgresServer
from support.builders import NOW, session
from support.console import signed_in
from support.histories.money_books import GROUPS, Books, check_books, check_months, check_takings
from support.histories.money_ledger import LONDON, Ledger, Payment
from support.http_system import World, open_world
from support.parties import CENTRE, CUSTOMER, MANAGER, STUDIO

pytestmark = pytest.mark.anyio

# How many histories one Booking System has. Each has days of its own.
BATCH = 20
MANAGERS = {CENTRE.key: "ann", STUDIO.key: "ben"}
PRICES = {"a": "12.00", "b": "7.35", "c": "9.99", "d": "0.00", "e": "23.05", "f": "0.01"}
TREATMENTS = {"b": VatTreatment.REDUCED, "c": VatTreatment.EXEMPT, "e": VatTreatment.ZERO_RATED}
NEGOTIATED = (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION)


def stock(seller: Seller) -> dict[str, list[Opportunity]]:
    """Return sessions at prices that leave pennies of tax, and one that needs approval."""
    begin = NOW + timedelta(days=5_000)
    common: dict[str, Any] = {"seller": seller, "capacity": 5_000, "start": begin, "end": begin + timedelta(hours=1)}
    found = {}
    for key, price in PRICES.items():
        offered = {"vat": TREATMENTS.get(key, VatTreatment.STANDARD)}
        found[key] = session(f"{seller.key}-{key}", price=Decimal(price), offered=offered, **common)
    at_the_venue = {"prepayment": Availability.UNAVAILABLE}
    found["door"] = session(f"{seller.key}-door", price=Decimal("5.55"), offered=at_the_venue, **common)
    found["trip"] = session(f"{seller.key}-trip", price=Decimal("40.10"), offered={"flow": NEGOTIATED}, **common)
    return found


class History:
    """One random history: a Broker and a Seller book, cancel, amend, replace and delete.

    After each step the ledger notes what the API says about the Order.
    """

    def __init__(self, world: World, seller: Seller, chance: random.Random) -> None:
        self.world, self.seller, self.chance = world, seller, chance
        self.stock = stock(seller)
        self.ledger = Ledger()

    async def run(self) -> None:
        """Do some steps, over hours and days."""
        await self.book()
        steps: Sequence[Callable[[], Any]] = (
            self.book,
            self.desk,
            self.pay_later,
            self.pay_later,
            self.propose,
            self.cancel,
            self.cancel,
            self.seller_cancel,
            self.seller_cancel,
            self.replace,
            self.replace,
            self.replace,
            self.replace_again,
            self.replace_again,
            self.delete,
        )
        count = self.chance.randint(2, 9)
        # One history in five goes on in the next month.
        pause = self.chance.randrange(5 * count)
        for number in range(count):
            self.world.pass_time(minutes=self.chance.choice([0, 1, 50, 700]), days=31 if number == pause else 0)
            await self.add_up()
            await self.chance.choice(steps)()

    async def add_up(self) -> None:
        """Add up the sales of the days that have ended, as the upkeep does."""
        assert isinstance(self.world.store, StoreWithViews)
        await self.world.store.views.add_up_past_days([self.seller.key])

    def uuid(self) -> str:
        """Return a new Order UUID."""
        number = f"{self.chance.getrandbits(128):032x}"
        return f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[20:]}"

    async def observe(self, partner: str, uuid: str) -> None:
        """Note in the ledger what the API says about an Order."""
        reply = await self.world.call("GET", f"orders/{uuid}", partner=partner)
        assert reply.status_code == 200
        self.ledger.observe(self.world.clock(), partner, uuid, reply.json())

    async def request(self, partner: str, uuid: str, keys: Sequence[str], **changes: Any) -> dict[str, Any]:
        """Return the body of B or P with the total that the quote has said."""
        items = [self.world.item(self.stock[key], position) for position, key in enumerate(keys)]
        quote = self.world.quote(*items, seller=self.seller.key, customer=CUSTOMER)
        reply = await self.world.call("PUT", f"order-quotes/{uuid}", quote, partner)
        assert reply.status_code == 200, reply.json()
        due = reply.json()["totalPaymentDue"]
        total = due["price"]
        if not total or due["openBookingPrepayment"].endswith("Unavailable"):
            changes["payment"] = None
        return self.world.order(*items, total=total, seller=self.seller.key, **changes)

    async def book(self) -> None:
        """Book one to four spaces, which are all paid in advance or all paid at the door."""
        partner, uuid = self.chance.choice(["alice", "bob"]), self.uuid()
        at_once = ["door"] if self.chance.random() < 0.2 else [*PRICES]
        keys = self.chance.choices(at_once, k=self.chance.randint(1, 4))
        body = await self.request(partner, uuid, keys)
        reply = await self.world.call("PUT", f"orders/{uuid}", body, partner)
        assert reply.status_code == 201, reply.json()
        await self.observe(partner, uuid)

    async def desk(self, *, may_pay: bool = True) -> str:
        """Book one to four spaces at the front desk; the API has quoted the same items. Return the UUID."""
        key, spaces = self.chance.choice([*PRICES, "door"]), self.chance.randint(1, 4)
        family = self.stock[key]
        items = [self.world.item(family, position) for position in range(spaces)]
        quote = self.world.quote(*items, seller=self.seller.key, customer=CUSTOMER)
        reply = await self.world.call("PUT", f"order-quotes/{self.uuid()}", quote)
        is_paid = may_pay and bool(reply.json()["totalPaymentDue"]["price"]) and self.chance.choice([True, False])
        visitor = await signed_in(self.world, MANAGERS[self.seller.key])
        path = f"/console/desk/book/{family[-1].path}"
        fields = {**(await visitor.open(path)).form(path).fields, "offer": f"{family[0].path} adult"}
        page = await visitor.post(path, {**fields, "spaces": str(spaces), "step": "total"})
        fields |= page.form(path).fields
        page = await visitor.post(path, {**fields, "step": "book", "payment": "card" if is_paid else "none"})
        assert page.status == 200, page.text
        self.ledger.book("@desk", fields["uuid"], self.world.clock(), reply.json(), is_paid=is_paid)
        return fields["uuid"]

    async def pay_later(self) -> None:
        """Book at the front desk, paid or not; then some payments are made and some items cancelled."""
        uuid = await self.desk(may_pay=self.chance.random() < 0.2)
        for _ in range(self.chance.randint(2, 6)):
            self.world.pass_time(minutes=self.chance.choice([1, 1500]))
            await self.chance.choice([self.pay_at_desk, self.pay_at_desk, self.cancel_at_desk])(uuid)

    async def pay_at_desk(self, uuid: str) -> None:
        """A Customer of the front desk pays a part of what is due, or all of it."""
        path = f"/console/desk/pay/{uuid}"
        visitor = await signed_in(self.world, MANAGERS[self.seller.key])
        page = await visitor.open(path)
        if path not in [form.action for form in page.forms]:
            return
        fields = page.form(path).fields
        due = Decimal(fields["due"])
        amount = self.chance.choice([due, max(due // 2, Decimal("0.01"))])
        means, text = self.chance.choice([("cash", "Cash"), ("card", "Card"), ("other", "Another way")])
        page = await visitor.post(path, {**fields, "amount": str(amount), "payment": means})
        assert page.status == 200, page.text
        account = self.ledger.accounts["@desk", uuid]
        account.payments.append(Payment(self.world.clock(), amount, text))

    async def cancel_at_desk(self, uuid: str) -> None:
        """The front desk cancels some items that it has booked."""
        numbers = self.some_numbers(("@desk", uuid))
        if numbers:
            chosen = frozenset(numbers)
            await self.world.store.execute(SellerCancel(order=OrderKey("@desk", uuid), numbers=chosen, actor=MANAGER))
            for number in numbers:
                self.ledger.accounts["@desk", uuid].items[number - 1].cancelled_at = self.world.clock()

    async def propose(self) -> None:
        """Propose two spaces; the Seller may amend the price or leave out one space; the Broker books."""
        partner, uuid, version = self.chance.choice(["alice", "bob"]), self.uuid(), self.uuid()
        body = await self.request(partner, uuid, ["trip", "trip"], **{"@type": "OrderProposal"})
        proposal = (await self.world.call("PUT", f"order-proposals/{uuid}", body, partner)).json()
        key, offered = OrderKey(partner, uuid), str(proposal["orderProposalVersion"])
        if self.chance.choice([True, False]):
            price = Decimal(self.chance.choice(["10.07", "38.00", "0.01"]))
            without = frozenset({2} if self.chance.choice([True, False]) else ())
            amend = AmendProposal(order=key, version=version, prices={1: price}, without=without, actor=MANAGER)
            await self.world.store.execute(amend)
            offered = offered.rpartition("/")[0] + f"/{version}"
        await self.world.store.execute(DecideProposal(order=key, accept=True, actor=MANAGER))
        self.world.pass_time(minutes=self.chance.choice([0, 300]))
        booking = {"@context": "https://openactive.io/", "@type": "Order", "orderProposalVersion": offered}
        reply = await self.world.call("PUT", f"orders/{uuid}", booking, partner)
        assert reply.status_code == 201, reply.json()
        await self.observe(partner, uuid)

    def some_order(self) -> tuple[str, str] | None:
        """Return the partner and the UUID of an Order that the API shows."""
        orders = [order for order in self.ledger.accounts if order[0] != "@desk"]
        return self.chance.choice(orders) if orders else None

    def some_numbers(self, order: tuple[str, str]) -> list[int]:
        """Return the numbers of some items of an Order that are not cancelled; the items are numbered from 1."""
        items = enumerate(self.ledger.accounts[order].items, 1)
        left = [number for number, item in items if not item.cancelled_at]
        return self.chance.sample(left, self.chance.randint(1, len(left))) if left else []

    async def cancel(self) -> None:
        """The Customer cancels some items."""
        order = self.some_order()
        if order is None or not (numbers := self.some_numbers(order)):
            return
        partner, uuid = order
        reply = (await self.world.call("GET", f"orders/{uuid}", partner=partner)).json()
        status = "https://openactive.io/CustomerCancelled"
        items = [
            {"@type": "OrderItem", "@id": reply["orderedItem"][number - 1]["@id"], "orderItemStatus": status}
            for number in numbers
        ]
        patch = {"@context": "https://openactive.io/", "@type": "Order", "orderedItem": items}
        assert (await self.world.call("PATCH", f"orders/{uuid}", patch, partner)).status_code == 204
        await self.observe(partner, uuid)

    async def seller_cancel(self) -> None:
        """The Seller cancels some items."""
        order = self.some_order()
        if order and (numbers := self.some_numbers(order)):
            await self._by_seller(
                order, SellerCancel(order=OrderKey(*order), numbers=frozenset(numbers), actor=MANAGER)
            )

    async def replace(self) -> None:
        """The Seller replaces an item; it is refused if the replacement costs more or is paid in another way."""
        order = self.some_order()
        if order and (numbers := self.some_numbers(order)):
            family = self.stock[self.chance.choice([*PRICES, "door"])]
            await self._replace(order, numbers[0], family)

    async def replace_again(self) -> None:
        """The Seller replaces an item, twice if possible, that was replaced before, by the next cheaper sessions."""
        found = [
            (order, number, item.current)
            for order, account in self.ledger.accounts.items()
            for number, item in enumerate(account.items, 1)
            if len(item.sold) > 1 and not item.cancelled_at and order[0] != "@desk"
        ]
        if found:
            order, number, sale = self.chance.choice(found)
            cheaper = [key for key, price in PRICES.items() if 0 < Decimal(price) < sale.price]
            for key in sorted(cheaper, key=lambda key: -Decimal(PRICES[key]))[: self.chance.randint(1, 2)]:
                await self._replace(order, number, self.stock[key])
                self.world.pass_time(minutes=self.chance.choice([0, 90]))

    async def _replace(self, order: tuple[str, str], number: int, family: list[Opportunity]) -> None:
        command = Replace(
            order=OrderKey(*order),
            number=number,
            opportunity=family[-1].path,
            offer=family[0].offers[0].ref,
            nonce="n",
            actor=MANAGER,
        )
        await self._by_seller(order, command)

    async def _by_seller(self, order: tuple[str, str], command: Any) -> None:
        try:
            await self.world.store.execute(command)
        except OpenBookingError:
            return
        await self.observe(*order)

    async def delete(self) -> None:
        """The Broker deletes an Order."""
        order = self.some_order()
        if order:
            partner, uuid = order
            assert (await self.world.call("DELETE", f"orders/{uuid}", partner=partner)).status_code == 204
            self.ledger.forget(*order)


async def compare(world: World, seeds: Sequence[int]) -> Counter[int]:
    """Let histories happen, each on days of its own, and compare the CSV files of these days with their ledgers.

    Return the numbers of items, by how often they were replaced.
    """
    replaced: Counter[int] = Counter()
    world.judged = False
    for seller in (CENTRE, STUDIO):
        for family in stock(seller).values():
            await world.store.execute(Publish(tuple(family), actor=MANAGER))
    for seed in seeds:
        chance = random.Random(seed)  # noqa: S311 - no secrets
        history = History(world, chance.choice([CENTRE, STUDIO]), chance)
        first = world.clock().astimezone(LONDON).date()
        await history.run()
        await history.add_up()
        last = world.clock().astimezone(LONDON).date()
        visitor = await signed_in(world, MANAGERS[history.seller.key])
        try:
            await check_books(Books(visitor, str(first), str(last)), history.ledger, [*GROUPS][seed % len(GROUPS)])
            await check_months(visitor, history.ledger, first, last)
            await check_takings(visitor, history.ledger)
        except AssertionError as fault:
            fault.add_note(f"in the history of the seed {seed}")
            raise
        replaced += history.ledger.replacements()
        world.pass_time(days=1)
    return replaced


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds of the histories."""
    return range(request.config.getoption("--histories"))


@pytest.mark.no_cover
@pytest.mark.timeout(3600)
async def test_the_csv_files_equal_the_ledger_to_the_penny(tmp_path: Path, seeds: range) -> None:
    replaced: Counter[int] = Counter()
    for begin in range(0, len(seeds), BATCH):
        async with open_world("memory", tmp_path) as world:
            replaced += await compare(world, seeds[begin : begin + BATCH])
    assert len(seeds) < 5 * BATCH or (replaced[2] and replaced[3]), "No item was replaced three times."


async def test_sqlite_has_the_same_csv_files(tmp_path: Path, seeds: range) -> None:
    async with open_world("sqlite", tmp_path) as world:
        await compare(world, seeds[: BATCH // 2])


async def test_postgresql_has_the_same_csv_files(tmp_path: Path, seeds: range, postgres: PostgresServer) -> None:
    async with open_world("postgresql", tmp_path, database=postgres.new_database()) as world:
        await compare(world, seeds[: BATCH // 2])
