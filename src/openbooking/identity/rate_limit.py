"""The rate limit of API requests of each Booking Partner (OB 11.5)."""

import math
from collections import deque
from collections.abc import Callable, Mapping

from openbooking.booking.model.order import Caller
from openbooking.identity.authentication import Authenticate
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import TooManyRequestsError

_MINUTE = 60.0


def with_rate_limit(authenticate: Authenticate, per_minute: int, monotonic: Callable[[], float]) -> Authenticate:
    """Return an authentication that raises TooManyRequestsError for a partner above its limit.

    Each process counts its own requests. The limit protects other partners from a busy one, and need not be exact.

    Args:
        authenticate: The authentication of requests.
        per_minute: The greatest number of requests of one partner within a minute; 0 for no limit.
        monotonic: Returns the seconds of a monotonic clock.
    """
    if not per_minute:
        return authenticate
    requests: dict[str, deque[float]] = {}

    async def authenticate_within_limit(headers: Mapping[str, str], scope: Scope) -> Caller:
        caller = await authenticate(headers, scope)
        latest, now = requests.setdefault(caller.partner, deque(maxlen=per_minute)), monotonic()
        if len(latest) == per_minute and now - latest[0] < _MINUTE:
            raise TooManyRequestsError(retry_after=max(math.ceil(latest[0] + _MINUTE - now), 1))
        latest.append(now)
        return caller

    return authenticate_within_limit
