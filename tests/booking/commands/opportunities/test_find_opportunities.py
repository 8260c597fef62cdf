"""The commands that return Opportunities, by their paths or sources."""

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import (
    FindBySource,
    FindOccurrences,
    GetOpportunities,
    GetOpportunity,
)
from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.model.spaces import Spaces
from openbooking.openactive.errors import NotFoundError
from support.builders import session, situation
from support.parties import MANAGER

SERIES, YOGA = (replace(member, source="feed-1") for member in session("yoga"))
_, PILATES = (replace(member, source="feed-2/pilates") for member in session("pilates"))
OFF_SALE = replace(session("off")[1], source="feed-2/off", sale=SaleState.UNPUBLISHED)
WITHDRAWN = replace(session("withdrawn")[1], source="feed-2/withdrawn", withdrawn=True)
WHERE = situation([SERIES, YOGA], [PILATES, OFF_SALE, WITHDRAWN])


def test_opportunities_are_found_by_their_paths_on_sale_or_not() -> None:
    paths = frozenset({YOGA.path, OFF_SALE.path, WITHDRAWN.path, "slots/unknown"})
    found = GetOpportunities(paths, actor=MANAGER).decide(WHERE)
    assert found.reply == {YOGA.path: YOGA, OFF_SALE.path: OFF_SALE}
    assert found.changes == ()


def test_opportunities_are_found_by_the_beginnings_of_their_sources() -> None:
    found = FindBySource(frozenset({"feed-2/", "other"}), actor=MANAGER).decide(WHERE)
    assert found.reply == {PILATES.path: PILATES, OFF_SALE.path: OFF_SALE}
    assert found.changes == ()


def test_occurrences_are_found_with_the_numbers_of_their_booked_spaces() -> None:
    where = replace(WHERE, spaces={YOGA.path: Spaces(booked=3, leased=1)})
    found = FindOccurrences(sources=frozenset({"feed-1", "feed-2/withdrawn"}), actor=MANAGER).decide(where).reply
    assert found.opportunities == {SERIES.path: SERIES, YOGA.path: YOGA, WITHDRAWN.path: WITHDRAWN}
    assert found.booked == {SERIES.path: 0, YOGA.path: 3, WITHDRAWN.path: 0}


@pytest.mark.parametrize("opportunity", [YOGA, OFF_SALE])
def test_an_opportunity_is_found_by_its_path(opportunity: Opportunity) -> None:
    assert GetOpportunity(opportunity.path, actor=MANAGER).decide(WHERE).reply == opportunity


@pytest.mark.parametrize("path", [WITHDRAWN.path, "slots/unknown"])
def test_a_withdrawn_or_unknown_opportunity_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError):
        GetOpportunity(path, actor=MANAGER).decide(WHERE)
