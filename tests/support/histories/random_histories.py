"""Random histories of a Booking System: Brokers, Sellers and time act on a few spaces that many want.

Each step is chosen from the state after the steps before it, so most commands find an Order, quote or proposal to which
they apply. Some commands find another record, and some are repeated.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish, PublishSeller
from openbooking.booking.commands.opportunities.republish import Republish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState, TakeOffSale
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder, DeleteQuote
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData, ErasePersonalData
from openbooking.booking.commands.orders.expire_leases import ExpireLeases
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal, WriteToCustomer
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.commands.orders.record_payment import RecordPayment
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import (
    Notify,
    RecordAttendance,
    RenewAccess,
    SellerCancel,
    UndoAttendance,
)
from openbooking.booking.commands.orders.update_proposal import UpdateProposal
from openbooking.booking.commands.orders.withhold import Withhold
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import MeansOfPayment, Partnership, Payment
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import OrderRecord, Record, RecordKind
from openbooking.booking.model.situation import Situation
from openbooking.booking.rules.orders.desk_account import due_at_desk
from openbooking.booking.rules.orders.dry_run import Checkpoint
from openbooking.booking.rules.orders.erasure import retention_start
from openbooking.openactive.terms import BrokerRole, OrderItemStatus, OrderProposalStatus
from support.builders import NOW
from support.histories.invariants import free, items_of
from support.histories.state import (
    AHEAD,
    CALLERS,
    CAPACITIES,
    FLOWS,
    KEYS,
    PATHS,
    PRICES,
    USUAL,
    History,
    Step,
    Story,
    stock,
)
from support.parties import CENTRE, CUSTOMER, MANAGER

Deed = Callable[[Story, Record], Step]


def some_keys(story: Story, *, approved: bool) -> list[str]:
    """Return one to three sessions, either all with approval or all without."""
    plain = [key for key in CAPACITIES if key not in FLOWS]
    return [story.key([*FLOWS] if approved else plain), *(story.key(plain) for _ in story.choose(["", "", "1", "12"]))]


def some_number(record: Record) -> list[int]:
    """Return the numbers of items of the record, or a number that it does not have."""
    return [*items_of(record)] or [1]


def quote(story: Story) -> Step:
    caller, uuid = story.fresh()
    keys = some_keys(story, approved=story.choose([False, False, True]))
    checkpoint = story.choose([Checkpoint.C1, Checkpoint.C2, Checkpoint.C2])
    return Quote(caller=caller, uuid=uuid, checkpoint=checkpoint, request=story.asked(keys))


def book(story: Story) -> Step:
    caller, uuid = story.fresh()
    return Book(caller=caller, uuid=uuid, request=story.asked(some_keys(story, approved=False)), nonce="n")


def book_at_desk(story: Story) -> Step:
    """Book at the front desk: also what Brokers must propose, without a Customer, and paid or not."""
    caller = CALLERS[DESK]
    payments = [None, *(Payment(name=name, identifier="till") for name in MeansOfPayment)]
    asked = replace(
        story.asked(some_keys(story, approved=story.choose([False, True]))),
        broker_role=BrokerRole.NO_BROKER,
        broker=None,
        customer=None,
        payment=story.choose(payments),
    )
    return BookAtDesk(caller=caller, uuid=story.fresh_uuid(caller), request=asked, nonce="n", actor=MANAGER)


def propose(story: Story) -> Step:
    caller, uuid = story.fresh()
    asked = story.asked(some_keys(story, approved=True))
    return Propose(caller=caller, uuid=uuid, request=asked, version=story.version())


def again(story: Story) -> Step:
    """Return an earlier command, recent or old."""
    steps = [moment.step for moment in story.moments if not isinstance(moment.step, timedelta)]
    return story.choose([*steps, *steps[-5:] * 3])


def publish(story: Story) -> Step:
    """Publish a session again, with more or fewer spaces, or another price."""
    key = story.wanted()
    capacity = CAPACITIES[key] + story.choose([0, 0, 0, 1, -1, -1, -CAPACITIES[key]])
    return Publish(stock(key, capacity, PRICES[key] + story.choose([0, 0, 0, 1, -4])), actor=MANAGER)


def bring_back(story: Story) -> Step:
    """Publish again what was withdrawn or cancelled; otherwise book."""
    on_offer = story.state.opportunities
    gone = [key for key, path in PATHS.items() if path not in on_offer or not on_offer[path].takes_place]
    return Publish(USUAL[story.choose(gone)], actor=MANAGER) if gone else book(story)


def set_sale_state(story: Story) -> Step:
    """Take a session or its series off sale, or put it on sale again."""
    off = [path for path, known in story.state.opportunities.items() if known.sale is not SaleState.ON_SALE]
    if off and story.choose(["on", "on", "on", "off"]) == "on":
        return SetSaleState(opportunity=story.choose(off), sale=SaleState.ON_SALE, actor=MANAGER)
    series, given = USUAL[story.wanted()]
    state = story.choose([SaleState.UNPUBLISHED, SaleState.UNPUBLISHED, SaleState.OVER])
    return SetSaleState(opportunity=story.choose([series.path, given.path]), sale=state, actor=MANAGER)


def republish(story: Story) -> Step:
    """Publish a session and its series unchanged; they may be withdrawn or off sale."""
    return Republish(frozenset(item.path for item in USUAL[story.wanted()]), actor=MANAGER)


def withdraw(story: Story) -> Step:
    return Withdraw(sources=frozenset({story.wanted()}), orders=story.choose([False, False, True]), actor=MANAGER)


def take_off_sale(story: Story) -> Step:
    return TakeOffSale(sources=frozenset({story.wanted()}), actor=MANAGER)


def call_off(story: Story) -> Step:
    return CancelOpportunity(opportunity=PATHS[story.wanted()], actor=MANAGER)


def change_logistics(story: Story) -> Step:
    series, given = USUAL[story.wanted()]
    if story.choose([True, False]):
        return ChangeLogistics(opportunity=series.path, name=f"Name {len(story.moments)}", actor=MANAGER)
    start = NOW + AHEAD + timedelta(hours=story.choose(range(3)))
    return ChangeLogistics(opportunity=given.path, start=start, end=start + timedelta(hours=2), actor=MANAGER)


def withhold(story: Story) -> Step:
    """Withhold the partner's Orders for a Seller, or show them again."""
    partner = story.choose([*CALLERS])
    withheld = any(record.withheld for record in story.state.records.values() if record.partner == partner)
    return Withhold(partnership=Partnership(partner, CENTRE.key), withheld=not withheld, actor=MANAGER)


