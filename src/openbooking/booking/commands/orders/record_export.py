"""Record that the personal data of Orders and OrderProposals was exported, for the activity log."""

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.model.activity import Action
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import Needs, OrderRead, Situation
from openbooking.booking.rules.orders import lifecycle


class RecordExport(ActorCommand, frozen=True, kw_only=True):
    """Add an entry for each exported Order or OrderProposal to the activity log, and change nothing else.

    Attributes:
        orders: The keys of the Orders and OrderProposals.
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
            UnknownOrderError: No Order or OrderProposal has one of the keys.
            GoneError: One of the Orders was deleted.
        """
        for key in self.orders:
            lifecycle.check_event(situation.records.get(key), lifecycle.Event.READ)
        return Decision(reply=None, changes=tuple(map(OrderRead, sorted(self.orders))))
