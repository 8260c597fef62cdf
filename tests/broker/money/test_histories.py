"""Random histories of purchases under faults and crashes: after a recovery, money and Orders always agree."""

import uuid
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import integers, sampled_from

from openbooking.broker.money.news import note_order
from openbooking.broker.schema import prepare
from openbooking.broker.store.database import open_database
from openbooking.openactive.messages import PriceSpecification
from support.money.booking_system import Fault, order
from support.money.payments import PaymentFault
from support.money.world import Kind, Stop, World, fast_folder

OF_PROPOSALS = {Fault.OUTDATED, Fault.NOT_ALLOWED, Fault.REJECTED_BEFORE}
SYSTEM_FAULTS = [fault for fault in Fault if fault not in OF_PROPOSALS]


class Purchasing(RuleBasedStateMachine):
    """Baskets are booked, the process ends or steps fail anywhere, the Seller cancels, and recovery runs."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = fast_folder()
        location = str(Path(self._folder.name) / "broker.sqlite3")
        database = open_database(location)
        prepare(database)
        database.close()
        self.world = World(location)
        self.baskets = list[uuid.UUID]()

    def teardown(self) -> None:
        self.world.close()
        self._folder.cleanup()

    @rule()
    def begin(self) -> None:
        self.baskets.append(self.world.basket())

    @precondition(lambda self: self.baskets)
    @rule(number=integers(0, 9), step=integers(1, 40), kind=sampled_from([None, *Kind]))
    def book(self, number: int, step: int, kind: Kind | None) -> None:
        basket = self.baskets[number % len(self.baskets)]
        stop = Stop(step, kind) if kind else None
        with suppress(Exception):
            self.world.run(self.world.purchases.book(basket, order()), stop)

    @precondition(lambda self: self.baskets)
    @rule(number=integers(0, 9), step=integers(1, 5), kind=sampled_from([None, *Kind]))
    def begin_again(self, number: int, step: int, kind: Kind | None) -> None:
        stop = Stop(step, kind) if kind else None
        with suppress(Exception):
            basket = self.baskets[number % len(self.baskets)]
            self.baskets.append(self.world.run(self.world.purchases.order_to_quote(basket), stop))

    @rule(request=sampled_from(["B", "C2", "DELETE"]), fault=sampled_from(SYSTEM_FAULTS), times=integers(1, 4))
    def fail_requests(self, request: str, fault: Fault, times: int) -> None:
        self.world.system.faults[request] += [fault] * times

    @rule(
        hook=sampled_from(["authorise", "capture", "void", "refund"]),
        fault=sampled_from(list(PaymentFault)),
        times=integers(1, 3),
    )
    def fail_hooks(self, hook: str, fault: PaymentFault, times: int) -> None:
        self.world.provider.faults[hook] += [fault] * times

    @rule(step=integers(1, 30), kind=sampled_from(Kind))
    def recover_in_part(self, step: int, kind: Kind) -> None:
        with suppress(Exception):
            self.world.run(self.world.recovery.recover(), Stop(step, kind))

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(seconds=integers(1, 2000))
    def wait(self, seconds: int) -> None:
        self.world.time += seconds

    @precondition(lambda self: self.world.system.live)
    @rule(number=integers(0, 9), price=sampled_from(["0", "5.00", "12.00"]))
    def read_feed(self, number: int, price: str) -> None:
        live = sorted(self.world.system.live)
        with self.world.database.transaction() as transaction:
            total = PriceSpecification(price=price, price_currency="GBP" if float(price) else None)
            note_order(transaction, uuid.UUID(live[number % len(live)]), total)

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        assert self.world.provider.violations == []
        assert self.world.system.violations == []
        purchases = [key.partition("-")[0] for key in self.world.provider.having("captured")]
        assert len(purchases) == len(set(purchases))
        refunded = dict[str, float]()
        for name, charge in {charge.key: (name, charge) for name, charge in self.world.provider.calls}.values():
            if name == "refund" and charge.key in self.world.provider.refunds:
                refunded[charge.payment] = refunded.get(charge.payment, 0) + float(charge.amount)
        assert all(amount <= 12 for amount in refunded.values())

    @rule()
    def recover(self) -> None:
        self.world.heal()
        self.world.restart()
        self.world.recover()
        self.world.run(self.world.recovery.settle(refused_too=True))
        assert self.world.faults() == []
        assert self.world.run(self.world.recovery.unfinished()) == ()


Purchasing.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestPurchasing = Purchasing.TestCase
