"""The prepayment of Offers and Orders, and the Offers that may have a `prepayment`."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.policy import Policy
from openbooking.booking.rules.orders.prepayment import (
    can_be_prepaid,
    drop_invalid_prepayment,
    prepayment_of,
    prepayment_of_all,
)
from openbooking.openactive.terms import Availability
from support.builders import PRICE, after, offer, session, situation
from support.parties import MANAGER

REQUIRED, OPTIONAL, UNAVAILABLE = Availability.REQUIRED, Availability.OPTIONAL, Availability.UNAVAILABLE


@pytest.mark.spec("OB-BKBL-21", "OB-BKBL-23")
@pytest.mark.parametrize(
    ("price", "in_advance", "expected"),
    [
        (PRICE, None, True),
        (PRICE, REQUIRED, True),
        (PRICE, OPTIONAL, True),
        (PRICE, UNAVAILABLE, False),
        (Decimal(0), None, False),
        (Decimal(0), OPTIONAL, False),
    ],
)
def test_an_offer_that_is_free_or_not_booked_in_advance_has_no_prepayment(
    price: Decimal, in_advance: Availability | None, expected: bool
) -> None:
    made = offer("session-series/yoga", price=price, in_advance=in_advance, prepayment=OPTIONAL)
    assert can_be_prepaid(price, in_advance) is expected
    assert drop_invalid_prepayment(made, supported=True).prepayment is (OPTIONAL if expected else None)


@pytest.mark.spec("OB-PREP-02")
@pytest.mark.parametrize("supported", [True, False])
def test_prepayment_is_published_only_where_the_policy_supports_it(supported: bool) -> None:
    series, made = session()
    priced = replace(series, offers=(replace(series.offers[0], prepayment=OPTIONAL),))
    where = after(situation(policy=Policy(prepayment=supported)), Publish((priced, made), actor=MANAGER))
    assert where.opportunities[series.path].offers[0].prepayment is (OPTIONAL if supported else None)


@pytest.mark.spec("OB-PREP-08")
def test_a_priced_offer_requires_prepayment_by_default_and_a_free_one_never_does() -> None:
    for prepayment, effective in ((None, REQUIRED), (OPTIONAL, OPTIONAL), (UNAVAILABLE, UNAVAILABLE)):
        assert prepayment_of(offer("o", prepayment=prepayment)) is effective
        assert prepayment_of(offer("o", price=Decimal(0), prepayment=prepayment)) is UNAVAILABLE


@pytest.mark.spec("OB-PREP-03", "OB-PREP-04", "OB-PREP-05")
@pytest.mark.parametrize(
    ("prepayments", "expected"),
    [
        ((), UNAVAILABLE),
        ((UNAVAILABLE, UNAVAILABLE), UNAVAILABLE),
        ((UNAVAILABLE, OPTIONAL), OPTIONAL),
        ((OPTIONAL, REQUIRED, UNAVAILABLE), REQUIRED),
        ((None, OPTIONAL), REQUIRED),
    ],
)
def test_an_order_has_the_strictest_prepayment_of_its_offers(
    prepayments: tuple[Availability | None, ...], expected: Availability
) -> None:
    assert prepayment_of_all(offer("o", prepayment=prepayment) for prepayment in prepayments) is expected
