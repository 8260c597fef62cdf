"""The plans to put Opportunities on sale, and to take them off sale."""

import pytest
from msgspec.structs import replace

from openbooking.back_office.plans.sale_plans import plan_sale_state
from openbooking.booking.model.opportunity import Opportunity, SaleState
from support.builders import session
from support.parties import MANAGER

SERIES = session()[0]
SPOILT = replace(SERIES, sale=SaleState.UNPUBLISHED, not_understood=True)


@pytest.mark.parametrize("opportunity", [SPOILT, replace(SERIES, sale=SaleState.NOT_UNDERSTOOD)])
def test_a_plan_does_not_promise_a_sale_of_an_opportunity_that_is_not_understood(opportunity: Opportunity) -> None:
    plan = plan_sale_state(opportunity, SaleState.ON_SALE, MANAGER)
    assert plan.done == "Yoga stays off sale, because the last import did not understand its latest version."


def test_a_plan_says_what_is_on_sale_then() -> None:
    unpublished = replace(SERIES, sale=SaleState.UNPUBLISHED)
    assert plan_sale_state(unpublished, SaleState.ON_SALE, MANAGER).done == "Yoga is on sale."
    assert plan_sale_state(SPOILT, SaleState.UNPUBLISHED, MANAGER).done == "Yoga is not on sale. Its Orders stay."
