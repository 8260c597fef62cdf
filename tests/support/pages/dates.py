"""The dates of the pages, which are written as if today were the first day of December 2026."""

import re
from datetime import UTC, date, datetime, timedelta

_WRITTEN = date(2026, 12, 1)
_DATE = re.compile(
    r"(?P<iso>\b202[67]-\d\d-\d\d)|(?P<british>\b\d\d/\d\d/202[67])|(?P<compact>(?<!\d)202[67][01]\d[0-3]\d(?!\d))"
)
_FORMATS = {"iso": "%Y-%m-%d", "british": "%d/%m/%Y", "compact": "%Y%m%d"}


def shift_dates(text: str) -> str:
    """Move the dates of a text by whole weeks, so that the day on which it was written is within the next six days."""
    today = datetime.now(UTC).date()
    weeks = -((_WRITTEN - today).days // 7)
    return _DATE.sub(lambda found: _shifted(found, timedelta(weeks=weeks)), text)


def _shifted(found: re.Match[str], by: timedelta) -> str:
    format_ = _FORMATS[found.lastgroup or ""]
    return (datetime.strptime(found[0], format_).replace(tzinfo=UTC) + by).strftime(format_)
