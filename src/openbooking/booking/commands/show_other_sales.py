"""Show in the open feeds which spaces other software of the operator has sold (`Situation.sold_elsewhere`)."""

from typing import ClassVar

from openbooking.booking.command import BaseCommand, Decision
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.store import Store, StoreWithOtherSales

_OTHER_SALES = Actor(ActorKind.SYSTEM, "other sales")
# The largest number of paths in one transaction. Bookings wait for the locks of the transaction.
_AT_ONCE = 100


class ShowOtherSales(BaseCommand, frozen=True):
    """Write the feed items of some Opportunities again, and those of the Slots that overlap them on their courts.

    A feed item whose bytes do not change keeps its change number. The reply is the number of the items.
    """

    stores_more: ClassVar[bool] = True

    paths: frozenset[str]

    @property
    def actor(self) -> Actor:
        """A part of the system."""
        return _OTHER_SALES

    def needs(self) -> Needs:
        """Return the Opportunities. The Slots that overlap them are loaded too."""
        return Needs(opportunities=self.paths)

    def decide(self, situation: Situation) -> Decision[int]:
        """Store each Opportunity unchanged. The store then writes its feed item."""
        overlapping = {slot for path in self.paths for slot in situation.overlapping_slots(path)}
        shown = [situation.opportunities[path] for path in sorted(self.paths | overlapping) if situation.on_sale(path)]
        return Decision(reply=len(shown), changes=tuple(map(OpportunitySet, shown)))


async def show_other_sales(store: Store, sales: StoreWithOtherSales) -> None:
    """Write all feed items that lack a change of the spaces which are sold elsewhere."""
    last: list[str] = []
    while (paths := list(await sales.paths_shown_wrong(_AT_ONCE))) and paths != last:
        last = paths
        await store.execute(ShowOtherSales(frozenset(paths)))
