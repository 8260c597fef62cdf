"""Publishing stored Opportunities again, because something else that their feed items show has changed.

Feed items are stored as bytes, which hold the Seller and the `@id`s as they were when the item was written.
"""

from collections.abc import Collection
from typing import ClassVar

from openbooking.booking.command import ActorCommand, Decision
from openbooking.booking.commands.publish import PublishSeller
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.situation import Needs, OpportunitySet, Situation
from openbooking.booking.store import Store
from openbooking.openactive.opportunity_types import TYPE_OF_COLLECTION, OpportunityType

# How many paths one transaction handles at most: bookings wait for its locks.
_AT_ONCE = 200


class Republish(ActorCommand, frozen=True):
    """Opportunities are published again as they are, so that their feed items are written anew.

    What is not on sale, or is withdrawn, stays out of the feeds. A feed item that would be the same keeps its number.
    The reply is the number of these Opportunities that the feeds show.
    """

    stores_more: ClassVar[bool] = True

    paths: frozenset[str]

    def needs(self) -> Needs:
        """The Opportunities, with their parents and Sellers."""
        return Needs(opportunities=self.paths)

    def decide(self, situation: Situation) -> Decision[int]:
        """Set each Opportunity to itself, which renders it."""
        shown = [situation.opportunities[path] for path in sorted(self.paths) if situation.on_sale(path)]
        return Decision(reply=len(shown), changes=tuple(map(OpportunitySet, shown)))


async def publish_seller(store: Store, seller: Seller, actor: Actor) -> int:
    """Add a Seller or replace it, and renew every feed item that shows it; return how many show it.

    The Seller changes first, so that what others publish meanwhile shows the new one. After a crash some feed items
    show the old one, until this is called again.
    """
    await store.execute(PublishSeller(seller, actor=actor))
    return await republish(store, seller.key, actor, [type_ for type_ in OpportunityType if type_.shows_seller])


async def republish(store: Store, seller: str, actor: Actor, types: Collection[OpportunityType]) -> int:
    """Publish again what a Seller has of these types; return how many of these Opportunities the feeds show."""
    shown, after = 0, ""
    while paths := await store.paths_of_seller(seller, after, _AT_ONCE):
        after = paths[-1]
        chosen = frozenset(path for path in paths if TYPE_OF_COLLECTION[path.partition("/")[0]] in types)
        if chosen:
            shown += await store.execute(Republish(chosen, actor=actor))
    return shown
