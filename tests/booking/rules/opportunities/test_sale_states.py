"""The table of sale states, and the functions that change the sale state."""

from datetime import timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from openbooking.booking.model.opportunity import Opportunity, SaleState
from openbooking.booking.rules.opportunities import sale_states
from openbooking.booking.rules.opportunities.sale_states import SALE_TRANSITIONS, SaleEvent
from support.builders import NOW, session

YOGA = session()
ON_SALE, UNPUBLISHED, NOT_UNDERSTOOD, OVER = SaleState


@pytest.mark.parametrize(("known", "published"), [*product([None, *SaleState], SaleState)])
def test_a_publication_never_puts_an_unpublished_opportunity_on_sale(
    known: SaleState | None, published: SaleState
) -> None:
    stored = replace(YOGA[-1], sale=known) if known else None
    new = replace(YOGA[-1], capacity=7, sale=published)
    expected = UNPUBLISHED if known is UNPUBLISHED else published
    both = expected is UNPUBLISHED and published is NOT_UNDERSTOOD
    assert sale_states.publish_sale_state(stored, new) == replace(new, sale=expected, not_understood=both)


@pytest.mark.parametrize(("before", "chosen"), [*product(SaleState, repeat=2)])
def test_a_seller_puts_only_understood_opportunities_on_sale(before: SaleState, chosen: SaleState) -> None:
    spoilt = replace(YOGA[-1], sale=before, not_understood=before is not NOT_UNDERSTOOD)
    off = NOT_UNDERSTOOD if chosen is ON_SALE else chosen
    expected = replace(YOGA[-1], sale=off, not_understood=off is not NOT_UNDERSTOOD)
    assert sale_states.choose_sale_state(spoilt, chosen) == expected
    if before is not NOT_UNDERSTOOD:
        good = replace(YOGA[-1], sale=before)
        assert sale_states.choose_sale_state(good, chosen) == replace(good, sale=chosen)


def test_an_import_takes_opportunities_off_sale_that_it_does_not_understand() -> None:
    states = {sale: sale_states.mark_not_understood(replace(YOGA[-1], sale=sale)) for sale in SaleState}
    assert {sale: (new.sale, new.not_understood) for sale, new in states.items()} == {
        ON_SALE: (NOT_UNDERSTOOD, False),
        UNPUBLISHED: (UNPUBLISHED, True),
        NOT_UNDERSTOOD: (NOT_UNDERSTOOD, False),
        OVER: (OVER, True),
    }
    withdrawn = replace(YOGA[-1], withdrawn=True)
    assert sale_states.mark_not_understood(withdrawn) == withdrawn
    unpublished = replace(withdrawn, sale=UNPUBLISHED)
    assert sale_states.mark_not_understood(unpublished) == replace(unpublished, not_understood=True)


def test_a_repeated_publication_does_not_bring_back_an_opportunity_that_is_over() -> None:
    stored = replace(YOGA[-1], sale=OVER)
    assert stored.end is not None
    repeated = replace(YOGA[-1], capacity=7)
    assert sale_states.keep_over(stored, repeated, stored.end) == replace(repeated, sale=OVER)
    moved = replace(repeated, end=stored.end + timedelta(days=7))
    for known, published, now in ((stored, moved, stored.end), (stored, repeated, NOW), (None, repeated, stored.end)):
        assert sale_states.keep_over(known, published, now) == published


@pytest.mark.parametrize("sale", SaleState)
def test_an_opportunity_that_is_over_stays_unpublished_or_is_marked_as_over(sale: SaleState) -> None:
    stored = replace(YOGA[-1], sale=sale)
    expected = UNPUBLISHED if sale is UNPUBLISHED else OVER
    assert sale_states.opportunity_when_over(stored) == replace(
        stored, sale=expected, not_understood=sale is NOT_UNDERSTOOD
    )


STEPS = ("put on sale", "take off sale", "publish", "publish not understood", "mark not understood")


def change(member: Opportunity, step: str) -> Opportunity:
    match step:
        case "put on sale" | "take off sale":
            return sale_states.choose_sale_state(member, ON_SALE if step == "put on sale" else UNPUBLISHED)
        case "mark not understood":
            return sale_states.mark_not_understood(member)
        case _:
            sale = ON_SALE if step == "publish" else NOT_UNDERSTOOD
            return sale_states.publish_sale_state(member, replace(YOGA[-1], sale=sale))


@pytest.mark.parametrize("steps", [*product(STEPS, repeat=3)], ids=", ".join)
def test_an_opportunity_is_on_sale_only_if_it_is_understood_and_not_unpublished(steps: tuple[str, ...]) -> None:
    """Both facts are kept apart here, as two booleans."""
    member, is_unpublished, is_understood = YOGA[-1], False, True
    for step in steps:
        member = change(member, step)
        match step:
            case "take off sale" | "put on sale":
                is_unpublished = step == "take off sale"
            case _:
                is_understood = step == "publish"
        assert (member.sale is ON_SALE) is (is_understood and not is_unpublished)
        assert (member.sale is UNPUBLISHED) is is_unpublished


def test_the_table_of_sale_states_has_a_row_for_each_event_and_each_state() -> None:
    assert SALE_TRANSITIONS.keys() == set(SaleEvent)
    assert all(table.keys() == set(SaleState) for table in SALE_TRANSITIONS.values())


@pytest.mark.parametrize("sale", SaleState)
@pytest.mark.parametrize("cancelled_here", [False, True])
def test_only_a_withdrawn_opportunity_that_its_seller_unpublished_or_cancelled_stays_stored(
    sale: SaleState, cancelled_here: bool
) -> None:
    member = replace(YOGA[-1], sale=sale, cancelled_here=cancelled_here)
    left = replace(member, parent=None, withdrawn=True) if cancelled_here or sale is UNPUBLISHED else None
    assert sale_states.withdrawn_opportunity(member) == left
