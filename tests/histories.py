"""Random histories of a Booking System: what Brokers, Sellers and time do to a few places that many want."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from builders import item, offer, request, session
from openbooking.booking.approval import AmendProposal, DecideProposal
from openbooking.booking.book import Book
from openbooking.booking.cancel import Cancel
from openbooking.booking.command import Command
from openbooking.booking.delete import DeleteOrder, DeleteQuote
from openbooking.booking.dry_run import Checkpoint
from openbooking.booking.leases import ExpireLeases
from openbooking.booking.opportunity import Opportunity
from openbooking.booking.order import Caller, OrderKey, OrderRequest, Partnership, Payment
from openbooking.booking.partnership import Withhold
from openbooking.booking.proposal import BookProposal, Propose, UpdateProposal
from openbooking.booking.publish import Publish, Withdraw
from openbooking.booking.quote import Quote
from openbooking.booking.replacement import Replace
from openbooking.booking.seller import CancelOpportunity, Notify, RecordAttendance, RenewAccess, SellerCancel
from openbooking.booking.status import GetOrder
from openbooking.spec.terms import FlowRequirement
from people import ALICE, BOB, CENTRE

Step = Command | timedelta

SOURCE = "history"
CAPACITIES = {"yoga": 2, "coach": 2, "swim": 1}
# Publishing anew gives a session at most this many places more.
MORE = 1
_PRICES = {"yoga": Decimal("12.00"), "coach": Decimal("12.00"), "swim": Decimal("8.00")}
_FLOWS = {"coach": (FlowRequirement.APPROVAL, FlowRequirement.NEGOTIATION)}
_UUIDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(2)]
_VERSIONS = [f"00000000-0000-4000-9000-00000000000{number}" for number in range(2)]


def stock(key: str, more: int = 0) -> list[Opportunity]:
    """A SessionSeries and its ScheduledSession, with so many places more than usual."""
    series = f"session-series/series-{key}"
    priced = offer(series, price=_PRICES[key], flow=_FLOWS.get(key, ()))
    family = session(key, capacity=CAPACITIES[key] + more, offers=(priced,))
    return [replace(opportunity, source=SOURCE) for opportunity in family]


def _asked(keys: list[str]) -> OrderRequest:
    items = [item(stock(key), position) for position, key in enumerate(keys)]
    return request(*items, total_payment_due=sum((_PRICES[key] for key in keys), Decimal(0)))


_keys = st.sampled_from(sorted(CAPACITIES))
_plain = st.lists(st.sampled_from(["yoga", "swim"]), min_size=1, max_size=3).map(_asked)
_approved = st.sampled_from([["coach"], ["coach", "coach"], ["coach", "yoga"]]).map(_asked)
_callers, _uuids, _versions = st.sampled_from([ALICE, ALICE, BOB]), st.sampled_from(_UUIDS), st.sampled_from(_VERSIONS)
_who: dict[str, Any] = {"caller": _callers, "uuid": _uuids}
_orders = st.builds(lambda caller, uuid: OrderKey(caller.partner, uuid), _callers, _uuids)
_partnerships = st.builds(lambda caller: Partnership(caller.partner, CENTRE.key), _callers)
_numbers = st.sampled_from([1, 1, 2, 3])
_some = st.one_of(st.none(), st.frozensets(_numbers, min_size=1))
_payments = st.one_of(st.none(), st.just(Payment(identifier="payment-2")))


def _replacement(order: OrderKey, number: int, key: str) -> Replace:
    series, given = stock(key)
    return Replace(order=order, number=number, opportunity=given.path, offer=series.offers[0].ref, nonce="n")


_quotes = st.builds(
    Quote, checkpoint=st.sampled_from([Checkpoint.C1, Checkpoint.C2]), request=st.one_of(_plain, _approved), **_who
)
_bookings = st.builds(Book, request=_plain, nonce=st.just("n"), **_who)
_proposals = st.builds(Propose, request=_approved, version=_versions, **_who)
_approvals = st.builds(DecideProposal, order=_orders, accept=st.sampled_from([True, True, False]))
_bookings_of_proposals = st.builds(BookProposal, version=_versions, payment=_payments, nonce=st.just("n"), **_who)
_brokers = st.one_of(
    st.builds(UpdateProposal, reject=st.booleans(), note=st.sampled_from([None, "Hello."]), **_who),
    st.builds(Cancel, numbers=st.lists(_numbers, min_size=1, max_size=2).map(tuple), **_who),
    st.builds(DeleteOrder, **_who),
    st.builds(DeleteQuote, **_who),
    st.builds(GetOrder, **_who),
)
_sellers = st.one_of(
    st.builds(AmendProposal, order=_orders, version=_versions, without=st.frozensets(_numbers, max_size=1)),
    st.builds(SellerCancel, order=_orders, numbers=_some, message=st.sampled_from([None, "Ill."])),
    st.builds(_replacement, _orders, _numbers, _keys),
    st.builds(RecordAttendance, order=_orders, numbers=_some, attended=st.booleans()),
    st.builds(Notify, order=_orders, notice=st.just("Come early.")),
    st.builds(Withhold, partnership=_partnerships, withheld=st.booleans()),
    st.builds(RenewAccess, order=_orders, nonce=st.just("m"), code=st.just(value=True)),
)
_publishing = st.one_of(
    st.builds(lambda key: CancelOpportunity(opportunity=stock(key)[-1].path), _keys),
    st.builds(lambda key, more: Publish(tuple(stock(key, more))), _keys, st.integers(0, MORE)),
    st.just(Withdraw(sources=frozenset({SOURCE}))),
)
_time = st.one_of(st.just(ExpireLeases()), st.sampled_from([timedelta(minutes=5), timedelta(minutes=15)]))
_single = st.one_of(_quotes, _bookings, _proposals, _approvals, _bookings_of_proposals, _brokers, _sellers, _time)


def _approved_booking(caller: Caller, uuid: str, asked: OrderRequest, version: str) -> list[Step]:
    """P, the Seller's approval and B, which chance alone would seldom put in this order."""
    return [
        Propose(caller=caller, uuid=uuid, request=asked, version=version),
        DecideProposal(order=OrderKey(caller.partner, uuid), accept=True),
        BookProposal(caller=caller, uuid=uuid, version=version, payment=None, nonce="n"),
    ]


def _quoted_booking(caller: Caller, uuid: str, asked: OrderRequest, number: int) -> list[Step]:
    """C2, B and the cancellation of an item."""
    return [
        Quote(caller=caller, uuid=uuid, checkpoint=Checkpoint.C2, request=asked),
        Book(caller=caller, uuid=uuid, request=asked, nonce="n"),
        Cancel(caller=caller, uuid=uuid, numbers=(number,)),
    ]


_runs = st.one_of(
    st.builds(_approved_booking, _callers, _uuids, _approved, _versions),
    st.builds(_quoted_booking, _callers, _uuids, _plain, _numbers),
    _bookings.map(lambda step: [step]),
    _publishing.map(lambda step: [step]),
    st.lists(_single, min_size=1, max_size=6),
)


def _interrupted(runs: list[list[Step]], cut: list[int]) -> list[Step]:
    """The runs one after the other, some of them cut short."""
    return [step for run, length in zip(runs, cut, strict=False) for step in run[:length]]


histories: st.SearchStrategy[list[Step]] = st.builds(
    _interrupted, st.lists(_runs, min_size=3, max_size=10), st.lists(st.integers(1, 6), min_size=10, max_size=10)
)


def beginning() -> list[Command]:
    """Everything is published."""
    return [Publish(tuple(stock(key))) for key in CAPACITIES]


SELLER = CENTRE
