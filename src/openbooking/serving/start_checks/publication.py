"""The checks of what others see: secrets, trial settings, and the details of the dataset site."""

from collections.abc import Iterator
from pathlib import Path

from openbooking.clock import Clock
from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.settings import AccessMode, Settings
from openbooking.web.api.conformance import check_certificate

_SHORTEST_TOKEN = 20
# The settings that the dataset site shows, with what is missing without them.
_SHOWN = {
    "publisher_email": "an address to which people write about the open data",
    "terms_of_service": "the terms of this Booking System",
}


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Yield whether secrets are long enough, and nothing is open that is for trials only."""
    if settings.metrics_token and len(settings.metrics_token) < _SHORTEST_TOKEN:
        remedy = f"Set OPENBOOKING_METRICS_TOKEN to at least {_SHORTEST_TOKEN} random characters."
        yield Finding("secrets", Result.WARNING, "The token of /metrics is short enough to be guessed.", remedy)
    elif settings.metrics_token:
        yield Finding("secrets", Result.OK, "/metrics has a token.")
    else:
        yield Finding("secrets", Result.OK, "/metrics is off, because it has no token.")
    if settings.test_interface and not settings.is_local:
        remedy = "Leave OPENBOOKING_TEST_INTERFACE out, except on a system with made-up data."
        yield Finding("test interface", Result.WARNING, "Everybody may create and delete data.", remedy)
    if settings.access is AccessMode.HEADERS:
        message = f"Whoever sends the header {settings.trusted_partner_header} is that Booking Partner."
        yield Finding("access", Result.WARNING, message, "Only the gateway may reach this server.")


def check_publication(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Yield which details the dataset site lacks, and whether it names the conformance certificate."""
    missing = {name: meaning for name, meaning in _SHOWN.items() if not getattr(settings, name)}
    for name, meaning in missing.items():
        remedy = f"Set OPENBOOKING_{name.upper()}."
        yield Finding("dataset site", Result.WARNING, f"It does not show {meaning}.", remedy)
    if settings.name == Settings().name:
        message = f"Brokers and Customers see the name {settings.name}."
        yield Finding("dataset site", Result.WARNING, message, "Set OPENBOOKING_NAME to the name of your system.")
    elif not missing:
        yield Finding("dataset site", Result.OK, "It is complete.")
    yield from _check_certificate(settings, clock)


def _check_certificate(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Yield whether the dataset site names the conformance certificate; nothing without a file of one."""
    file = settings.conformance_certificate
    if not file or "://" in file:
        return
    if faults := check_certificate(settings, Path(file), clock()).faults:
        message = f"The dataset site will not name the conformance certificate. {' '.join(faults)}"
        remedy = "Correct OPENBOOKING_CONFORMANCE_CERTIFICATE, or make a new certificate with the Test Suite."
        yield Finding("certificate", Result.WARNING, message, remedy)
    else:
        yield Finding("certificate", Result.OK, f"The dataset site names the conformance certificate {file}.")
