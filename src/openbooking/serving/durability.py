"""A check at the start for settings of the database server with which acknowledged bookings can be lost."""

import structlog

from openbooking.settings import Settings
from openbooking.system import use_store


async def warn_of_weak_durability(settings: Settings) -> None:
    """Log a warning for each setting of the database server with which an acknowledged booking can be lost."""
    log = structlog.get_logger()
    async with use_store(settings) as store:
        for about, wrong in await store.server_findings():
            log.warning("database.is_not_durable", setting=about, reason=wrong, see="openbooking doctor")
