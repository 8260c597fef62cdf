"""How much one Booking Partner may ask for (OB 11.5)."""

import math
import time
from collections.abc import Mapping

from openbooking.booking.order import Caller
from openbooking.identity.access import Authenticate
from openbooking.identity.scopes import Scope
from openbooking.spec.errors import TooManyRequestsError


def limited(authenticate: Authenticate, per_minute: int) -> Authenticate:
    """Refuse partners that have sent so many requests within the last minute; 0 refuses none.

    Each process counts for itself: a limit keeps a partner from crowding out the others, and need not be exact.
    """
    if not per_minute:
        return authenticate
    # Long to load, and most do without.
    from limits import RateLimitItemPerMinute  # noqa: PLC0415
    from limits.storage import MemoryStorage  # noqa: PLC0415
    from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

    limiter, limit = MovingWindowRateLimiter(MemoryStorage()), RateLimitItemPerMinute(per_minute)

    async def authenticate_within_limit(headers: Mapping[str, str], scope: Scope) -> Caller:
        caller = await authenticate(headers, scope)
        if not limiter.hit(limit, caller.partner):
            reset_time, _ = limiter.get_window_stats(limit, caller.partner)
            raise TooManyRequestsError(retry_after=max(math.ceil(reset_time - time.time()), 1))
        return caller

    return authenticate_within_limit
