"""Tests of the view of the children of an Opportunity, to inherit."""

import asyncio
from datetime import timedelta
from pathlib import Path

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.openactive.ids import opportunity_path
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.testing.rules import rule
from openbooking.testing.samples import MANAGER, START, Clock
from openbooking.testing.store_case import StoreTestCase
from openbooking.testing.stores.court_tests import OPENS, slot_path, slots
from openbooking.testing.stores.views.view_case import OTHER, views_of

_FACILITY = opportunity_path(OpportunityType.FACILITY_USE, "court")
_COURT = opportunity_path(OpportunityType.INDIVIDUAL_FACILITY_USE, "court")


@rule("Views")
class ChildrenViewTests(StoreTestCase):
    """Part of `ViewTests`: the Opportunities directly below a parent."""

    def test_children_are_the_courts_of_a_facility_and_the_first_slots_of_a_court(self, tmp_path: Path) -> None:
        """A period ends before its last instant. Another Seller, and a withdrawn court, have none."""

        async def run() -> None:
            async with self.stocked(tmp_path, Clock()) as store:
                await store.execute(Publish(slots("court", (60,)), actor=MANAGER))
                view = views_of(store).children
                until = OPENS + timedelta(minutes=60)
                assert [child.path for child in await view(_FACILITY, START, until)] == [_COURT]
                first, second = await view(_COURT, START, until)
                assert (first.path, second.path) == (slot_path("court-0-60"), slot_path("court-30-60"))
                assert await view(_COURT, START, until, limit=1) == (first,)
                assert await view(_COURT, OPENS + timedelta(minutes=1), until) == (second,)
                assert await views_of(store, OTHER.key).children(_COURT, START, until) == ()
                await store.execute(Withdraw(sources=frozenset({"court"}), actor=MANAGER))
                assert await view(_FACILITY, START, until) == ()

        asyncio.run(run())