def a_while(story: Story) -> Step:
    return timedelta(minutes=story.choose([1, 5, 15]))


def until_it_ends(story: Story, record: Record) -> Step:
    """Let time pass until a hold ends, or nearly ends."""
    left = (record.ends or story.state.now) - story.state.now
    return max(story.choose([left, left, left - timedelta(seconds=1)]), timedelta(minutes=1))


def sweep(story: Story, record: Record) -> Step:
    del story, record
    return ExpireLeases()


def be_quicker(story: Story, record: Record) -> Step:
    """Book or quote all free spaces of a session of this record."""
    key = story.choose([KEYS[item.path] for item in items_of(record).values()] or ["yoga"])
    places = max(free(story.state, PATHS[key]), 1)
    if story.choose([True, False]):
        return story.first(key, places)
    caller, uuid = story.fresh()
    return Quote(caller=caller, uuid=uuid, checkpoint=Checkpoint.C2, request=story.asked([key] * places))


def quote_anew(story: Story, record: Record) -> Step:
    keys = some_keys(story, approved=story.choose([False, False, True]))
    checkpoint = story.choose([Checkpoint.C1, Checkpoint.C2, Checkpoint.C2])
    caller, asked = CALLERS[record.partner], story.asked(keys, record)
    return Quote(caller=caller, uuid=record.uuid, checkpoint=checkpoint, request=asked)


def go_on(story: Story, record: Record) -> Step:
    """Return B of the quoted items, or P if they need approval."""
    keys = [KEYS[item.path] for item in items_of(record).values()] or ["yoga"]
    caller, asked = CALLERS[record.partner], story.asked(keys, record)
    if FLOWS.keys() & set(keys):
        return Propose(caller=caller, uuid=record.uuid, request=asked, version=story.version())
    return Book(caller=caller, uuid=record.uuid, request=asked, nonce="n")


def decide(story: Story, record: Record) -> Step:
    return DecideProposal(order=record.key, accept=story.choose([True, True, True, False]), actor=MANAGER)


