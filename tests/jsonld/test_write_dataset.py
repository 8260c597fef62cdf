"""The JSON-LD of the dataset site."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from openbooking.jsonld.write_dataset import FEED_TYPES, Dataset, write_dataset

SITE = "https://booking.example.com"
DATASET = Dataset(
    url=f"{SITE}/openactive",
    feeds_url=f"{SITE}/feeds",
    base_uri=f"{SITE}/api",
    publisher="Test",
    publisher_legal_name="Test Trust",
    publisher_url=SITE,
    publisher_email="",
    logo_url=f"{SITE}/logo.png",
    background_url=f"{SITE}/wide.png",
    discussion_url=f"{SITE}/issues",
    documentation_url=f"{SITE}/data",
    api_documentation_url=f"{SITE}/docs",
    api_description_url=f"{SITE}/openapi.json",
    terms_url=f"{SITE}/terms",
    access_url=f"{SITE}/access",
    published=datetime(2027, 3, 1, 12, tzinfo=UTC),
    booking_service=None,
    authentication_authority=None,
)


@pytest.mark.spec("OB-DISC-10")
def test_every_feed_is_a_distribution() -> None:
    found = write_dataset(DATASET)["distribution"]
    assert [(download["name"], download["contentUrl"]) for download in found] == [
        (type_, f"{SITE}/feeds/{type_.feed}") for type_ in FEED_TYPES
    ]


def test_dataset_has_its_dates_and_endpoint() -> None:
    found = write_dataset(DATASET)
    assert (found["datePublished"], found["dateModified"]) == ("2027-03-01T12:00:00Z",) * 2
    assert found["accessService"]["endpointUrl"] == f"{SITE}/api"


def test_dataset_has_no_property_without_a_value() -> None:
    bare = write_dataset(DATASET)
    assert "email" not in bare["publisher"]
    assert "authenticationAuthority" not in bare["accessService"]
    assert "bookingService" not in bare
    full = write_dataset(
        replace(
            DATASET, publisher_email="a@example.com", authentication_authority=SITE, booking_service={"name": "Test"}
        )
    )
    assert full["publisher"]["email"] == "a@example.com"
    assert full["accessService"]["authenticationAuthority"] == SITE
    assert full["bookingService"] == {"name": "Test"}
