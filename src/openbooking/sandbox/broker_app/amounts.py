"""Amounts and times as people read them."""

from datetime import UTC, datetime
from decimal import Decimal

from openbooking.openactive.published.values import LOCAL_ZONE

_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency; a price of 0 is free."""
    if not amount:
        return "free"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{amount:.2f}" if symbol else f"{amount:.2f} {currency}".strip()


def clock_time(at: datetime) -> str:
    """Return the time of the day, such as 18:05."""
    return f"{at.astimezone(LOCAL_ZONE):%H:%M}"


def day_and_time(at: datetime) -> str:
    """Return a day and its time, such as `Thursday 3 December, 18:05`."""
    local = at.astimezone(LOCAL_ZONE)
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"


def read_time(text: object) -> datetime | None:
    """Return a time from a reply; None if it has none that can be read."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
