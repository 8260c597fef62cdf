"""The state of a random history while it is generated: sessions, two Booking Partners, and the steps so far."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count, cycle
from random import Random
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.opportunity import AccessRules, Opportunity, SaleState, Seller
from openbooking.booking.model.order import Caller, OrderKey, desk_caller
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import Record, RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.store import Outcome, fold
from openbooking.openactive.terms import FlowRequirement
from support.builders import NOW, item, offer, request, session
from support.histories.invariants import CANCELLED, counted, free, items_of
from support.parties import ALICE, BOB, CENTRE, MANAGER

T = TypeVar("T")
Step = Command[Any] | timedelta

# Yoga and pilates are twins, swimming is cheaper and the gala dearer; the coach approves.
CAPACITIES = {"yoga": 2, "pilates": 1, "swim": 1, "gala": 1, "coach": 2}
PRICES = {key: Decimal(price) for key, price in {"yoga": 12, "pilates": 12, "swim": 8, "gala": 20, "coach": 12}.items()}
FLOWS = {"coach": (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION, FlowRequirement.MESSAGE_EXCHANGE)}
PATHS = {key: session(key)[-1].path for key in CAPACITIES}
CALLERS = {caller.partner: caller for caller in (ALICE, BOB, desk_caller(CENTRE.key))}
AHEAD = timedelta(days=100)
# Those of the first, second, third … item of each request.
ATTENDEES: tuple[dict[str, str] | None, ...] = (
    None,
    {"@type": "Person", "givenName": "Sam", "familyName": "Smith", "email": "sam@example.com"},
    {"@type": "Person", "givenName": "Geoff", "familyName": "Smithson"},
)


class Moment(NamedTuple):
    """A step of a history: the situation before, the outcome, and the situation after."""

    before: Situation
    step: Step
    outcome: Outcome
    after: Situation


class History(NamedTuple):
    """The steps of a history, and its ending: all spaces are freed, all are booked, and then one booking too many."""

    policy: Policy
    moments: list[Moment]
    ending: list[Moment]
    granted: list[Moment]
    refused: list[Moment]

    def __repr__(self) -> str:
        return "\n  ".join(
            [f"History with leasing {self.policy.leasing}:", *(in_short(step) for _, step, *_ in self.moments)]
        )


def in_short(said: Any) -> str:
    """Return a short description of a step, for the message of a failed test."""
    match said:
        case Publish(opportunities=(series, given)):
            return f"Publish({given.path}, {given.capacity} places at {series.offers[0].price})"
        case OrderRequest(items=items, total_payment_due=total):
            return f"{[KEYS.get(item.opportunity or '') for item in items]} at {total}"
        case Caller(partner=name) | Seller(key=name):
            return name
        case Struct():
            fields = (f"{name}={in_short(getattr(said, name))}" for name in said.__struct_fields__)
            return f"{type(said).__name__}({', '.join(fields)})"
        case _:
            return str(said)


def stock(key: str, capacity: int, price: Decimal, now: datetime = NOW) -> tuple[Opportunity, ...]:
    """Return a SessionSeries and its ScheduledSession that can be withdrawn without the others."""
    owner = f"session-series/series-{key}"
    priced = offer(owner, price=price, flow=FLOWS.get(key, ()))
    start = now + AHEAD
    family = session(key, capacity=capacity, offers=(priced,), start=start, end=start + timedelta(hours=1))
    return tuple(replace(member, source=key, access=AccessRules(code=True)) for member in family)


USUAL = {key: stock(key, CAPACITIES[key], PRICES[key]) for key in CAPACITIES}
KEYS = {path: key for key, path in PATHS.items()}


class Story:
    """A history while it is generated."""

    def __init__(self, policy: Policy) -> None:
        self.throw(0)
        self.state = Situation(now=NOW, policy=policy, holdings={partner: {} for partner in CALLERS})
        self.moments: list[Moment] = []

    def throw(self, dice: int) -> None:
        """Make all further choices from these random values."""
        self._chance = Random(dice)  # noqa: S311 - a history is told again as it was

    def choose(self, options: Sequence[T]) -> T:
        """Return one of these."""
        return self._chance.choice(options)

    def add(self, step: Step) -> Moment:
        """Add a step: a command, or a time that passes."""
        before, outcome = self.state, None
        if isinstance(step, timedelta):
            self.state = replace(before, now=before.now + step)
            self.state = replace(self.state, spaces=counted(self.state))
        else:
            self.state, (outcome,) = fold(before, [step])
        self.moments.append(Moment(before, step, outcome, self.state))
        return self.moments[-1]

    def end(self) -> History:
        """Cancel or delete everything, let all holds end, and put the usual sessions on sale; then book all spaces."""
        moments = len(self.moments)
        orders = [record for record in self.state.records.values() if record.kind is RecordKind.ORDER]
        for record in orders[::2]:
            self.add(SellerCancel(order=record.key, actor=MANAGER))
        for record in orders:
            if any(item.status not in CANCELLED for item in items_of(self.state.records[record.key]).values()):
                self.add(DeleteOrder(caller=CALLERS[record.partner], uuid=record.uuid))
        self.add(self.state.policy.proposal_duration)
        for key, capacity in CAPACITIES.items():
            self.add(Publish(stock(key, capacity, PRICES[key], self.state.now), actor=MANAGER))
        for path, known in self.state.opportunities.items():
            if known.sale is not SaleState.ON_SALE:
                self.add(SetSaleState(opportunity=path, sale=SaleState.ON_SALE, actor=MANAGER))
        granted = [self.add(self.first(key, capacity)) for key, capacity in CAPACITIES.items()]
        for moment in granted:
            self.book_what_holds_nothing(moment.step)
        refused = [self.add(self.first(key, 1)) for key in CAPACITIES]
        return History(self.state.policy, self.moments[:moments], self.moments[moments:], granted, refused)

    def book_what_holds_nothing(self, proposed: Step) -> None:
        """Accept and book a proposal, if the policy gives proposals no spaces."""
        if isinstance(proposed, Propose) and self.state.policy.leasing is Leasing.OFF:
            self.add(DecideProposal(order=proposed.key, accept=True, actor=MANAGER))
            self.add(BookProposal(caller=proposed.caller, uuid=proposed.uuid, version=proposed.version, nonce="n"))

    def first(self, key: str, places: int) -> Step:
        """Return B of this number of spaces at a session, or P if the session needs approval."""
        caller, uuid = self.fresh()
        asked = self.asked([key] * places)
        if key in FLOWS:
            return Propose(caller=caller, uuid=uuid, request=asked, version=self.version())
        return Book(caller=caller, uuid=uuid, request=asked, nonce="n")

    def fresh(self) -> tuple[Caller, str]:
        """Return a Booking Partner and a UUID for which this partner has no record."""
        caller = self.choose([ALICE, ALICE, BOB])
        return caller, self.fresh_uuid(caller)

    def fresh_uuid(self, caller: Caller) -> str:
        """Return a UUID for which the caller has no record."""
        uuids = (f"00000000-0000-4000-8000-{number:012}" for number in count())
        return next(uuid for uuid in uuids if OrderKey(caller.partner, uuid) not in self.state.records)

    def version(self) -> str:
        """Return a version that no proposal has."""
        return f"00000000-0000-4000-9000-{len(self.moments):012}"

    def key(self, among: Sequence[str] = tuple(CAPACITIES)) -> str:
        """Return a session, most often one with a space left."""
        return self.choose([*among, *[key for key in among if free(self.state, PATHS[key]) > 0] * 3])

    def wanted(self) -> str:
        """Return a session, most often one with a space taken."""
        return self.choose([*CAPACITIES, *[key for key, path in PATHS.items() if path in counted(self.state)] * 3])

    def asked(self, keys: Sequence[str], own: Record | None = None) -> OrderRequest:
        """Return a request for spaces at these sessions: leased spaces at the prices of the quote, others at current
        prices.
        """
        leased: dict[str, list[Decimal]] = {}
        if own and self.state.holds_spaces(own):
            for held in items_of(own).values():
                leased.setdefault(KEYS[held.path], []).append(held.price)
        total = Decimal(0)
        for key in keys:
            series = self.state.opportunities.get(USUAL[key][0].path, USUAL[key][0])
            total += leased[key].pop(0) if leased.get(key) else series.offers[0].price
        people = cycle(ATTENDEES)
        items = [item(list(USUAL[key]), position, attendee=next(people)) for position, key in enumerate(keys)]
        return request(*items, total_payment_due=total)
