"""The dataset site of the other Booking System (DAD)."""

from typing import Any

from support.other_system.differences import Differences
from support.other_system.feeds import LICENCE, OPEN_FEEDS
from support.other_system.spelling import OPENACTIVE, SCHEMA, encode, spell

_RPDE = "application/vnd.openactive.rpde+json; version=1"


def dataset_site(site: str, endpoint: str, differences: Differences) -> bytes:
    """Return the HTML page with the JSON-LD of the dataset."""
    dataset = spell(_dataset(site, endpoint, differences), differences) | {"@context": [SCHEMA, OPENACTIVE]}
    json = encode(dataset, differences)
    if differences.escapes:
        # PHP escapes slashes, too.
        json = json.replace(b"/", b"\\/")
    return (
        b"<!doctype html><html lang=en><head><meta charset=utf-8><title>Overture Open Data</title>"
        b"<script>window.dataLayer = [{'@type': 'Dataset'}];</script>"
        b"<script id='data' type='application/ld+json' nonce=abc>\n" + json + b"\n</script></head>"
        b"<body><h1>Overture Open Data</h1><p>Licence: CC BY 4.0</p></body></html>"
    )


def _dataset(site: str, endpoint: str, differences: Differences) -> dict[str, Any]:
    return {
        "@type": "Dataset",
        "@id": f"{site}/openactive",
        "url": f"{site}/openactive",
        "name": "Overture: séances & terrains",
        "description": "Sessions and courts of Overture",
        "license": LICENCE,
        "datePublished": "2024-02-29",
        "schemaVersion": "https://openactive.io/modelling-opportunity-data/2.0/",
        "keywords": ["Sessions", "Slots"],
        "inLanguage": ["en-GB"],
        "documentation": "https://developer.openactive.io/",
        "discussionUrl": "https://overture.example/discuss",
        "publisher": _organization(site),
        "bookingService": {"@type": "BookingService", "name": "Overture Bookings", "softwareVersion": "9"},
        "distribution": list(_downloads(site, differences)),
        "accessService": _web_api(site, endpoint, differences),
    }


def _downloads(site: str, differences: Differences) -> list[dict[str, Any]]:
    addresses: dict[str, list[str]] = {}
    for name, type_ in OPEN_FEEDS.items():
        addresses.setdefault(type_, []).append(f"{site}/feeds/{name}")
    return [
        {
            "@type": "DataDownload",
            "name": type_.rpartition("/")[2],
            "additionalType": type_,
            "encodingFormat": _RPDE,
            "contentUrl": url,
        }
        for type_, urls in addresses.items()
        for url in ([urls] if differences.content_url_lists else urls)
    ]


def _web_api(site: str, endpoint: str, differences: Differences) -> dict[str, Any]:
    authority = {"authenticationAuthority": f"{site}/identity"} if differences.access != "api key" else {}
    return {
        "@type": "WebAPI",
        "name": "Open Booking API",
        "endpointUrl": endpoint if differences.endpoint_slash else endpoint.rstrip("/"),
        "conformsTo": ["https://openactive.io/open-booking-api/EditorsDraft/"],
        "endpointDescription": "https://openactive.io/open-booking-api/EditorsDraft/swagger.json",
        "landingPage": f"{site}/partners",
        "termsOfService": f"{site}/terms",
        "provider": _organization(site),
        "license": LICENCE,
        **authority,
    }


def _organization(site: str) -> dict[str, Any]:
    logo = {"@type": "ImageObject", "url": f"{site}/logo.png"}
    return {"@type": "Organization", "name": "Overture", "legalName": "Overture Ltd", "url": site, "logo": logo}
