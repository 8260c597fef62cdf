"""The stage on which histories take place: a few sessions, two Booking Partners, and what has happened so far."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from builders import NOW, item, offer, request, session
from openbooking.booking.book import Book
from openbooking.booking.command import Command
from openbooking.booking.delete import DeleteOrder
from openbooking.booking.opportunity import AccessRules, Opportunity
from openbooking.booking.order import Caller, OrderKey, OrderRequest, Record, RecordKind
from openbooking.booking.policy import Policy
from openbooking.booking.proposal import Propose
from openbooking.booking.publish import Publish
from openbooking.booking.seller import SellerCancel
from openbooking.booking.situation import Situation
from openbooking.booking.store import Outcome, fold
from openbooking.spec.terms import FlowRequirement
from people import ALICE, BOB
from promises import CANCELLED, counted, free, told

T = TypeVar("T")
Step = Command | timedelta

# Yoga and pilates are twins, swimming is cheaper and the gala dearer; the coach approves.
CAPACITIES = {"yoga": 2, "pilates": 1, "swim": 1, "gala": 1, "coach": 2}
PRICES = {key: Decimal(price) for key, price in {"yoga": 12, "pilates": 12, "swim": 8, "gala": 20, "coach": 12}.items()}
FLOWS = {"coach": (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION, FlowRequirement.MESSAGE_EXCHANGE)}
PATHS = {key: session(key)[-1].path for key in CAPACITIES}
CALLERS = {caller.partner: caller for caller in (ALICE, BOB)}
AHEAD = timedelta(days=100)


class Choose(Protocol):
    """Chance: one of these, whoever decides."""

    def __call__(self, options: Sequence[T], /) -> T:
        """Choose."""
        ...


class Moment(NamedTuple):
    """A step of a history: what was before, what came of it, and what it left."""

    before: Situation
    step: Step
    outcome: Outcome
    after: Situation


class History(NamedTuple):
    """What has happened, and how it ends: nobody has a place, all are asked for, and then more than all."""

    policy: Policy
    moments: list[Moment]
    ending: list[Moment]
    granted: list[Moment]
    refused: list[Moment]

    def __repr__(self) -> str:
        steps = "\n".join(f"  {number}: {moment.step}" for number, moment in enumerate(self.moments))
        return f"History with leasing {self.policy.leasing}:\n{steps}"


def stock(key: str, capacity: int, price: Decimal, now: datetime = NOW) -> tuple[Opportunity, ...]:
    """A SessionSeries and its ScheduledSession, still far ahead, which can be withdrawn without the others."""
    owner = f"session-series/series-{key}"
    priced = offer(owner, price=price, flow=FLOWS.get(key, ()))
    start = now + AHEAD
    family = session(key, capacity=capacity, offers=(priced,), start=start, end=start + timedelta(hours=1))
    return tuple(replace(member, source=key, access=AccessRules(code=True)) for member in family)


USUAL = {key: stock(key, CAPACITIES[key], PRICES[key]) for key in CAPACITIES}
KEYS = {path: key for key, path in PATHS.items()}


class Story:
    """A history while it is made up."""

    def __init__(self, choose: Choose, policy: Policy) -> None:
        self.choose = choose
        self.state = Situation(now=NOW, policy=policy)
        self.moments: list[Moment] = []

    def add(self, step: Step) -> Moment:
        """Let this happen."""
        before, outcome = self.state, None
        if isinstance(step, timedelta):
            self.state = replace(before, now=before.now + step)
            self.state = replace(self.state, places=counted(self.state))
        else:
            self.state, (outcome,) = fold(before, [step])
        self.moments.append(Moment(before, step, outcome, self.state))
        return self.moments[-1]

    def end(self) -> History:
        """All is cancelled or deleted, all holds end, and the usual sessions are on offer: who asks gets them."""
        moments = len(self.moments)
        orders = [record for record in self.state.records.values() if record.kind is RecordKind.ORDER]
        for record in orders[::2]:
            self.add(SellerCancel(order=record.key))
        for record in orders:
            if any(item.status not in CANCELLED for item in told(self.state.records[record.key]).values()):
                self.add(DeleteOrder(caller=CALLERS[record.partner], uuid=record.uuid))
        self.add(self.state.policy.proposal_duration)
        for key, capacity in CAPACITIES.items():
            self.add(Publish(stock(key, capacity, PRICES[key], self.state.now)))
        granted = [self.add(self.first(key, capacity)) for key, capacity in CAPACITIES.items()]
        refused = [self.add(self.first(key, 1)) for key in CAPACITIES]
        return History(self.state.policy, self.moments[:moments], self.moments[moments:], granted, refused)

    def first(self, key: str, places: int) -> Step:
        """B of so many places at a session, or P if it needs approval."""
        caller, uuid = self.fresh()
        asked = self.asked([key] * places)
        if key in FLOWS:
            return Propose(caller=caller, uuid=uuid, request=asked, version=self.version())
        return Book(caller=caller, uuid=uuid, request=asked, nonce="n")

    def fresh(self) -> tuple[Caller, str]:
        """A Booking Partner, and a UUID behind which it has nothing; others may have."""
        caller = self.choose([ALICE, ALICE, BOB])
        uuids = (f"00000000-0000-4000-8000-{number:012}" for number in count())
        return caller, next(uuid for uuid in uuids if OrderKey(caller.partner, uuid) not in self.state.records)

    def version(self) -> str:
        """A version that no proposal has yet."""
        return f"00000000-0000-4000-9000-{len(self.moments):012}"

    def key(self, among: Sequence[str] = tuple(CAPACITIES)) -> str:
        """One of these sessions, more often than not with a place left."""
        return self.choose([*among, *[key for key in among if free(self.state, PATHS[key]) > 0] * 3])

    def asked(self, keys: Sequence[str], own: Record | None = None) -> OrderRequest:
        """A request for places at these, at the prices there are now, or as a live quote has them."""
        prices = {}
        for key in keys:
            series = self.state.opportunities.get(USUAL[key][0].path, USUAL[key][0])
            prices[key] = series.offers[0].price
        if own and self.state.live(own):
            prices |= {KEYS[item.path]: item.price for item in told(own).values()}
        items = [item(list(USUAL[key]), position) for position, key in enumerate(keys)]
        return request(*items, total_payment_due=sum((prices[key] for key in keys), Decimal(0)))
