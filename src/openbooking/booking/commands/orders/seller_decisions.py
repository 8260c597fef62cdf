"""The Seller's decisions about items of a booked Order (OB 8.3.3, 8.4)."""

from msgspec.structs import replace

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.order import Access, BookedItem, OrderKey
from openbooking.booking.model.record import ItemState
from openbooking.booking.model.situation import Needs, RecordSet, Situation
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.access import grant_access
from openbooking.openactive.errors import CancellationNotPermittedError, NotFoundError
from openbooking.openactive.terms import OrderItemStatus


class SellerCommand(ActorCommand, frozen=True, kw_only=True):
    """The base of decisions that change items of an Order. Cancelled items never change.

    Attributes:
        order: The key of the Order.
        numbers: The numbers of the items; None for all items.
    """

    order: OrderKey
    numbers: frozenset[int] | None = None

    def needs(self) -> Needs:
        """Return the record of the Order."""
        return Needs(records=frozenset({self.order}))

    def decide(self, situation: Situation) -> Decision[None]:
        """Change the chosen items. The Orders feed shows all changes in one version of the Order.

        Raises:
            UnknownOrderError: No booked Order has the key.
            GoneError: The Order was deleted.
            NotFoundError: The Order has no item with one of the numbers.
        """
        record = lifecycle.booked_order(situation, self.order)
        items = record.items_by_number()
        chosen = items.keys() if self.numbers is None else self.numbers
        if not items.keys() >= chosen:
            raise NotFoundError("The Order has no such item.")
        not_cancelled = {number: items[number] for number in chosen if not items[number][1].status.cancelled}
        for item, _ in not_cancelled.values():
            self.check(situation, item)
        states = {number: self.change(item, state) for number, (item, state) in not_cancelled.items()}
        changed = {number: state for number, state in states.items() if state != not_cancelled[number][1]}
        if not changed:
            return Decision(reply=None)
        new = lifecycle.set_item_states(record, changed, self.stamp(situation))
        return Decision(reply=None, changes=(RecordSet(self.order, new),))

    def check(self, situation: Situation, item: BookedItem) -> None:
        """Raise an error if the item cannot be changed. Then no item of the command changes."""

    def change(self, item: BookedItem, state: ItemState) -> ItemState:
        """Return the new state of an item."""
        raise NotImplementedError


class SellerCancel(SellerCommand, frozen=True, kw_only=True):
    """Cancel items, with or without a message to the Customer. The Broker refunds in full (OB-SEL-01, OB-SEL-02).

    Attributes:
        message: The message to the Customer, if any.
    """

    message: str | None = None

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.SELLER_CANCELLED

    def check(self, situation: Situation, item: BookedItem) -> None:
        """Raise CancellationNotPermittedError if the Opportunity has ended: it is not refunded any more (OB-SEL-12)."""
        if situation.opportunity_of(item).is_over(situation.now):
            raise CancellationNotPermittedError("This has taken place already.")

    def change(self, item: BookedItem, state: ItemState) -> ItemState:
        """Cancel the item."""
        del item
        return replace(state, status=OrderItemStatus.SELLER_CANCELLED, cancellation_message=self.message or None)


class Notify(SellerCommand, frozen=True, kw_only=True):
    """Send a notice to the Customer through the Broker (OB-NOTIF-02).

    Attributes:
        notice: The notice. An empty text removes the last notice.
    """

    notice: str

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.CUSTOMER_NOTIFIED

    def change(self, item: BookedItem, state: ItemState) -> ItemState:
        """Set or remove the notice. An item whose attendee was absent has no notice (OB-NOTIF-03)."""
        del item
        if state.status not in lifecycle.STATUSES_WITH_NOTICE:
            return state
        return replace(state, customer_notice=self.notice or None)


class RecordAttendance(SellerCommand, frozen=True, kw_only=True):
    """Record whether the attendees of items attended (OB-NOTIF-07)."""

    attended: bool

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.ATTENDANCE_RECORDED

    def change(self, item: BookedItem, state: ItemState) -> ItemState:
        """Set the status to attended or absent."""
        del item
        return replace(state, status=OrderItemStatus.ATTENDED if self.attended else OrderItemStatus.ABSENT)


class UndoAttendance(SellerCommand, frozen=True, kw_only=True):
    """Undo the record of attendance, so that the items are confirmed as they were before it."""

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.ATTENDANCE_UNDONE

    def change(self, item: BookedItem, state: ItemState) -> ItemState:
        """Set the status back."""
        del item
        return replace(state, status=OrderItemStatus.CONFIRMED)


class RenewAccess(SellerCommand, frozen=True, kw_only=True):
    """Replace access codes, passes or channels (OB-NOTIF-08).

    Attributes:
        nonce: A fresh secret, which is not stored. The new codes are derived from it.
        code: Whether the access code is replaced.
        passes: Whether the access passes are replaced.
        channel: Whether the access channel is replaced.
    """

    nonce: str
    code: bool = False
    passes: bool = False
    channel: bool = False

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.ACCESS_RENEWED

    def change(self, item: BookedItem, state: ItemState) -> ItemState:
        """Replace the chosen means of access. The barcodes that the Broker sent stay."""
        old = item.access or Access()
        new = grant_access(item.opportunity.access, self.nonce, item.number) or Access()
        renewed = replace(
            old,
            code=new.code if self.code else old.code,
            passes=new.passes if self.passes else old.passes,
            channel=new.channel if self.channel else old.channel,
        )
        return state if renewed == old else replace(state, access=renewed)
