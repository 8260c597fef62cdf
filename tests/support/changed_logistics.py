"""Orders of Alice and Bob for Opportunities whose name, time or location changes."""

from datetime import timedelta
from typing import Any

import pytest

from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import OrderKey
from openbooking.booking.model.situation import Situation
from support.builders import PRICE, UUID, book, course, event, headline_event, item, request, session, situation, slot
from support.parties import BOB, MANAGER
from support.proposals import having

KEY, BOBS = OrderKey("alice", UUID), OrderKey("bob", UUID)
ELSEWHERE = {"@type": "Place", "name": "Town Hall"}
TOMORROW = timedelta(days=1)
YOGA, SPIN = session("yoga"), session("spin")
HALL, COURT = slot("hall", individual=False, capacity=5), slot("court", capacity=2)
RUN, FESTIVAL, COURSE = event("run"), headline_event("festival"), course("course")
TALK = event("talk", parent=headline_event("conference"))
DATED = pytest.mark.parametrize(
    "family", [YOGA, HALL, COURT, RUN, FESTIVAL, COURSE, TALK], ids=lambda family: family[-1].path
)


def booked(*families: list[Opportunity], known: tuple[list[Opportunity], ...] = ()) -> Situation:
    """The situation after Alice and Bob have each booked a space of each Opportunity."""
    items = [item(family, position) for position, family in enumerate(families)]
    asked = request(*items, total_payment_due=PRICE * len(items))
    return having(situation(*families, *known), book(asked), book(asked, BOB))


def change(family: list[Opportunity], **changes: Any) -> ChangeLogistics:
    return ChangeLogistics(opportunity=family[-1].path, actor=MANAGER, **changes)


def later(family: list[Opportunity]) -> dict[str, Any]:
    start, end = family[-1].start, family[-1].end
    assert start is not None
    assert end is not None
    return {"start": start + TOMORROW, "end": end + TOMORROW}


def moved(where: Situation, key: OrderKey = KEY) -> list[bool]:
    return [state.logistics_changed for state in where.records[key].states]
