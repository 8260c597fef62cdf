"""How much one Booking Partner may ask for (OB 11.5)."""

import math
from collections import deque
from collections.abc import Callable, Mapping

from openbooking.booking.model.order import Caller
from openbooking.identity.authentication import Authenticate
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import TooManyRequestsError

_MINUTE = 60.0


def with_rate_limit(authenticate: Authenticate, per_minute: int, monotonic: Callable[[], float]) -> Authenticate:
    """Refuse partners that have sent so many requests within the last minute; 0 refuses none.

    Each process counts for itself: a limit keeps a partner from crowding out the others, and need not be exact.
    `monotonic` tells seconds.
    """
    if not per_minute:
        return authenticate
    taken: dict[str, deque[float]] = {}

    async def authenticate_within_limit(headers: Mapping[str, str], scope: Scope) -> Caller:
        caller = await authenticate(headers, scope)
        latest, now = taken.setdefault(caller.partner, deque(maxlen=per_minute)), monotonic()
        if len(latest) == per_minute and now - latest[0] < _MINUTE:
            raise TooManyRequestsError(retry_after=max(math.ceil(latest[0] + _MINUTE - now), 1))
        latest.append(now)
        return caller

    return authenticate_within_limit
