"""The values of options."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import typer
from typer.testing import CliRunner

from openbooking.cli.faults import CommandError
from openbooking.cli.output import ask, show
from openbooking.cli.values import (
    NewPrice,
    read_amount,
    read_day,
    read_email,
    read_open_period,
    read_period,
    read_price,
)


def test_values_are_read() -> None:
    assert read_day("2026-12-05") == date(2026, 12, 5)
    assert read_amount("12.50") == Decimal("12.50")
    assert read_price("2=12.50") == NewPrice(2, Decimal("12.50"))


@pytest.mark.parametrize("text", ["", "5 December", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_text_that_is_no_usable_day_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no date"):
        read_day(text)


@pytest.mark.parametrize("text", ["", "ten", "NaN", "Infinity", "-1", "1e12"])
def test_a_text_that_is_no_usable_amount_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no amount"):
        read_amount(text)


@pytest.mark.parametrize("text", ["12.50", "=12.50", "x=12.50", "-1=12.50"])
def test_a_price_without_the_number_of_an_item_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"such as 2=12\.50"):
        read_price(text)


def test_the_last_day_belongs_to_a_period() -> None:
    day = date(2026, 12, 5)
    assert read_period(day, day, UTC) == (datetime(2026, 12, 5, tzinfo=UTC), datetime(2026, 12, 6, tzinfo=UTC))


def test_an_open_period_has_the_bounds_that_are_given() -> None:
    assert read_open_period(None, None, UTC) == (None, None)
    assert read_open_period(date(2026, 12, 5), None, UTC) == (datetime(2026, 12, 5, tzinfo=UTC), None)
    with pytest.raises(CommandError, match="before the first day"):
        read_open_period(date(2026, 12, 5), date(2026, 12, 4), UTC)


def test_a_wrong_answer_is_asked_for_again() -> None:
    asking = typer.Typer()

    @asking.command()
    def book() -> None:
        show(ask("E-mail address", read_email))

    result = CliRunner().invoke(asking, input="nonsense\nsam@example.net\n")
    assert "'nonsense' is no e-mail address" in result.stderr
    assert result.stdout.splitlines()[-1] == "sam@example.net"
