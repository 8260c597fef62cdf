"""The checks of settings that their types do not make: the form of texts, and settings that need each other."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from openbooking.openactive.contact_details import is_ascii_email, is_email
from openbooking.openactive.web_addresses import is_web_address
from openbooking.settings.bounds import is_address_list, is_header_name, is_time_zone, nearest_time_zone
from openbooking.settings.choices import AccessMode, SmtpSecurity
from openbooking.settings.dataset_site import dataset_site_faults
from openbooking.settings.messages import both_names, wrong_text
from openbooking.site_address import LOCAL_HOSTS, is_path, is_site_address

if TYPE_CHECKING:
    from openbooking.settings.definitions import Settings


def contradictions(settings: "Settings") -> Iterator[str]:
    """Yield a message for each malformed text, and for each two settings that contradict each other."""
    yield from _site_contradictions(settings)
    yield from _access_contradictions(settings)
    yield from _mail_contradictions(settings)
    yield from _publication_contradictions(settings)
    yield from dataset_site_faults(settings)


def _must_be(settings: "Settings", name: str, requirement: str) -> str:
    """Return the message about a malformed text."""
    return wrong_text(name, getattr(settings, name), requirement)


def _site_contradictions(settings: "Settings") -> Iterator[str]:
    if settings.site_url and not is_site_address(settings.site_url):
        yield _must_be(
            settings,
            "site_url",
            "a scheme and a host, with a port up to 65535 and the path of the mount if any, such as "
            "https://example.com or https://example.com/booking; api_path is the path of the API below it",
        )
    # Keys, tokens and passwords need TLS (OB-SEC-01). With access by headers, the gateway uses TLS.
    elif not (settings.access is AccessMode.HEADERS or settings.is_local or settings.site.startswith("https://")):
        reason = "" if settings.site_url else f" Set it, because {both_names('host')} is not an address of localhost."
        yield (
            f"{both_names('site_url')} must begin with https://, except on localhost or if access is headers; "
            f"it is {settings.site}.{reason}"
        )
    if not is_path(settings.api_path):
        yield _must_be(settings, "api_path", "a path such as /api or /v1/booking")


def _access_contradictions(settings: "Settings") -> Iterator[str]:
    if (settings.access is AccessMode.HEADERS) != bool(settings.trusted_partner_header):
        partner = both_names("trusted_partner_header")
        yield f"{both_names('access')} must be headers if {partner} is set, and only then."
    for name in ("trusted_partner_header", "trusted_seller_header"):
        header = getattr(settings, name)
        if header and not is_header_name(header):
            yield _must_be(settings, name, "the name of an HTTP header, such as X-Partner")
    # uvicorn compares other texts, such as the name of a proxy, with addresses, and never finds them.
    if not is_address_list(settings.trusted_proxies):
        addresses = "IP addresses or networks, such as 10.0.0.2 or 10.0.0.0/24, separated by commas"
        yield _must_be(settings, "trusted_proxies", addresses)


def _mail_contradictions(settings: "Settings") -> Iterator[str]:
    for one, other in (("smtp_host", "smtp_from"), ("smtp_user", "smtp_password")):
        if bool(getattr(settings, one)) != bool(getattr(settings, other)):
            yield f"{both_names(one)} and {both_names(other)} must be set together."
    if settings.smtp_from and not is_ascii_email(settings.smtp_from):
        yield _must_be(settings, "smtp_from", "an e-mail address, such as desk@example.com")
    is_plain = settings.smtp_security is SmtpSecurity.NONE and settings.smtp_host not in LOCAL_HOSTS
    if settings.smtp_password and is_plain:
        yield f"{both_names('smtp_security')} must be starttls or tls if smtp_password is sent to another machine."


def _publication_contradictions(settings: "Settings") -> Iterator[str]:
    if settings.publisher_email and not is_email(settings.publisher_email):
        yield _must_be(settings, "publisher_email", "an e-mail address, such as data@example.com")
    if settings.terms_of_service and not is_web_address(settings.terms_of_service):
        yield _must_be(settings, "terms_of_service", "a web address, such as https://example.com/terms")
    if settings.terms_of_service and not settings.booking_service:
        yield f"{both_names('terms_of_service')} needs {both_names('booking_service')}, which is off."
    if settings.terms_modified and not _is_instant(settings.terms_modified):
        yield _must_be(settings, "terms_modified", "a time with its zone, such as 2026-09-01T00:00:00Z")
    if not is_time_zone(settings.time_zone):
        meant = nearest_time_zone(settings.time_zone)
        advice = f" Did you mean {meant}?" if meant else ""
        yield _must_be(settings, "time_zone", "the name of an IANA time zone, such as Europe/London") + advice


def _is_instant(text: str) -> bool:
    """Return whether a text is a time in ISO 8601 with its zone."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
