"""Reads conformance certificates of the OpenActive Test Suite: HTML pages with embedded JSON-LD.

The validator of OpenActive accepts a certificate only at the URL that is its `@id`, and only for the Booking System
that it was awarded to. A certificate is valid for three months.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from openbooking.openactive.json_ld_scripts import json_ld_scripts

VALIDITY = timedelta(days=92)


class CertificateError(Exception):
    """The text is no certificate; the message says why."""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A conformance certificate.

    Attributes:
        url: The URL at which the certificate is valid.
        holder: The name of the Booking System, or else of the publisher, that it was awarded to.
        version: The version of the software that was tested; empty if it is not stated.
        created: When the Test Suite made the certificate.
        features: The names of the tested features.
    """

    url: str
    holder: str
    version: str
    created: datetime
    features: tuple[str, ...]

    def faults(self, url: str, holder: str, version: str, now: datetime) -> list[str]:
        """Return why the certificate is not one of this Booking System at this URL; nothing if it is.

        Args:
            url: The URL at which the certificate is served.
            holder: The name of the Booking System.
            version: The version of this software.
            now: The time.
        """
        return [*self._faults(url, holder, version, now)]

    def _faults(self, url: str, holder: str, version: str, now: datetime) -> Iterator[str]:
        if self.url != url:
            yield f"It was made for {self.url}. Run the Test Suite with conformanceCertificateId = {url}."
        if self.holder != holder:
            yield f"It was awarded to {self.holder}, and this is {holder}."
        if self.version and self.version != version:
            yield f"It is of version {self.version}, and this is {version}."
        if now > self.created + VALIDITY:
            yield f"It was made on {self.created:%Y-%m-%d}, and was valid for three months."


def read_certificate(html: str) -> Certificate:
    """Return the certificate in a page.

    Raises:
        CertificateError: The page has no certificate, or one that cannot be read.
    """
    try:
        (document,) = (json.loads(script) for script in json_ld_scripts(html))
        return _read(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise CertificateError("It is no conformance certificate of the OpenActive Test Suite.") from fault


def _read(document: dict[str, Any]) -> Certificate:
    if document["@type"] != "ConformanceCertificate":
        raise ValueError(document["@type"])
    awarded = document["awardedTo"]
    created = datetime.fromisoformat(document["dateCreated"])
    if created.tzinfo is None:
        raise ValueError(document["dateCreated"])
    return Certificate(
        url=str(document["@id"]),
        holder=str(awarded["name"]),
        version=str(awarded.get("softwareVersion", "")),
        created=created,
        features=tuple(str(feature["prefLabel"]) for feature in document["featureImplemented"]),
    )
