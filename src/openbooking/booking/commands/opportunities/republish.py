"""Write feed items again after a change of the Seller or of the `@id`s, which the items contain.

Feed items are stored as bytes, which show the Seller and the `@id`s at the time of writing.
"""

from collections.abc import Collection
from typing import ClassVar

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.store import Store
from openbooking.openactive.ids import type_of_path
from openbooking.openactive.opportunity_types import OpportunityType

# The largest number of paths in one transaction. Bookings wait for the locks of the transaction.
_AT_ONCE = 200


class Republish(ActorCommand, frozen=True):
    """Write the feed items of some Opportunities again.

    A feed item whose bytes do not change keeps its change number. Opportunities that are off sale or withdrawn stay out
    of the feeds. The reply is the number of the Opportunities that are in the feeds.
    """

    stores_more: ClassVar[bool] = True

    paths: frozenset[str]

    def needs(self) -> Needs:
        """Return the Opportunities, with their parents and Sellers."""
        return Needs(opportunities=self.paths)

    def decide(self, situation: Situation) -> Decision[int]:
        """Store each Opportunity unchanged. The store then writes its feed item."""
        shown = [situation.opportunities[path] for path in sorted(self.paths) if situation.on_sale(path)]
        return Decision(reply=len(shown), changes=tuple(map(OpportunitySet, shown)))


async def publish_seller(store: Store, seller: Seller, actor: Actor) -> int:
    """Add or replace a Seller, and write all feed items that show the Seller; return the number of these items.

    The Seller changes first: publications during this call show the new version. If the process dies during the call,
    some feed items show the old version until the next call.
    """
    await store.execute(PublishSeller(seller, actor=actor))
    return await republish(store, seller.key, actor, [type_ for type_ in OpportunityType if type_.shows_seller])


async def republish(store: Store, seller: str, actor: Actor, types: Collection[OpportunityType]) -> int:
    """Write the feed items of a Seller's Opportunities of some types; return how many of them are in the feeds."""
    shown, after = 0, ""
    while paths := await store.paths_of_seller(seller, after, _AT_ONCE):
        after = paths[-1]
        chosen = frozenset(path for path in paths if type_of_path(path) in types)
        if chosen:
            shown += await store.execute(Republish(chosen, actor=actor))
    return shown
