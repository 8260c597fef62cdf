"""A simulation of systems that are too large for this machine: `make capacity`, two minutes.

The simulation has serving processes and a database that book as the real ones do: the waits of callers, batches, row
locks, shared writes to disk, and the numbering of feed items. No server is started. It first prints the simulation of
a small machine beside the measurements there, and then larger systems. Random numbers are seeded, so all runs print
the same.

The column `numbering` is the share of the time in which change numbers are given. `rows-awaited` is the share in which
the batch of a process waits for rows that another process has locked. `feed-behind` is how long changes wait for their
numbers (p99).

Not simulated: feed reads, C1, C2 and Leases, upkeep, checkpoints and vacuum, faults, and growth of the tables. An
Opportunity never becomes full.
"""

import random
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Sequence
from itertools import count, islice
from typing import Any, Self

import msgspec
import simpy
from msgspec.structs import replace

from booking import ITEMS, OPPORTUNITIES, WANTED
from callers import Waits
from openbooking.store.command_queue.queue import BATCH_SIZE_ALONE, BATCH_SIZE_SHARED
from openbooking.store.numbering import ITEMS_PER_TRANSACTION
from postgres import CALLERS, WORKERS

# All times are milliseconds. Processor times were measured on the machine of docs/explanation/performance.md. Batches
# of 1 to 64 bookings of three items, among 10,000 and among 10 Opportunities, separate the costs of a batch, of a
# booking and of an Opportunity. Bookings over HTTP gave the other costs.
# A serving process:
BEFORE, AFTER = 0.35, 0.13  # HTTP, reading the message; the answer, the log line: each booking
LOOK = 0.1  # identifying the caller: each booking, or all waiting ones of one Booking Partner
DECIDE, DECIDE_ROW = 0.19, 0.03  # deciding, making rows, sending them: each booking, each Opportunity
DRIVE = 0.8 / 5  # the driver and the event loop: each of five round trips
# The database:
FIND_CALLER = 0.1  # each look-up
STATEMENT = 0.5 / 5  # each of five round trips
WRITE = 0.1  # each booking
LOCK_ROW, READ_ROW, WRITE_ROW = 0.01, 0.015, 0.02  # each Opportunity; the sum is measured, the parts are estimates
NUMBER = 0.013  # each feed item: one for each booked Opportunity, until it is numbered
FLUSH = (1.0, 2.0)  # a write to disk on that machine; requests that arrive meanwhile share the next write
# A round trip between them, without the work: on one machine (measured), in one data centre (assumed).
SOCKET, NETWORK = 0.05, 0.3
# The load generators of `make bench`, each booking: wrk, and Python.
WRK, PACED = 0.05, 0.18

NUMBER_EVERY = 1000.0
SLICE = 2.0  # how long the kernel runs a process while others wait (assumed)
WARM_UP = 2000.0
# Of ten million Opportunities, the most wanted is in one of 180 Orders; one of the thousand most wanted is in every
# sixth.
SKEW = 0.7
# Measured by `make bench`: bookings per second, and the waits at half of that rate, p50 and p99.
MEASURED = {OPPORTUNITIES: (1242, 10.8, 78.0), WANTED: (1294, 7.1, 120.0)}
NATION = 10_000_000
OVERLOADED = 0.9

Work = Generator[simpy.Event, Any, None]
Demand = Callable[[], Sequence[int]]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated system and its load.

    The load is `rate` bookings per second, or the bookings of `callers` that never pause. There may be a `backlog` at
    the beginning. The load generator takes processor time, sends at regular intervals, and is one Booking Partner.
    """

    demand: Demand
    processes: int
    cores: int
    rate: float = 0
    callers: int = 0
    backlog: int = 0
    batch: int = BATCH_SIZE_SHARED
    seconds: float = 3
    one_machine: bool = False
    generator: float = 0


class Shared:
    """Work that is done in rounds, one after the other. A round serves all requests that were made before it began."""

    def __init__(self, env: simpy.Environment, do: Callable[[], Work]) -> None:
        self._env = env
        self._do = do
        self._turn = simpy.Resource(env)
        self._next: simpy.Process | None = None

    def done(self) -> simpy.Process:
        """Return the event of the next round's end."""
        self._next = self._next or self._env.process(self._run())
        return self._next

    def _run(self) -> Work:
        with self._turn.request() as turn:
            yield turn
            self._next = None
            yield from self._do()


