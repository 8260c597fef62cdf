"""Properties that hold after any sequence of commands, tested on random histories of decisions."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, note, settings
from msgspec.structs import replace

from openbooking.booking.command import OrderCommand
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.book_proposal import BookProposal
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.propose import Propose
from openbooking.booking.commands.orders.quote import Quote
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.model.actor import Stamp
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import BookedItem, Order, OrderKey
from openbooking.booking.model.policy import Leasing, Policy
from openbooking.booking.model.record import ItemState
from openbooking.booking.model.situation import RecordSet, Situation, evolve
from openbooking.booking.rules.orders.lifecycle import deleted_record
from openbooking.booking.store import Outcome, fold
from openbooking.openactive.errors import (
    OpenBookingError,
    OpportunityHasInsufficientCapacityError,
    UnacceptableReplacementError,
)
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.terms import OrderItemStatus
from support.builders import UUID, after, item, order_record, request, session, situation
from support.histories.all_commands import command_classes
from support.histories.invariants import check, check_stamps, cost, counted, free
from support.histories.lengths import examples
from support.histories.random_histories import DICE, histories, made_up
from support.histories.state import History, Moment
from support.parties import ALICE

# A repeat gets the first reply, also in situations that would refuse a new request.
REPEATED = (Book, Propose, BookProposal, Cancel, DeleteOrder)
NO_COMMANDS_OF_HISTORIES = {
    *("GetOpportunity", "GetOpportunities", "FindBySource", "Preview", "RemoveOver", "RecordExport"),
    *("GetTimetable", "GetDueTimetable", "SaveTimetableEntry", "RemoveTimetableEntry", "ApplyTimetable"),
    *("PublishOccurrences", "FindOccurrences", "NoteTimetableFault", "ImportBookings", "ShowOtherSales"),
}
EXPECTED = (
    "a hold ends by itself",
    "a quote is booked",
    "a quote is booked when its places are gone",
    "a proposal is booked as amended",
    "a proposal is booked after its hold has ended",
    "a proposal is booked when its places are gone",
    "what is unpublished is published anew",
    "what is not on sale is asked for",
    "an item is replaced at the same price",
    "an item is replaced for less",
    "The replacement costs more, or is paid in another way.",
    "The replacement is full.",
    "fewer places are published than are taken",
    "what was sold comes back after it was withdrawn",
    "what has been granted is sent again",
)


def granted(moment: Moment) -> bool:
    """Return whether the command was granted."""
    outcome = moment.outcome
    if isinstance(outcome, Exception) or (isinstance(outcome, Order) and outcome.has_errors):
        return False
    return moment.after is not moment.before or isinstance(moment.step, (Quote, GetOrder))


@pytest.mark.spec("OB-SEL-05", "OB-SEL-09", "OB-CAN-17", "OB-B-23", "OB-APP-24", "OB-ID-12", "OB-DEL-05", "OB-LEASE-13")
@pytest.mark.no_cover
@given(history=histories)
@settings(max_examples=examples(120))
def test_spaces_are_never_oversold_or_lost_totals_never_rise_and_ended_records_stay_ended(history: History) -> None:
    note(repr(history))
    for moment in (*history.moments, *history.ending):
        before, step, outcome, left = moment
        assert not isinstance(outcome, Exception) or isinstance(outcome, OpenBookingError), outcome
        check(before, left)
        if not isinstance(step, timedelta):
            check_stamps(before, left, Stamp(step.actor, before.now))
        if not isinstance(step, SetSaleState):
            assert unpublished(left) >= unpublished(before)
        if isinstance(step, REPEATED) and granted(moment):
            repeated, answers = fold(left, [step])
            assert repeated.records == left.records
            assert answers == [outcome]
    assert all(map(granted, history.granted))
    assert not any(map(granted, history.refused))


def commands() -> set[str]:
    """The names of all commands, except those that only read Opportunities, and those of timetables."""
    return {kind.__name__ for kind in command_classes()} - NO_COMMANDS_OF_HISTORIES


def unpublished(state: Situation) -> set[str]:
    """The paths of the Opportunities that were taken off sale."""
    return {path for path, known in state.opportunities.items() if known.sale is SaleState.UNPUBLISHED}


def shown_by(moment: Moment) -> Iterator[str]:
    """Yield the granted command and the rare events of a moment."""
    if isinstance(moment.step, timedelta):
        left = moment.after
        if any(
            moment.before.holds_spaces(record) and not left.holds_spaces(record) for record in left.records.values()
        ):
            yield "a hold ends by itself"
    elif granted(moment):
        yield type(moment.step).__name__
        yield from _shown_by_granted(moment)
    else:
        yield from _shown_by_refused(moment)


def _shown_by_granted(moment: Moment) -> Iterator[str]:
    before, step, _, left = moment
    key = step.key if isinstance(step, OrderCommand) else step.order if isinstance(step, Replace) else None
    was, now = (before.records.get(key), left.records.get(key)) if key else (None, None)
    if isinstance(step, Publish):
        if any(item.path in unpublished(before) for item in step.opportunities):
            yield "what is unpublished is published anew"
        if any(free(left, path) < 0 for path in left.opportunities):
            yield "fewer places are published than are taken"
        back = left.opportunities.keys() - before.opportunities.keys()
        if any(held.booked for path, held in counted(left).items() if path in back):
            yield "what was sold comes back after it was withdrawn"
    if isinstance(step, Book) and was:
        yield "a quote is booked"
    if isinstance(step, BookProposal) and was and was.proposal and was.proposal.items:
        yield "a proposal is booked as amended"
    if isinstance(step, BookProposal) and not before.holds_spaces(was):
        yield "a proposal is booked after its hold has ended"
    if isinstance(step, Replace) and was and now:
        yield f"an item is replaced {'for less' if cost(now) < cost(was) else 'at the same price'}"


def _shown_by_refused(moment: Moment) -> Iterator[str]:
    before, step, outcome, _ = moment
    if isinstance(step, Book) and step.key in before.records and _full(outcome):
        yield "a quote is booked when its places are gone"
    if isinstance(outcome, UnacceptableReplacementError) and outcome.description:
        yield outcome.description
    if isinstance(outcome, Order) and "not on sale" in str([item.errors for item in outcome.items]):
        yield "what is not on sale is asked for"
    if isinstance(outcome, OpportunityHasInsufficientCapacityError):
        yield "a proposal is booked when its places are gone"
    if isinstance(step, REPEATED) and isinstance(outcome, Order) and not outcome.has_errors:
        yield "what has been granted is sent again"


def _full(outcome: Outcome) -> bool:
    errors = {error.type for item in outcome.items for error in item.errors} if isinstance(outcome, Order) else set()
    return ItemErrorType.OPPORTUNITY_IS_FULL in errors


@pytest.mark.no_cover
def test_the_histories_contain_every_command_and_every_rare_event() -> None:
    """The random numbers are the same in every run."""
    chance = Random(1)  # noqa: S311 - chance that is the same every time
    dice = [(leasing, chance.choices(range(DICE), k=40)) for leasing in [*Leasing] * 100]
    moments = [moment for leasing, thrown in dice for moment in made_up(leasing, thrown).moments]
    shown = Counter(what for moment in moments for what in shown_by(moment))
    assert {what: shown[what] for what in (*commands(), *EXPECTED) if shown[what] < 3} == {}


FULL = session("yoga", capacity=1)
BOOK = Book(caller=ALICE, uuid=UUID, request=request(item(FULL)))
BOOKED = after(situation(FULL, policy=Policy(leasing=Leasing.OFF)), BOOK)


def became(**changes: Any) -> RecordSet:
    """The change of the booked Order to these values."""
    return RecordSet(BOOK.key, replace(BOOKED.records[BOOK.key], **changes))


def dearer() -> BookedItem:
    """The booked item, at a penny more."""
    ((booked, _),) = order_record(BOOKED, BOOK.uuid).items()
    return replace(booked, offer=replace(booked.offer, price=booked.offer.price + Decimal("0.01")))


STUB = deleted_record(order_record(BOOKED, BOOK.uuid), Stamp(BOOK.actor))
CANCELLED = became(states=(ItemState(status=OrderItemStatus.CUSTOMER_CANCELLED),))


@pytest.mark.parametrize(
    ("before", "left"),
    [
        pytest.param(BOOKED, evolve(BOOKED, replace(became(uuid="2"), key=OrderKey("alice", "2"))), id="oversold"),
        pytest.param(BOOKED, replace(evolve(BOOKED, CANCELLED), spaces=BOOKED.spaces), id="lost"),
        pytest.param(evolve(BOOKED, CANCELLED), BOOKED, id="not cancelled any more"),
        pytest.param(BOOKED, evolve(BOOKED, became(states=(ItemState(replacement=dearer()),))), id="dearer"),
        pytest.param(BOOKED, evolve(BOOKED, RecordSet(BOOK.key, None)), id="forgotten"),
        pytest.param(
            evolve(BOOKED, RecordSet(BOOK.key, STUB)),
            BOOKED,
            id="undeleted",
        ),
    ],
)
def test_the_check_notices_every_forbidden_change(before: Situation, left: Situation) -> None:
    check(before, before)
    with pytest.raises(AssertionError):
        check(before, left)
