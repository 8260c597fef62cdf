"""When a request is sent again: after a network failure, a 503 or a 429 (OB-BRK-03, OB-BRK-09)."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from openbooking.broker.flow import Answer, Flow, NoAnswerError, pause
from openbooking.openactive.errors import Retry

_REPEATED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_MOST_DIGITS = 9


class Retries(NamedTuple):
    """How often and when a request is sent again.

    Attributes:
        attempts: The most requests.
        first_pause: Seconds before the second request. Each further pause is twice as long.
        longest_pause: The most seconds of a pause, whatever `Retry-After` says.
    """

    attempts: int = 5
    first_pause: float = 1
    longest_pause: float = 60


def repeat(attempt: Callable[[], Flow[Answer]], retries: Retries) -> Flow[Answer]:
    """Send a request until an answer comes that is neither a 429 nor a 503, and return the last answer.

    Args:
        attempt: Sends the request, with the same bytes each time.
        retries: How often and when the request is sent again.

    Raises:
        NoAnswerError: No answer came to the last attempt, or no further attempt can succeed.
    """
    wait = retries.first_pause
    for _ in range(retries.attempts - 1):
        try:
            answer = yield from attempt()
        except NoAnswerError as fault:
            if fault.retry is Retry.NEVER:
                raise
            asked, reason = None, f"No answer came: {fault}"
        else:
            if answer.status not in _REPEATED:
                return answer
            asked, reason = retry_after(answer), f"The answer has status {answer.status}."
        yield from pause(min(wait if asked is None else asked, retries.longest_pause), reason)
        wait *= 2
    return (yield from attempt())


def retry_after(answer: Answer) -> float | None:
    """Return the seconds to wait that an answer asks for, as a number or as a date; None if it does not say.

    A date is compared with the `Date` of the same answer, so that a wrong clock on either side does no harm.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return float(text)
    until, sent = _date(text), _date(answer.headers.get("date", ""))
    if until is None:
        return None
    return max(0.0, (until - (sent or datetime.now(UTC))).total_seconds())


def _date(text: str) -> datetime | None:
    """Return the date of a header, or None if the text is no date."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)
