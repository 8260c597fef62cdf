"""An Opportunity that another Seller sells now: Orders stay with the Seller from whom they were booked.

The `@id` of an Opportunity never changes (OB-BKBL-28), so its path is the same after the hand-over.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState, TakeOffSale
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.commands.orders.cancel import Cancel
from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import SellerCancel
from openbooking.booking.model.errors import BookingAheadError, NothingToCancelError
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Situation
from openbooking.openactive.errors import CancellationNotPermittedError, UnacceptableReplacementError
from openbooking.openactive.terms import EventStatus, OrderItemStatus
from support.builders import NOW, UUID, after, book, item, new_uuid, request, session, situation
from support.parties import ALICE, CENTRE, MANAGER, STUDIO
from support.proposals import having

SOURCE = "https://good.example/feeds/sessions#1"
FAMILY = [replace(member, source=SOURCE) for member in session("yoga", capacity=5)]
NEW_SERIES, NEW = (replace(member, seller=STUDIO.key) for member in FAMILY)
NEW_FAMILY = [NEW_SERIES, NEW]
PATH = NEW.path
OLD_KEY, NEW_UUID = OrderKey("alice", UUID), new_uuid()
NEW_KEY = OrderKey("alice", NEW_UUID)
CANCELLED = replace(NEW, status=EventStatus.CANCELLED)


def handed_over() -> Situation:
    """Return the situation after a booking at the old Seller, the hand-over, and a booking at the new Seller."""
    asked = replace(
        request(item(NEW_FAMILY), total_payment_due=Decimal("14.40")), seller_id=STUDIO.key, seller=STUDIO.key
    )
    return having(
        situation(FAMILY),
        book(request(item(FAMILY))),
        Withdraw(sources=frozenset({SOURCE}), actor=MANAGER),
        Publish(tuple(NEW_FAMILY), actor=MANAGER),
        replace(book(asked), uuid=NEW_UUID),
    )


def order(where: Situation, key: OrderKey) -> OrderRecord:
    record = where.records[key]
    assert isinstance(record, OrderRecord)
    return record


HANDED_OVER = handed_over()
CANCEL_OLD = SellerCancel(order=OLD_KEY, message="Closed.", actor=MANAGER)


def test_the_spaces_of_both_sellers_count() -> None:
    assert [order(HANDED_OVER, key).seller for key in (OLD_KEY, NEW_KEY)] == [CENTRE.key, STUDIO.key]
    assert HANDED_OVER.spaces_of(PATH).booked == 2


@pytest.mark.spec("OB-BKBL-28")
@pytest.mark.parametrize(
    "command",
    [
        CancelOpportunity(opportunity=PATH, actor=MANAGER),
        CancelOpportunity(opportunity=NEW_SERIES.path, actor=MANAGER),
        Publish((CANCELLED,), actor=MANAGER),
        ChangeLogistics(opportunity=PATH, start=NOW + timedelta(days=1), actor=MANAGER),
        ChangeLogistics(opportunity=PATH, name="Tango", actor=MANAGER),
        Publish((replace(NEW, start=NOW + timedelta(days=1)),), actor=MANAGER),
        Publish((replace(NEW_SERIES, properties={"name": "Tango"}),), actor=MANAGER),
        Withdraw(sources=frozenset({SOURCE}), orders=True, actor=MANAGER),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_decision_about_an_opportunity_reaches_the_orders_of_its_own_seller_only(command: Command[object]) -> None:
    done = after(HANDED_OVER, command)
    assert done.records[NEW_KEY] != HANDED_OVER.records[NEW_KEY]
    assert done.records[OLD_KEY] == HANDED_OVER.records[OLD_KEY]


@pytest.mark.parametrize(
    "command",
    [
        SetSaleState(opportunity=PATH, sale=SaleState.UNPUBLISHED, actor=MANAGER),
        TakeOffSale(sources=frozenset({SOURCE}), actor=MANAGER),
        Withdraw(sources=frozenset({SOURCE}), actor=MANAGER),
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_opportunity_off_sale_changes_no_order_of_either_seller(command: Command[object]) -> None:
    assert after(HANDED_OVER, command).records == HANDED_OVER.records


def test_a_cancellation_that_reaches_only_orders_of_another_seller_finds_nothing() -> None:
    cancelled = having(HANDED_OVER, CancelOpportunity(opportunity=PATH, actor=MANAGER))
    with pytest.raises(NothingToCancelError):
        CancelOpportunity(opportunity=PATH, actor=MANAGER).decide(cancelled)


def test_the_former_seller_cancels_its_order_by_itself() -> None:
    done = after(HANDED_OVER, CANCEL_OLD)
    (state,) = order(done, OLD_KEY).states
    assert (state.status, state.cancellation_message) == (OrderItemStatus.SELLER_CANCELLED, "Closed.")
    assert done.records[NEW_KEY] == HANDED_OVER.records[NEW_KEY]


def test_the_times_of_an_order_are_those_of_its_own_seller() -> None:
    """The new Seller has moved the session into the past, or far into the future."""
    assert NEW.end is not None
    past = Publish((replace(NEW, start=NOW - timedelta(hours=2), end=NOW - timedelta(hours=1)),), actor=MANAGER)
    early = having(HANDED_OVER, past)
    cancel = Cancel(caller=ALICE, uuid=UUID, numbers=(1,))
    for command in (CANCEL_OLD, cancel):
        (state,) = order(after(early, command), OLD_KEY).states
        assert state.status.cancelled
    with pytest.raises(BookingAheadError):
        EraseOrderData(orders=frozenset({OLD_KEY}), contact="geoff@example.com", actor=MANAGER).decide(early)
    much_later = replace(NEW, start=NEW.end + timedelta(days=9), end=NEW.end + timedelta(days=10))
    late = replace(having(HANDED_OVER, Publish((much_later,), actor=MANAGER)), now=NEW.end)
    for command in (CANCEL_OLD, cancel):
        with pytest.raises(CancellationNotPermittedError):
            command.decide(late)
    erase = EraseOrderData(orders=frozenset({OLD_KEY}), contact="geoff@example.com", actor=MANAGER)
    assert erase.decide(late).reply == 1


def test_an_item_is_not_replaced_by_the_opportunity_of_the_new_seller() -> None:
    command = Replace(order=OLD_KEY, number=1, opportunity=PATH, offer=NEW_SERIES.offers[0].ref, actor=MANAGER)
    with pytest.raises(UnacceptableReplacementError):
        command.decide(HANDED_OVER)