class Database:
    """PostgreSQL: processors, disk, row locks, and the feed items that wait for their numbers."""

    def __init__(self, env: simpy.Environment, cores: int, chance: random.Random, spent: dict[str, float]) -> None:
        self.flush = Shared(env, self._flush)
        self.locked: dict[int, deque[simpy.Event]] = {}
        self.counter = simpy.Resource(env)
        self.pending: dict[int, float] = {}
        self.being_numbered: set[int] = set()
        self.numbered = env.event()
        self._env = env
        self._cores = simpy.Resource(env, cores)
        self._chance = chance
        self._spent = spent

    def work(self, left: float) -> Work:
        """Spend processor time."""
        self._spent["cores"] += left
        while left > 0:
            with self._cores.request() as turn:
                yield turn
                yield self._env.timeout(min(left, SLICE))
            left -= SLICE

    def lock(self, row: int) -> Work:
        """Lock a row, after all earlier requests for the row."""
        began = self._env.now
        if row in self.locked:
            turn = self._env.event()
            self.locked[row].append(turn)
            yield turn
        else:
            self.locked[row] = deque()
        self._spent["locks"] += self._env.now - began

    def commit(self, rows: Sequence[int]) -> Work:
        """Write to disk, release the rows, and let their feed items wait for their numbers."""
        yield self.flush.done()
        for row in rows:
            self.pending[row] = self.pending.pop(row, self._env.now)
            if self.locked[row]:
                self.locked[row].popleft().succeed()
            else:
                del self.locked[row]

    def choose(self) -> dict[int, float]:
        """Return the items to number next, and since when they wait. Items that are being changed are skipped."""
        free = (row for row in self.pending if row not in self.locked)
        chosen = {row: self.pending[row] for row in islice(free, ITEMS_PER_TRANSACTION)}
        for row in chosen:
            del self.pending[row]
        self.being_numbered = set(chosen)
        return chosen

    def end_numbering(self) -> Work:
        """Write to disk, and release these items."""
        yield self.flush.done()
        self.being_numbered = set()
        self.numbered.succeed()
        self.numbered = self._env.event()

    def _flush(self) -> Work:
        yield self._env.timeout(self._chance.uniform(*FLUSH))


class Server:
    """A serving process: one event loop, which writes one batch at a time."""

    def __init__(self, model: "Model") -> None:
        self._model = model
        self._env = model.env
        self._database = model.database
        self._spent = model.spent
        self._loop = simpy.Resource(model.env)
        self._waiting: list[tuple[Sequence[int], simpy.Event]] = []
        self._writing = False
        self._look = Shared(model.env, self._find_caller)
        model.env.process(self._tick())

    def book(self) -> Work:
        """Simulate one B, from the request to the answer."""
        began = self._env.now
        scenario = self._model.scenario
        if scenario.generator:
            yield from self._database.work(scenario.generator)
        yield from self._work(BEFORE)
        if scenario.generator:
            yield self._look.done()
        else:
            yield from self._find_caller()
        written = self._env.event()
        self._waiting.append((scenario.demand(), written))
        if not self._writing:
            self._env.process(self._write_waiting())
        yield written
        yield from self._work(AFTER)
        self._model.waits.append(self._env.now - began)

    def _work(self, took: float) -> Work:
        self._spent["serving"] += took
        with self._loop.request() as turn:
            yield turn
            if self._model.scenario.one_machine:
                yield from self._database.work(took)
            else:
                yield self._env.timeout(took)

    def _ask(self, cost: float = 0) -> Work:
        yield from self._work(DRIVE)
        yield self._env.timeout(self._model.network)
        yield from self._database.work(STATEMENT + cost)

    def _find_caller(self) -> Work:
        yield from self._work(LOOK)
        yield self._env.timeout(self._model.network)
        yield from self._database.work(FIND_CALLER)

    def _write_waiting(self) -> Work:
        self._writing = True
        most = self._model.scenario.batch
        while self._waiting:
            batch, self._waiting = self._waiting[:most], self._waiting[most:]
            yield from self._write([rows for rows, _ in batch])
            for _, written in batch:
                written.succeed()
        self._writing = False

    def _write(self, batch: Sequence[Sequence[int]]) -> Work:
        rows = sorted({row for wanted in batch for row in wanted})
        yield from self._ask()
        yield from self._ask(LOCK_ROW * len(rows))
        for row in rows:
            yield from self._database.lock(row)
        yield from self._ask(READ_ROW * len(rows))
        yield from self._work(DECIDE * len(batch) + DECIDE_ROW * len(rows))
        while not self._database.being_numbered.isdisjoint(rows):
            yield self._database.numbered
        yield from self._ask(WRITE * len(batch) + WRITE_ROW * len(rows))
        yield from self._ask()
        yield from self._database.commit(rows)
        self._spent["batches"] += 1

    def _tick(self) -> Work:
        yield self._env.timeout(self._model.chance.uniform(0, NUMBER_EVERY))
        while True:
            yield self._env.timeout(NUMBER_EVERY)
            given = ITEMS_PER_TRANSACTION
            while given == ITEMS_PER_TRANSACTION:
                yield from self._ask()
                with self._database.counter.request() as turn:
                    yield turn
                    given = yield from self._number()

    def _number(self) -> Generator[simpy.Event, Any, int]:
        began = self._env.now
        yield from self._ask()
        chosen = self._database.choose()
        yield from self._ask(NUMBER * len(chosen))
        yield from self._ask()
        yield from self._ask()
        yield from self._database.end_numbering()
        self._model.feed += [self._env.now - since for since in chosen.values()]
        self._spent["numbering"] += self._env.now - began
        return len(chosen)


