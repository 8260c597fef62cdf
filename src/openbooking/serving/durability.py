"""Check of the durability settings of the database server."""

import structlog

from openbooking.settings import Settings
from openbooking.system import opened_store


async def warn_of_weak_durability(settings: Settings) -> None:
    """Log a warning for each setting of the database server that lets acknowledged bookings be lost."""
    log = structlog.get_logger()
    async with opened_store(settings) as store:
        for about, wrong in await store.server_findings():
            log.warning("database.is_not_durable", setting=about, reason=wrong, see="openbooking doctor")
