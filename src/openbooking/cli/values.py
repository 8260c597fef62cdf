"""The values of options: days, periods, amounts of money, prices of items, and details of Sellers and Customers.

A value that is wrong raises `typer.BadParameter`, so that the message names the option.
"""

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import typer

from openbooking.back_office.formats import day_bounds, parse_date
from openbooking.booking.model.colours import InvalidColourError, parse_colour
from openbooking.cli.faults import CommandError
from openbooking.openactive.contact_details import country_problem, email_problem, vat_number_problem
from openbooking.openactive.web_addresses import web_address_problem

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
        raise typer.BadParameter(f"{text!r} is no date such as 2026-12-05.")
    return day


def read_amount(text: str) -> Decimal:
    """Return the amount of money that a text such as 12.50 states."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < _LARGEST:
        raise typer.BadParameter(f"{text!r} is no amount such as 12.50.")
    return amount


def email_option(meaning: str) -> Any:
    """Return an option whose value is an e-mail address."""
    return typer.Option(parser=read_email, metavar="ADDRESS", help=meaning, show_default=False)


def read_email(text: str) -> str:
    """Return an e-mail address without surrounding spaces."""
    return _checked(text, email_problem)


def read_country(text: str) -> str:
    """Return the code of a country, such as GB."""
    return _checked(text, country_problem)


def read_vat_number(text: str) -> str:
    """Return a VAT number, such as GB123456789."""
    return _checked(text, vat_number_problem)


def web_address_option(meaning: str) -> Any:
    """Return an option whose value is a web address."""
    return typer.Option(parser=_read_web_address, metavar="URL", help=meaning)


def _read_web_address(text: str) -> str:
    return _checked(text, web_address_problem)


def read_colour(text: str) -> str:
    """Return a colour, such as #0b5d4e."""
    try:
        return parse_colour(text)
    except InvalidColourError as fault:
        raise typer.BadParameter(str(fault)) from fault


def _checked(text: str, problem: Callable[[str], str]) -> str:
    """Return a text without surrounding spaces, unless there is a problem with it."""
    value = text.strip()
    if message := problem(value):
        raise typer.BadParameter(message)
    return value


class NewPrice(NamedTuple):
    """The number of an item, and its new price."""

    number: int
    price: Decimal


def read_price(text: str) -> NewPrice:
    """Return the number of an item and its new price, which a text such as 2=12.50 states."""
    number, equals, amount = text.partition("=")
    if not equals or not number.isdecimal():
        raise typer.BadParameter(f"{text!r} is not the number of an item with its price, such as 2=12.50.")
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