def amend(story: Story, record: Record) -> Step:
    """Amend a proposal: another price, without an item, or with all items."""
    numbers = some_number(record)
    without = frozenset({story.choose(numbers)} if len(numbers) > 1 and story.choose([True, False]) else ())
    prices = {story.choose(numbers): Decimal(story.choose([0, 6, 10, 15]))} if story.choose([True, True, False]) else {}
    return AmendProposal(order=record.key, version=story.version(), without=without, prices=prices, actor=MANAGER)


def write_to_customer(story: Story, record: Record) -> Step:
    return WriteToCustomer(order=record.key, note=story.choose(["Sorry.", "Come."]), actor=MANAGER)


def update_proposal(story: Story, record: Record) -> Step:
    note, reject = story.choose([(None, True), ("Hello.", False), ("Please.", False)])
    return UpdateProposal(caller=CALLERS[record.partner], uuid=record.uuid, reject=reject, note=note)


def book_proposal(story: Story, record: Record) -> Step:
    """Book the current version of a proposal, rarely its first version."""
    versions = [proposal.version for proposal in (record.proposal, record.order and record.order.proposal) if proposal]
    version = story.choose([*versions[:1] * 9, *versions] or [None])
    payment = story.choose([None, Payment(identifier="payment-2")])
    return BookProposal(caller=CALLERS[record.partner], uuid=record.uuid, version=version, payment=payment, nonce="n")


def cancel(story: Story, record: Record) -> Step:
    numbers = some_number(record)
    chosen = story.choose([(story.choose(numbers),), tuple(numbers)])
    return Cancel(caller=CALLERS[record.partner], uuid=record.uuid, numbers=chosen)


def delete_order(story: Story, record: Record) -> Step:
    del story
    return DeleteOrder(caller=CALLERS[record.partner], uuid=record.uuid)


def delete_quote(story: Story, record: Record) -> Step:
    del story
    return DeleteQuote(caller=CALLERS[record.partner], uuid=record.uuid)


def erase(story: Story, record: Record) -> Step:
    """Erase the personal data of all Orders that are over when this Order is over."""
    return ErasePersonalData(over_before=retention_start(record) or story.state.now)


def erase_order(story: Story, record: Record) -> Step:
    """Erase the data of one person in one Order, which is refused while a booking of the person is ahead."""
    personal = record.order.personal if record.order else None
    people = (personal.customer, *personal.attendees.values()) if personal else ()
    contacts = sorted({str(person["email"]) for person in people if person and "email" in person})
    contact = story.choose([CUSTOMER["email"], *contacts])
    return EraseOrderData(orders=frozenset({record.key}), contact=contact, actor=MANAGER)


def look(story: Story, record: Record) -> Step:
    del story
    return GetOrder(caller=CALLERS[record.partner], uuid=record.uuid)


def replace_item(story: Story, record: Record) -> Step:
    series, given = USUAL[story.key()]
    number = story.choose(some_number(record))
    return Replace(
        order=record.key, number=number, opportunity=given.path, offer=series.offers[0].ref, nonce="r", actor=MANAGER
    )


def do_to_order(story: Story, record: Record) -> Step:
    """Return one of the Seller's small decisions about an Order."""
    numbers = story.choose([None, frozenset({story.choose(some_number(record))})])
    deeds: list[Step] = [
        RecordAttendance(order=record.key, numbers=numbers, attended=story.choose([True, False]), actor=MANAGER),
        Notify(order=record.key, numbers=numbers, notice=f"Notice {len(story.moments)}", actor=MANAGER),
        RenewAccess(order=record.key, numbers=numbers, nonce=f"m{len(story.moments)}", code=True, actor=MANAGER),
        SellerCancel(order=record.key, numbers=numbers, message="Ill.", actor=MANAGER),
    ]
    if any(state.status in (OrderItemStatus.ATTENDED, OrderItemStatus.ABSENT) for _, state in record.items()):
        deeds += [UndoAttendance(order=record.key, numbers=numbers, actor=MANAGER)] * 8
    due = due_at_desk(record) if isinstance(record, OrderRecord) else Decimal(0)
    if due:
        amount, means = story.choose([due, due, Decimal("0.01")]), story.choose([*MeansOfPayment])
        deeds += [RecordPayment(order=record.key, amount=amount, means=means, due=due, actor=MANAGER)] * 8
    return story.choose(deeds)


def is_quote(state: Situation, record: Record) -> bool:
    del state
    return record.kind is RecordKind.QUOTE


def is_proposal(state: Situation, record: Record) -> bool:
    del state
    return record.kind is RecordKind.PROPOSAL


