"""The values of options: days, periods, amounts of money and prices of items."""

from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import typer

from openbooking.back_office.formats import day_bounds, parse_date
from openbooking.cli.faults import MISUSE, CommandError

_EARLIEST, _LATEST = date(1970, 1, 2), date(9999, 1, 1)
_LARGEST = 10**9


def day_option(meaning: str, *names: str, default: str = "") -> Any:
    """Return an option whose value is a day.

    Args:
        meaning: The meaning of the day, for --help.
        names: The name of the option, if it is not that of the parameter.
        default: The default in words.
    """
    return typer.Option(*names, parser=read_day, metavar="DAY", help=meaning, show_default=default or False)


def amount_option(meaning: str) -> Any:
    """Return an option whose value is an amount of money."""
    return typer.Option(parser=read_amount, metavar="AMOUNT", help=meaning)


def read_day(text: str) -> date:
    """Return the day that a text such as 2026-12-05 names."""
    day = parse_date(text)
    if day is None or not _EARLIEST <= day <= _LATEST:
        raise CommandError(f"{text} is no date such as 2026-12-05.", MISUSE)
    return day


def read_amount(text: str) -> Decimal:
    """Return the amount of money that a text such as 12.50 states."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < _LARGEST:
        raise CommandError(f"{text} is no amount such as 12.50.", MISUSE)
    return amount


class NewPrice(NamedTuple):
    """The number of an item, and its new price."""

    number: int
    price: Decimal


def read_price(text: str) -> NewPrice:
    """Return the number of an item and its new price, which a text such as 2=12.50 states."""
    number, equals, amount = text.partition("=")
    if not equals or not number.isdecimal():
        raise CommandError(f"{text} is not the number of an item with its price, such as 2=12.50.", MISUSE)
    return NewPrice(int(number), read_amount(amount))


def read_period(first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant of the first day, and the first instant after the last day."""
    if last < first:
        raise CommandError(f"The last day, {last}, is before the first day, {first}.")
    return day_bounds(first, zone)[0], day_bounds(last, zone)[1]


def read_open_period(first: date | None, last: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return the bounds of a period as `read_period` does; None for a bound that is not given."""
    since, until = read_period(first or _EARLIEST, last or _LATEST, zone)
    return since if first else None, until if last else None
