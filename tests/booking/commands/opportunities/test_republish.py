"""Writing the feed items of Opportunities again after their Seller has changed."""

from typing import Any

import pytest

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.republish import Republish, publish_seller, republish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.model.opportunity import SaleState
from openbooking.booking.model.situation import OpportunitySet
from openbooking.openactive.opportunity_types import OpportunityType
from support.builders import after, session, situation, slot
from support.identity_provider import Desk
from support.parties import CENTRE, MANAGER, STUDIO

YOGA, COURT = session("yoga"), slot("court")
OF_STUDIO = session("other", seller=STUDIO)


def test_opportunities_are_set_to_themselves_in_the_order_of_their_paths() -> None:
    decision = Republish(frozenset(member.path for member in YOGA), actor=MANAGER).decide(situation(YOGA, COURT))
    assert decision.reply == 2
    assert decision.changes == (OpportunitySet(YOGA[1]), OpportunitySet(YOGA[0]))


def test_opportunities_that_are_off_sale_or_unknown_are_not_published_again() -> None:
    off = after(situation(YOGA), SetSaleState(opportunity=YOGA[1].path, sale=SaleState.UNPUBLISHED, actor=MANAGER))
    decision = Republish(frozenset({YOGA[0].path, YOGA[1].path, COURT[0].path}), actor=MANAGER).decide(off)
    assert (decision.reply, decision.changes) == (1, (OpportunitySet(YOGA[0]),))


@pytest.mark.anyio
@pytest.mark.parametrize("at_once", [1, 2, 200])
async def test_feed_items_that_show_a_replaced_seller_are_written_again(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbooking.booking.commands.opportunities.republish._AT_ONCE", at_once)
    store = (await Desk().open()).bookings
    await store.execute(Publish((*YOGA, *COURT, *OF_STUDIO), actor=MANAGER))
    showing = {member.type for member in (YOGA[0], COURT[0], COURT[1])}
    assert await publish_seller(store, CENTRE, MANAGER) == len(showing) == 3
    assert await republish(store, CENTRE.key, MANAGER, list(OpportunityType)) == 5
    assert await republish(store, CENTRE.key, MANAGER, [OpportunityType.SLOT]) == 1
    assert await republish(store, "nobody", MANAGER, list(OpportunityType)) == 0


@pytest.mark.anyio
async def test_a_seller_with_many_opportunities_is_republished_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bookings wait for the locks of one part only."""
    monkeypatch.setattr("openbooking.booking.commands.opportunities.republish._AT_ONCE", 2)
    store, parts = (await Desk().open()).bookings, []
    await store.execute(Publish((*YOGA, *COURT), actor=MANAGER))

    class Watched:
        paths_of_seller = store.paths_of_seller

        async def execute(self, command: Republish) -> int:
            parts.append(len(command.paths))
            return await store.execute(command)

    watched: Any = Watched()
    assert await republish(watched, CENTRE.key, MANAGER, list(OpportunityType)) == 5
    assert parts == [2, 2, 1]
