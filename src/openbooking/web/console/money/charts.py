"""Charts as SVG shapes, whose positions are attributes, because the pages allow no inline styles.

A template draws the shapes. Each chart stands beside a table with the same amounts.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import NamedTuple

WIDTH, HEIGHT = 640, 240
SOLD, CANCELLED = "sold", "cancelled"
_LEFT, _BOTTOM, _TOP = 64, 24, 8
# A column with its gap, and the room that a label of the axis takes.
_WIDEST_COLUMN, _LABEL_ROOM = 144, 72
# A letter is about as wide as this.
_LETTER = 6.5
_STEPS = (1, 2, 5, 10, 20, 50)
_MOST_LINES = 4


class Bar(NamedTuple):
    """The amounts of one group.

    Attributes:
        label: The name of the group.
        axis_label: A short name for the axis.
        sold: What was sold.
        cancelled: What was cancelled.
    """

    label: str
    axis_label: str
    sold: Decimal
    cancelled: Decimal


class Rectangle(NamedTuple):
    """A column of the chart: its kind (SOLD or CANCELLED), position, and what it stands for."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    label: str
    amount: Decimal


class AxisText(NamedTuple):
    """A text at an axis."""

    x: float
    y: float
    text: str


class GridLine(NamedTuple):
    """A horizontal line at an amount."""

    y: float
    amount: Decimal


class ColumnChart(NamedTuple):
    """A chart with two columns for each group.

    Attributes:
        currency: The currency of the amounts.
        columns: The columns.
        lines: The lines of the grid.
        texts: The names of the groups; not all of them, if there are many.
    """

    currency: str
    columns: tuple[Rectangle, ...]
    lines: tuple[GridLine, ...]
    texts: tuple[AxisText, ...]


def column_chart(currency: str, bars: Sequence[Bar]) -> ColumnChart:
    """Return the chart of the amounts of one currency."""
    lines = _grid(max((max(bar.sold, bar.cancelled) for bar in bars), default=Decimal(0)))
    top, floor = lines[-1], HEIGHT - _BOTTOM
    step = min((WIDTH - _LEFT) / max(len(bars), 1), _WIDEST_COLUMN)
    width = min(step * 0.4, _WIDEST_COLUMN / 4)
    columns = [
        _column(kind, _LEFT + (number + 0.5) * step + place * width, width, bar, top)
        for number, bar in enumerate(bars)
        for kind, place, amount in ((SOLD, -1, bar.sold), (CANCELLED, 0, bar.cancelled))
        if amount > 0
    ]
    every = ceil(_LABEL_ROOM / step)
    texts = [
        AxisText(round(_LEFT + (number + 0.5) * step, 1), HEIGHT - 6, _shorten(bar.axis_label, step * every))
        for number, bar in enumerate(bars)
        if number % every == 0
    ]
    grid = [GridLine(round(floor - _length(amount, top), 1), amount) for amount in lines]
    return ColumnChart(currency, tuple(columns), tuple(grid), tuple(texts))


def _column(kind: str, x: float, width: float, bar: Bar, top: Decimal) -> Rectangle:
    amount = bar.sold if kind == SOLD else bar.cancelled
    # An amount that is not 0 is at least a thin line.
    height = max(_length(amount, top), 1.0)
    y = HEIGHT - _BOTTOM - height
    return Rectangle(kind, round(x, 1), round(y, 1), round(width, 1), round(height, 1), bar.label, amount)


def _shorten(text: str, room: float) -> str:
    most = int(room / _LETTER)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _length(amount: Decimal, top: Decimal) -> float:
    return float(amount / top) * (HEIGHT - _BOTTOM - _TOP)


def _grid(highest: Decimal) -> list[Decimal]:
    """Return 0 and up to four round amounts, of which the last one is not below the highest amount."""
    unit = Decimal(10) ** (highest.adjusted() - 1) if highest > 0 else Decimal(1)
    step = next(unit * factor for factor in _STEPS if unit * factor * _MOST_LINES >= highest)
    count = max(ceil(highest / step), 1)
    return [step * number for number in range(count + 1)]
