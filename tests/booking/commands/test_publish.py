"""Publishing Opportunities."""

import pytest

from openbooking.booking.commands.publish import Publish
from support.builders import after, situation, slot
from support.parties import MANAGER


@pytest.mark.spec("OB-BKBL-33")
@pytest.mark.parametrize(
    ("individual", "capacity", "expected"),
    [(True, 5, 1), (True, 1, 1), (True, 0, 0), (False, 5, 5)],
)
def test_a_slot_of_an_individual_facility_is_published_with_one_space(
    individual: bool, capacity: int, expected: int
) -> None:
    family = slot("court", individual=individual, capacity=capacity)
    together = after(situation(), Publish(tuple(family), actor=MANAGER))
    alone = after(situation(family[:-1]), Publish((family[-1],), actor=MANAGER))
    for where in (together, alone):
        assert where.opportunities[family[-1].path].capacity == expected
