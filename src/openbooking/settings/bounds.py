"""The bounds of single settings: types with their least and greatest value, and checks of texts."""

import re
from ipaddress import ip_address, ip_network
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from msgspec import Meta

from openbooking.settings.messages import nearest

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Workers = Annotated[int, Meta(ge=1, le=1_000)]
# These durations are added to the present time, and the result must be before the year 10000 (`datetime.MAXYEAR`).
_MOST_SECONDS = 1_000_000_000
_MOST_MINUTES = 1_000_000
_MOST_HOURS = 100_000
_MOST_DAYS = 10_000
Seconds = Annotated[int, Meta(ge=1, le=_MOST_SECONDS)]
SecondsOrZero = Annotated[int, Meta(ge=0, le=_MOST_SECONDS)]
Minutes = Annotated[int, Meta(ge=1, le=_MOST_MINUTES)]
Hours = Annotated[int, Meta(ge=1, le=_MOST_HOURS)]
Days = Annotated[int, Meta(ge=1, le=_MOST_DAYS)]
DaysOrZero = Annotated[int, Meta(ge=0, le=_MOST_DAYS)]
# Seconds that a server waits for one thing, at most a day. The upper bound also refuses `inf`.
WaitSeconds = Annotated[float, Meta(gt=0, le=86_400)]
WaitSecondsOrZero = Annotated[float, Meta(ge=0, le=86_400)]
# `token` in the grammar of RFC 9110 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def is_header_name(text: str) -> bool:
    """Return whether HTTP allows a header with this name (RFC 9110 5.1)."""
    return _HEADER_NAME.fullmatch(text) is not None


def is_address_list(text: str) -> bool:
    """Return whether a text is empty, or has IP addresses and networks that are separated by commas."""
    try:
        for part in text.split(",") if text else ():
            (ip_network if "/" in part else ip_address)(part.strip())
    except ValueError:
        return False
    return True


def is_time_zone(name: str) -> bool:
    """Return whether the IANA database has a time zone with this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def nearest_time_zone(name: str) -> str:
    """Return the name of the time zone that a wrong name resembles most; empty if it resembles none."""
    zones = {zone.lower(): zone for zone in available_timezones()}
    return zones.get(nearest(name, sorted(zones)), "")
