"""The checks of `openbooking check`: what would go wrong if a server started with these settings now.

`database`, `network` and `publication` have the checks of one subject each. A check changes nothing.
"""

from collections.abc import Iterator

from openbooking.clock import SystemClock
from openbooking.serving.start_checks.database import check_database
from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.serving.start_checks.network import check_mail, check_port, check_site
from openbooking.serving.start_checks.publication import check_publication, check_secrets
from openbooking.settings import Settings

__all__ = ["Finding", "Result", "check_start"]


def check_start(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each thing that a server needs."""
    clock = SystemClock()
    yield from check_database(settings, clock)
    yield from check_port(settings)
    yield from check_site(settings)
    yield from check_secrets(settings)
    yield from check_mail(settings)
    yield from check_publication(settings, clock)
