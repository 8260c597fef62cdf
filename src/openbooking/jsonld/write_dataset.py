"""Writes the JSON-LD of the dataset site, as Dataset API Discovery requires (table P-01, AMB-01).

`web/api/dataset_site.py` renders the page that embeds this JSON-LD.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from openbooking.jsonld.scalars import write_instant
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.terms import LICENCE, OPENACTIVE, RPDE_MEDIA_TYPE, SCHEMA

# The types after which open feeds are named. Items of other types are in one of these feeds.
FEED_TYPES = tuple(type_ for type_ in OpportunityType if type_.feed == type_.collection)


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that the dataset site shows about this Booking System. URLs are absolute.

    Attributes:
        discussion_url: Where people discuss the data.
        documentation_url: The documentation of the feeds.
        api_documentation_url: The documentation of the API.
        api_description_url: The OpenAPI document of the API.
        terms_url: The terms of the API.
        access_url: Where Brokers ask for access.
        published: When the dataset was published.
    """

    url: str
    feeds_url: str
    base_uri: str
    publisher: str
    publisher_legal_name: str
    publisher_url: str
    publisher_email: str
    logo_url: str
    background_url: str
    discussion_url: str
    documentation_url: str
    api_documentation_url: str
    api_description_url: str
    terms_url: str
    access_url: str
    published: datetime
    booking_service: dict[str, Any] | None
    authentication_authority: str | None

    @property
    def name(self) -> str:
        """The title of the dataset."""
        return f"{self.publisher} Open Data"

    def feed_url(self, type_: OpportunityType) -> str:
        """Return the URL of the first page of the open feed with items of this type."""
        return f"{self.feeds_url}/{type_.feed}"


def write_dataset(dataset: Dataset) -> dict[str, Any]:
    """Return the Dataset as JSON-LD."""
    written: dict[str, Any] = {
        "@context": [SCHEMA, OPENACTIVE],
        "@type": "Dataset",
        "@id": dataset.url,
        "url": dataset.url,
        "name": dataset.name,
        "description": f"Sessions and facilities of {dataset.publisher} that can be found and booked in real time.",
        "keywords": ["Sports", "Physical activity", "Sessions", "Facilities", "OpenActive"],
        "license": LICENCE,
        "distribution": [_download(dataset, type_) for type_ in FEED_TYPES],
        "discussionUrl": dataset.discussion_url,
        "documentation": dataset.documentation_url,
        "inLanguage": ["en-GB"],
        "publisher": _publisher(dataset),
        "schemaVersion": f"{OPENACTIVE}modelling-opportunity-data/2.0/",
        "datePublished": write_instant(dataset.published),
        "dateModified": write_instant(dataset.published),
        "backgroundImage": {"@type": "ImageObject", "url": dataset.background_url},
        "accessService": {
            "@type": "WebAPI",
            "name": "Open Booking API",
            "description": f"Real-time booking of what {dataset.publisher} offers.",
            "documentation": dataset.api_documentation_url,
            "termsOfService": dataset.terms_url,
            "endpointUrl": dataset.base_uri,
            "conformsTo": ["https://openactive.io/open-booking-api/EditorsDraft/"],
            "endpointDescription": dataset.api_description_url,
            "landingPage": dataset.access_url,
        },
    }
    if dataset.authentication_authority:
        written["accessService"]["authenticationAuthority"] = dataset.authentication_authority
    if dataset.booking_service:
        written["bookingService"] = dataset.booking_service
    return written


def write_data_catalog(dataset: Dataset, url: str, sites: Sequence[str]) -> dict[str, Any]:
    """Return a Data Catalog of several dataset sites as JSON-LD (DAD "Discoverability and Dataset Sites").

    Args:
        dataset: The dataset of the installation that serves the catalog, whose publisher publishes it.
        url: The URL of the catalog.
        sites: The URLs of the dataset sites.
    """
    return {
        "@context": SCHEMA,
        "@type": "DataCatalog",
        "@id": url,
        "name": f"{dataset.publisher} Data Catalog",
        "license": LICENCE,
        "publisher": _publisher(dataset),
        "datePublished": write_instant(dataset.published),
        "dataset": list(sites),
    }


def _publisher(dataset: Dataset) -> dict[str, Any]:
    publisher: dict[str, Any] = {
        "@type": "Organization",
        "name": dataset.publisher,
        "legalName": dataset.publisher_legal_name,
        "url": dataset.publisher_url,
        "logo": {"@type": "ImageObject", "url": dataset.logo_url},
    }
    if dataset.publisher_email:
        publisher["email"] = dataset.publisher_email
    return publisher


def _download(dataset: Dataset, type_: OpportunityType) -> dict[str, str]:
    return {
        "@type": "DataDownload",
        "name": type_,
        "additionalType": type_.uri,
        "encodingFormat": RPDE_MEDIA_TYPE,
        "contentUrl": dataset.feed_url(type_),
    }
