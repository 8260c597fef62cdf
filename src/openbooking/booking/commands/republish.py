"""Publishing stored Opportunities again, because other data in their feed items has changed.

Feed items are stored as bytes, with the Seller and the `@id`s at the time when the item was written.
"""

from collections.abc import Collection
from typing import ClassVar

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.publish import PublishSeller
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.store import Store
from openbooking.openactive.ids import type_of_path
from openbooking.openactive.opportunity_types import OpportunityType

# The largest number of paths in one transaction: bookings wait for its locks.
_AT_ONCE = 200


class Republish(ActorCommand, frozen=True):
    """Write the feed items of Opportunities anew.

    The feeds still omit an Opportunity that is off sale or withdrawn. A feed item whose bytes stay the same keeps its
    change number. The reply is the number of these Opportunities that the feeds show.
    """

    stores_more: ClassVar[bool] = True

    paths: frozenset[str]

    def needs(self) -> Needs:
        """Return the Opportunities, with their parents and Sellers."""
        return Needs(opportunities=self.paths)

    def decide(self, situation: Situation) -> Decision[int]:
        """Store each Opportunity unchanged, so that its feed item is written."""
        shown = [situation.opportunities[path] for path in sorted(self.paths) if situation.on_sale(path)]
        return Decision(reply=len(shown), changes=tuple(map(OpportunitySet, shown)))


async def publish_seller(store: Store, seller: Seller, actor: Actor) -> int:
    """Add or replace a Seller, and write every feed item that shows the Seller anew; return the number of these items.

    The Seller changes first, so that publications meanwhile show the new version. After a crash some feed items show
    the old version until the next call.
    """
    await store.execute(PublishSeller(seller, actor=actor))
    return await republish(store, seller.key, actor, [type_ for type_ in OpportunityType if type_.shows_seller])


async def republish(store: Store, seller: str, actor: Actor, types: Collection[OpportunityType]) -> int:
    """Publish a Seller's Opportunities of these types again; return how many of them the feeds show."""
    shown, after = 0, ""
    while paths := await store.paths_of_seller(seller, after, _AT_ONCE):
        after = paths[-1]
        chosen = frozenset(path for path in paths if type_of_path(path) in types)
        if chosen:
            shown += await store.execute(Republish(chosen, actor=actor))
    return shown
