"""Formats prices, instants and durations for replies and feeds. Results are cached, because values repeat often."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

_CACHE_SIZE = 10_000


@lru_cache(_CACHE_SIZE)
def write_instant(instant: datetime) -> str:
    """Return an instant in UTC, to the second: 2026-12-01T15:00:00Z (OB-FEED-25, OB-FEED-26)."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


@lru_cache(_CACHE_SIZE)
def write_duration(duration: timedelta) -> str:
    """Return a duration in ISO 8601 form with days, hours, minutes and seconds: P1D, PT1H30M."""
    hours, seconds = divmod(duration.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    days = f"{duration.days}D" if duration.days else ""
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return f"P{days}T{time}" if time else f"P{days or '0D'}"


@lru_cache(_CACHE_SIZE)
def write_price(price: Decimal) -> int | float:
    """Return a price as a JSON number: 12 for 12.00, 12.5 for 12.50 (AMB-31)."""
    return int(price) if price == price.to_integral_value() else float(price)
