"""Record that the personal data of Orders was exported, for the activity log."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import Needs, OrderRead, Situation
from openbooking.booking.rules import lifecycle


class RecordExport(ActorCommand, frozen=True, kw_only=True):
    """Add an entry for each exported Order to the activity log. The Orders stay as they are.

    Attributes:
        orders: The keys of the Orders.
    """

    orders: frozenset[OrderKey]

    @property
    def action(self) -> Action:
        """The kind of its entries in the activity log."""
        return Action.PERSONAL_DATA_EXPORTED

    def needs(self) -> Needs:
        """Return the records of the Orders."""
        return Needs(records=self.orders)

    def decide(self, situation: Situation) -> Decision[None]:
        """Add the entries.

        Raises:
            UnknownOrderError: No booked Order has one of the keys.
            GoneError: One of the Orders was deleted.
        """
        records = [lifecycle.booked_order(situation, key) for key in sorted(self.orders)]
        return Decision(reply=None, changes=tuple(OrderRead(record.key) for record in records))
