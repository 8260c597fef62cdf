"""The planned times of occurrences, and the occurrences that staff has moved."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.rules.opportunities.planned_times import is_moved, planned_time_suffix
from openbooking.openactive.opportunity_types import OpportunityType

START, LENGTH = datetime(2026, 12, 1, 18, 15, tzinfo=UTC), timedelta(minutes=60)
PATH = f"slots/centre.spin{planned_time_suffix(START, 60)}"
SLOT = Opportunity(path=PATH, type=OpportunityType.SLOT, seller="centre", start=START, end=START + LENGTH)


def test_a_path_ends_with_the_planned_time() -> None:
    assert PATH == "slots/centre.spin.20261201T1815Z.60"


def test_an_occurrence_at_its_planned_time_is_not_moved() -> None:
    assert not is_moved(SLOT)


@pytest.mark.parametrize("changes", [{"start": START - LENGTH}, {"end": START + 2 * LENGTH}, {"end": None}])
def test_an_occurrence_at_another_time_is_moved(changes: dict[str, datetime | None]) -> None:
    assert is_moved(replace(SLOT, **changes))


@pytest.mark.parametrize(
    "changes",
    [{"path": "events/centre.spin"}, {"path": "slots/imported.k7", "start": START - LENGTH}, {"start": None}],
)
def test_an_opportunity_without_a_planned_time_is_not_moved(changes: dict[str, object]) -> None:
    assert not is_moved(replace(SLOT, **changes))
