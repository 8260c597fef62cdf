"""Charts of amounts."""

from decimal import Decimal
from itertools import pairwise

import pytest

from openbooking.web.console.money.charts import HEIGHT, WIDTH, Bar, column_chart


def bars(*amounts: str) -> list[Bar]:
    return [Bar(f"day {number}", str(number), Decimal(sold), Decimal(0)) for number, sold in enumerate(amounts)]


def test_a_column_is_as_high_as_its_amount() -> None:
    low, high = column_chart("GBP", bars("10", "20")).columns
    assert high.height == pytest.approx(2 * low.height, abs=0.2)
    assert low.y + low.height == pytest.approx(high.y + high.height, abs=0.2)


@pytest.mark.parametrize(
    ("highest", "lines"),
    [("24", "0 10 20 30"), ("99", "0 50 100"), ("0.37", "0.00 0.10 0.20 0.30 0.40"), ("8000", "0 2000 4000 6000 8000")],
)
def test_the_grid_has_round_amounts_up_to_the_highest(highest: str, lines: str) -> None:
    chart = column_chart("GBP", bars("0", highest))
    assert [line.amount for line in chart.lines] == [Decimal(amount) for amount in lines.split()]


@pytest.mark.parametrize("number", [1, 31, 366])
def test_columns_and_labels_stay_within_the_chart(number: int) -> None:
    chart = column_chart("GBP", bars(*(["12"] * number)))
    assert len(chart.columns) == number
    assert all(0 <= column.x <= WIDTH - column.width and 0 <= column.y < HEIGHT for column in chart.columns)
    places = [text.x for text in chart.texts]
    assert all(later - earlier >= 50 for earlier, later in pairwise(places))


def test_an_amount_of_nothing_has_no_column() -> None:
    chart = column_chart("GBP", bars("0", "0"))
    assert chart.columns == ()
    assert [line.amount for line in chart.lines] == [0, 1]
