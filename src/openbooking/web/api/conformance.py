"""Serves the conformance certificate of the OpenActive Test Suite at /conformance.

The certificate is a page with a script of the Test Suite, which sends it to OpenActive's validator. The page runs in a
sandbox of the browser, with an origin of its own: its script can read nothing of this site.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from openbooking import __version__
from openbooking.openactive.conformance_certificate import Certificate, CertificateError, read_certificate
from openbooking.settings import Settings
from openbooking.system import System
from openbooking.web.cross_origin import OpenRoute

CONFORMANCE_PATH = "/conformance"

_HEADERS = {
    "Cache-Control": "public, max-age=900",
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads allow-popups; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_log = structlog.get_logger()


class ServedCertificate(NamedTuple):
    """A certificate in a file, and what is wrong with it for this Booking System."""

    certificate: Certificate | None
    faults: list[str]


def check_certificate(settings: Settings, path: Path, now: datetime) -> ServedCertificate:
    """Return the certificate in a file, with the reasons against naming it on the dataset site."""
    try:
        certificate = read_certificate(path.read_text(encoding="utf-8"))
    except OSError as fault:
        return ServedCertificate(None, [f"The file {path} cannot be read: {fault.strerror}."])
    except UnicodeDecodeError:
        return ServedCertificate(None, [f"The file {path} is not in UTF-8."])
    except CertificateError as fault:
        return ServedCertificate(None, [str(fault)])
    faults = certificate.faults(certificate_url(settings), _holder(settings), __version__, now)
    return ServedCertificate(certificate, faults)


def certificate_url(settings: Settings) -> str:
    """Return the URL at which this server serves a certificate, which must be the `@id` of the certificate."""
    return settings.site + CONFORMANCE_PATH


class Conformance:
    """The page of the certificate, if the setting `conformance_certificate` names a file."""

    def __init__(self, system: System) -> None:
        self._system = system
        value = system.settings.conformance_certificate
        self._linked = value if "://" in value else ""
        self._file = Path(value) if value and not self._linked else None
        served = ServedCertificate(None, [])
        if self._file:
            served = check_certificate(system.settings, self._file, system.clock())
        self._certificate = None if served.faults else served.certificate
        if served.faults:
            _log.warning("conformance.certificate_not_named", file=value, reason=" ".join(served.faults))

    def routes(self) -> list[OpenRoute]:
        """Return the routes of the page; none without a file."""
        paths = (CONFORMANCE_PATH, f"{CONFORMANCE_PATH}/") if self._file else ()
        return [OpenRoute(path, self._page) for path in paths]

    @property
    def url(self) -> str:
        """The URL that the dataset site names as the credential; empty without a certificate that is valid now."""
        if self._certificate is None:
            return self._linked
        url = certificate_url(self._system.settings)
        faults = self._certificate.faults(url, self._certificate.holder, __version__, self._system.clock())
        return "" if faults else url

    async def _page(self, request: Request) -> Response:
        del request
        if self._file is None or not self._file.is_file():
            raise HTTPException(404)
        return FileResponse(self._file, headers=_HEADERS, media_type="text/html")


def _holder(settings: Settings) -> str:
    """Return the name that a certificate is awarded to: that of the Booking System, or else of the publisher."""
    return settings.name if settings.booking_service else settings.publisher or settings.name