class Model:
    """A running scenario. `spent` has the time of each activity in milliseconds, and the number of batches."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.env = simpy.Environment()
        self.chance = random.Random(1)  # noqa: S311 - the same each time
        self.network = SOCKET if scenario.one_machine else NETWORK
        self.spent: dict[str, float] = defaultdict(float)
        self.waits: list[float] = []
        self.feed: list[float] = []
        self.database = Database(self.env, scenario.cores, self.chance, self.spent)
        self.servers = [Server(self) for _ in range(scenario.processes)]
        if scenario.rate:
            self.env.process(self._arrive())
        for number in range(scenario.callers):
            self.env.process(self._call(self.servers[number % scenario.processes]))
        for number in range(scenario.backlog):
            self.env.process(self.servers[number % scenario.processes].book())

    def run(self) -> Self:
        """Run the warm-up and the measured time, and return this scenario."""
        self.env.run(until=WARM_UP)
        for seen in (self.spent, self.waits, self.feed):
            seen.clear()
        self.env.run(until=WARM_UP + self.scenario.seconds * 1000)
        return self

    @property
    def rate(self) -> float:
        """Return the bookings per second."""
        return len(self.waits) / self.scenario.seconds

    def busy(self, what: str, of: int = 1) -> float:
        """Return the share of the time that this many processes spent on an activity."""
        return self.spent[what] / (self.scenario.seconds * 1000 * of)

    def _arrive(self) -> Work:
        a_millisecond = self.scenario.rate / 1000
        while True:
            pause = 1 / a_millisecond if self.scenario.generator else self.chance.expovariate(a_millisecond)
            yield self.env.timeout(pause)
            self.env.process(self.chance.choice(self.servers).book())

    def _call(self, server: Server) -> Work:
        while True:
            yield from server.book()


def in_turn(among: int) -> Demand:
    """Return a demand for three Opportunities, different ones each time, as `make bench` books them."""
    following = count()
    return lambda: [next(following) % among for _ in range(ITEMS)]


def drawn(among: int, skew: float = SKEW, wanted: float = 0) -> Demand:
    """Return a demand for three Opportunities by Zipf's law, and for one more in the given share of Orders."""
    chance = random.Random(2)  # noqa: S311 - the same each time
    most = (among + 1) ** (1 - skew) - 1

    def draw() -> int:
        rank = int((1 + chance.random() * most) ** (1 / (1 - skew)))
        return rank * 7919 % among  # so that those who are wanted lie anywhere among the keys

    return lambda: [among // 2 if chance.random() < wanted else draw(), *(draw() for _ in range(ITEMS - 1))]


def validate() -> None:
    """Print the simulated figures beside the measured ones."""
    print(f"Two cores for {WORKERS} processes, the database and {CALLERS} callers: simulated (measured)")
    for among, (rate, half, most) in MEASURED.items():
        asked = Scenario(demand=in_turn(among), processes=WORKERS, cores=2, one_machine=True, seconds=10)
        closed = Model(replace(asked, callers=CALLERS, generator=WRK)).run()
        waits = waited(Model(replace(asked, rate=rate / 2, generator=PACED)).run().waits)
        print(
            f"  {among:>6,} Opportunities: {closed.rate:,.0f} bookings/s ({rate:,}); at {rate / 2:.0f}/s "
            f"p50 {waits[0]:.1f} ms ({half}), p99 {waits[1]:.1f} ms ({most:.0f})"
        )
    columns = f"{'p50':>6} {'p99 ms':>6}  batch serving database numbering rows-awaited feed-behind-ms"
    print(f"\n{'':<36} {'processes':>9} cores bookings/s {columns}")


def waited(times: Sequence[float]) -> tuple[float, float]:
    """Return the p50 and p99 of these waits."""
    waits = Waits(sorted(times))
    return waits.percentile(0.5), waits.percentile(0.99)


def tell(what: str, asked: Scenario) -> None:
    """Print the line of a scenario, without waits if they grow without limit."""
    found = Model(asked).run()
    grows = found.rate < OVERLOADED * asked.rate
    waits = ["grow" if grows else f"{wait:.0f}" for wait in waited(found.waits)]
    print(
        f"{what:<36} {asked.processes:>9} {asked.cores:>5} {found.rate:>10,.0f} {waits[0]:>6} {waits[1]:>6}"
        f" {len(found.waits) / found.spent['batches']:>6.1f} {found.busy('serving', asked.processes):>7.0%}"
        f" {found.busy('cores', asked.cores):>8.0%} {found.busy('numbering'):>9.0%}"
        f" {found.busy('locks', asked.processes):>12.0%} {waited(found.feed)[1]:>14,.0f}",
        flush=True,
    )


def main() -> None:
    """Print the tables."""
    validate()
    tell("a club", Scenario(demand=drawn(10_000), processes=1, cores=2, rate=10, seconds=60, one_machine=True))
    tell("a region", Scenario(demand=drawn(500_000), processes=2, cores=2, rate=500, seconds=10))
    nation = Scenario(demand=drawn(NATION), processes=10, cores=8)
    even, everybody = drawn(NATION, skew=0), drawn(NATION, wanted=1)
    for processes in (10, 15, 20):
        asked = replace(nation, processes=processes)
        full = replace(asked, callers=2 * BATCH_SIZE_ALONE * processes)
        tell("a nation, 5,000/s", replace(asked, rate=5_000))
        tell("twice that, 10,000/s", replace(asked, rate=10_000))
        tell("  the same, all wanted alike", replace(asked, rate=10_000, demand=even))
        tell("as many as it can, queues full", full)
        tell("  the same, all wanted alike", replace(full, demand=even))
        tell("  the same, all want one as well", replace(full, demand=everybody))
        tell(f"  the same, in batches of {BATCH_SIZE_ALONE}", replace(full, batch=BATCH_SIZE_ALONE))
    stopped = replace(nation, rate=5_000, backlog=5_000)
    tell("a nation, after one second's stop", stopped)
    tell(f"  the same, in batches of {BATCH_SIZE_ALONE}", replace(stopped, batch=BATCH_SIZE_ALONE))
    for share in (0.01, 0.02, 0.03, 0.05):
        wanted = drawn(NATION, wanted=share)
        tell(f"a nation, one is in {share:.0%} of Orders", replace(nation, rate=5_000, demand=wanted))
    large = replace(nation, rate=5_000, demand=drawn(NATION, wanted=0.05), batch=BATCH_SIZE_ALONE)
    tell(f"  the same, in batches of {BATCH_SIZE_ALONE}", large)


if __name__ == "__main__":
    main()