def is_open(state: Situation, record: Record) -> bool:
    """Return whether the record is a proposal that can still be decided or booked."""
    del state
    statuses = (OrderProposalStatus.AWAITING, OrderProposalStatus.ACCEPTED)
    return record.kind is RecordKind.PROPOSAL and record.proposal is not None and record.proposal.status in statuses


def is_awaiting(state: Situation, record: Record) -> bool:
    return is_open(state, record) and not is_accepted(state, record)


def is_accepted(state: Situation, record: Record) -> bool:
    accepted = record.proposal is not None and record.proposal.status is OrderProposalStatus.ACCEPTED
    return is_open(state, record) and accepted


def is_standing(state: Situation, record: Record) -> bool:
    """Return whether the record is an Order with an item that can still be cancelled."""
    del state
    items = items_of(record).values()
    return record.kind is RecordKind.ORDER and any(item.status is OrderItemStatus.CONFIRMED for item in items)


def is_order(state: Situation, record: Record) -> bool:
    del state
    return record.kind is RecordKind.ORDER


def is_held(state: Situation, record: Record) -> bool:
    return record.ends is not None and record.ends > state.now


def has_ended(state: Situation, record: Record) -> bool:
    return record.ends is not None and record.ends <= state.now


def is_late_quote(state: Situation, record: Record) -> bool:
    return has_ended(state, record) and is_quote(state, record)


def is_late_proposal(state: Situation, record: Record) -> bool:
    return has_ended(state, record) and is_proposal(state, record)


def is_any(state: Situation, record: Record) -> bool:
    del state, record
    return True


# The weight of each step, if a record for it exists.
HAPPENINGS: list[tuple[int, Callable[[Story], Step]]] = [
    (8, quote),
    (5, book),
    (2, book_at_desk),
    (6, propose),
    (5, again),
    (4, publish),
    (8, bring_back),
    (2, set_sale_state),
    (1, republish),
    (2, withdraw),
    (1, take_off_sale),
    (1, call_off),
    (2, change_logistics),
    (1, withhold),
    (2, a_while),
]
DEEDS: list[tuple[int, Deed, Callable[[Situation, Record], bool]]] = [
    (6, until_it_ends, is_held),
    (2, sweep, has_ended),
    (12, be_quicker, has_ended),
    (2, quote_anew, is_quote),
    (10, go_on, is_quote),
    (8, go_on, is_late_quote),
    (3, delete_quote, is_quote),
    (12, decide, is_awaiting),
    (6, amend, is_open),
    (2, write_to_customer, is_open),
    (2, update_proposal, is_open),
    (8, until_it_ends, is_accepted),
    (10, book_proposal, is_accepted),
    (6, book_proposal, is_late_proposal),
    (3, book_proposal, is_proposal),
    (3, decide, is_proposal),
    (4, cancel, is_standing),
    (10, replace_item, is_standing),
    (8, do_to_order, is_standing),
    (3, delete_order, is_order),
    (1, erase, is_order),
    (2, erase_order, is_order),
    (1, look, is_any),
]


def next_step(story: Story) -> Step:
    """Return a possible step: usually for a suitable record, sometimes for any record."""
    records = list(story.state.records.values())
    anyhow = story.choose([False] * 14 + [True])
    offered: list[Callable[[], Step]] = []
    for weight, happening in HAPPENINGS:
        offered += [partial(happening, story)] * weight
    for weight, deed, suits in DEEDS:
        about = [record for record in records if anyhow or suits(story.state, record)]
        offered += [partial(_done, story, deed, about)] * (weight if about else 0)
    return story.choose(offered)()


def _done(story: Story, deed: Deed, about: Sequence[Record]) -> Step:
    return deed(story, story.choose(about))


def made_up(leasing: Leasing, dice: Sequence[int]) -> History:
    """Return the history that these random values produce. A value of 0 produces no step."""
    story = Story(Policy(leasing=leasing))
    story.add(PublishSeller(CENTRE, actor=MANAGER))
    for family in USUAL.values():
        story.add(Publish(family, actor=MANAGER))
    for thrown in filter(None, dice):
        story.throw(thrown)
        story.add(next_step(story))
    return story.end()


DICE = 2**16
histories = st.builds(made_up, st.sampled_from(Leasing), st.lists(st.integers(0, DICE), min_size=20, max_size=60))

# After a failure Hypothesis looks for a shorter history, for five minutes at most.
with_time_to_shrink = pytest.mark.timeout(400)
