"""Dates, times and money on pages and in tables, as people in the United Kingdom write them."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

_A_MINUTE, _AN_HOUR, _A_DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def format_date(day: date | datetime) -> str:
    """Return a date with its day of the week, such as `Saturday 5 December 2026`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def format_short_date(day: date | datetime) -> str:
    """Return a date for tables, such as `Sat 5 Dec 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def format_time(instant: datetime) -> str:
    """Return the time of day, such as `19:15`."""
    return f"{instant:%H:%M}"


def format_money(amount: Decimal, currency: str | None = "GBP") -> str:
    """Return an amount of money, such as `£1,234.50` or `-£5.00`; a currency without a symbol is named by its code."""
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency or "GBP", f"{currency} ")
    return f"{sign}{symbol}{abs(amount):,.2f}"


def format_month(month: str) -> str:
    """Return the name of a month that is given as `2026-12`: `December 2026`."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def parse_date(text: str) -> date | None:
    """Return the date in a field of a form or query (`2026-12-05`), or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the first instant of a day in a time zone, and the first instant after the day."""
    begin = datetime.combine(day, time(), zone)
    return begin.astimezone(UTC), datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def format_duration(duration: timedelta) -> str:
    """Return a duration in its largest unit, such as "3 hours"."""
    for unit, name in ((_A_DAY, "day"), (_AN_HOUR, "hour"), (_A_MINUTE, "minute")):
        number = duration // unit
        if number:
            return f"{number} {name}{'s' if number > 1 else ''}"
    return "less than a minute"
