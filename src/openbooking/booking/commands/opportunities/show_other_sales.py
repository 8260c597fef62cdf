"""Show in the open feeds which spaces other software of the operator has sold (`Situation.sold_elsewhere`)."""

from typing import ClassVar

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind, Stamp
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.rules.opportunities.cancellation_effects import SOLD_OUT, reject_without_spaces
from openbooking.booking.store import Store, StoreWithOtherSales

_OTHER_SALES = Actor(ActorKind.SYSTEM, "other sales")
# The largest number of paths in one transaction. Bookings wait for the locks of the transaction.
_AT_ONCE = 100


class ShowOtherSales(BaseCommand, frozen=True):
    """Write the feed items of some Opportunities again, and those of the Slots that overlap them on their courts.

    OrderProposals for which too few spaces are left are rejected (OB-APP-27). A feed item whose bytes do not change
    keeps its change number. The reply is the number of the items.
    """

    stores_more: ClassVar[bool] = True

    paths: frozenset[str]

    @property
    def actor(self) -> Actor:
        """A part of the system."""
        return _OTHER_SALES

    def needs(self) -> Needs:
        """Return the Opportunities with the OrderProposals for them. The Slots that overlap them are loaded too."""
        return Needs(opportunities=self.paths, fills=self.paths)

    def decide(self, situation: Situation) -> Decision[int]:
        """Store each Opportunity unchanged, so that the store writes its feed item, and reject OrderProposals."""
        paths = sorted({*self.paths, *(slot for path in self.paths for slot in situation.overlapping_slots(path))})
        shown = [OpportunitySet(situation.opportunities[path]) for path in paths if situation.on_sale(path)]
        rejected = reject_without_spaces(situation, paths, Stamp(SOLD_OUT, situation.now))
        return Decision(reply=len(shown), changes=(*shown, *rejected))


async def show_other_sales(store: Store, sales: StoreWithOtherSales) -> None:
    """Write all feed items that lack a change of the spaces which are sold elsewhere."""
    last: list[str] = []
    while (paths := list(await sales.paths_shown_wrong(_AT_ONCE))) and paths != last:
        last = paths
        await store.execute(ShowOtherSales(frozenset(paths)))
