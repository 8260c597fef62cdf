"""Dataset sites and Data Catalogs as they are published: what is found, and what is reported."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbooking.broker.api.discovery import MOST_CATALOGS, BookingSystem, OpenFeed, discover, list_sites
from openbooking.broker.api.documents import MOST_REDIRECTS
from openbooking.broker.errors import DiscoveryError
from openbooking.broker.flow import Answer, NoAnswerError
from support.broker.scripts import answer, play, result_of

SITE = "https://data.example.com/openactive"
DATASET: dict[str, Any] = {
    "@context": ["https://schema.org/", "https://openactive.io/"],
    "@type": "Dataset",
    "name": "Riverside Open Data",
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "publisher": {"@type": "Organization", "name": "Riverside", "email": "data@example.com"},
    "distribution": [
        {
            "@type": "DataDownload",
            "name": "SessionSeries",
            "additionalType": "https://openactive.io/SessionSeries",
            "contentUrl": "https://data.example.com/feeds/series",
        },
        {"@type": "DataDownload", "additionalType": "https://schema.org/Event", "contentUrl": "/feeds/events"},
        {"@type": "DataDownload", "name": "Old"},
    ],
    "accessService": {
        "@type": "WebAPI",
        "endpointUrl": "https://booking.example.com/api/",
        "authenticationAuthority": "https://auth.example.com/",
        "landingPage": "https://data.example.com/apply",
        "termsOfService": "https://data.example.com/terms",
        "documentation": {"@type": "CreativeWork", "url": "https://docs.example.com/"},
    },
}
HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/ld+json"}


def page(*scripts: str) -> Answer:
    """Return an HTML page with scripts of JSON-LD."""
    embedded = "".join(f"<script nonce='1' TYPE='application/ld+json'>{script}</script>" for script in scripts)
    return answer(200, f"<!DOCTYPE html><p>Hi &amp; <script>let x</script>{embedded}<p>bye".encode(), HTML)


def described(**changes: Any) -> BookingSystem:
    """Return the Booking System of a dataset site with changes."""
    changed = {name: value for name, value in {**DATASET, **changes}.items() if value is not None}
    return result_of(discover(SITE), [page(json.dumps(changed))])


@pytest.mark.spec("OB-DISC-01", "OB-DISC-04", "OB-DISC-17", "OB-BRK-13")
def test_a_dataset_site_names_the_api_and_its_feeds() -> None:
    assert described() == BookingSystem(
        site=SITE,
        name="Riverside Open Data",
        publisher="Riverside",
        contact="data@example.com",
        licence="https://creativecommons.org/licenses/by/4.0/",
        api="https://booking.example.com/api",
        feeds=(
            OpenFeed(type="SessionSeries", url="https://data.example.com/feeds/series", name="SessionSeries"),
            OpenFeed(type="Event", url="https://data.example.com/feeds/events"),
        ),
        orders_feed="https://booking.example.com/api/orders-rpde",
        proposals_feed="https://booking.example.com/api/order-proposals-rpde",
        authority="https://auth.example.com",
        documentation="https://docs.example.com/",
        access_page="https://data.example.com/apply",
        terms="https://data.example.com/terms",
    )
    assert described().feeds_of("Event") == ("https://data.example.com/feeds/events",)


@pytest.mark.spec("OB-DISC-03")
def test_an_advertised_orders_feed_is_used() -> None:
    orders = {"additionalType": "https://openactive.io/Order", "contentUrl": "https://feeds.example.com/orders"}
    system = described(distribution=[*DATASET["distribution"], orders])
    assert system.orders_feed == "https://feeds.example.com/orders"
    assert system.proposals_feed == "https://booking.example.com/api/order-proposals-rpde"
    assert [feed.type for feed in system.feeds] == ["SessionSeries", "Event"]


@pytest.mark.parametrize("url", ["http://booking.example.com/api", "http://169.254.169.254/api"])
def test_an_encrypted_site_names_no_api_or_feed_without_encryption(url: str) -> None:
    orders = {"additionalType": "https://openactive.io/Order", "contentUrl": url}
    authority = {"endpointUrl": "https://booking.example.com/api", "authenticationAuthority": url}
    for changes in ({"accessService": {"endpointUrl": url}}, {"distribution": [orders]}, {"accessService": authority}):
        played = play(discover(SITE), [page(json.dumps({**DATASET, **changes}))])
        assert isinstance(played.error, DiscoveryError)
        assert "without encryption" in str(played.error)


@pytest.mark.parametrize("target", ["http://data.example.com/openactive", "http://169.254.169.254/latest"])
def test_a_redirect_to_a_page_without_encryption_is_not_followed(target: str) -> None:
    played = play(discover(SITE), [answer(302, None, {"location": target})])
    assert isinstance(played.error, DiscoveryError)
    assert len(played.requests) == 1


def test_a_site_without_booking_has_no_api() -> None:
    system = described(accessService=None, distribution=None, publisher="Riverside", name=None)
    assert (system.api, system.orders_feed, system.proposals_feed, system.feeds) == ("", "", "", ())
    assert system.name == SITE


@pytest.mark.parametrize(
    "found",
    [
        page('{"@type": "WebSite"}', json.dumps(DATASET)),
        page("{broken", json.dumps(DATASET)),
        page(json.dumps({"@context": "https://schema.org/", "@graph": [{"@type": "WebPage"}, DATASET]})),
        page(json.dumps([DATASET])),
        page(json.dumps({**DATASET, "@type": ["schema:Dataset"]})),
        page(json.dumps({name: value for name, value in DATASET.items() if name != "@type"})),
        page(json.dumps(DATASET).replace('"', "&quot;")),
        answer(200, DATASET, JSON),
        answer(
            200, b"\xef\xbb\xbf" + json.dumps(DATASET).encode(), {"content-type": "application/json; charset=utf-8"}
        ),
    ],
)
def test_a_dataset_is_found_in_any_form(found: Answer) -> None:
    assert result_of(discover(SITE), [found]).api == "https://booking.example.com/api"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (page(), "no dataset site"),
        (page('{"@type": "WebSite"}'), "no dataset site"),
        (page("{broken"), "no valid JSON"),
        (answer(200, b"<p><![cdatum[ x", HTML), "no dataset site"),
        (answer(404, b"", HTML), "status 404"),
        (answer(200, [1, "x"], JSON), "no dataset site"),
        (answer(302, b"", {"location": "ftp://data.example.com/"}), "no web address"),
        (answer(302, b"", {"location": "http://[::1"}), "no web address"),
        (page(json.dumps({**DATASET, "accessService": {"endpointUrl": "javascript:alert(1)"}})), "no web address"),
    ],
)
def test_what_is_no_dataset_site_is_reported(found: Answer, message: str) -> None:
    error = play(discover(SITE), [found]).error
    assert isinstance(error, DiscoveryError)
    assert message in str(error)


def test_redirects_are_followed_up_to_a_limit() -> None:
    moved = answer(301, b"", {"location": "/new"})
    played = play(discover("http://data.example.com/"), [moved, page(json.dumps(DATASET))])
    assert played.result.site == "http://data.example.com/new"
    assert [request.url for request in played.requests] == ["http://data.example.com/", "http://data.example.com/new"]
    error = play(discover(SITE), [moved] * (MOST_REDIRECTS + 1)).error
    assert isinstance(error, DiscoveryError)


@pytest.mark.parametrize("site", ["data.example.com/openactive", "", "ftp://data.example.com/"])
def test_a_site_that_is_no_web_address_is_refused_without_a_request(site: str) -> None:
    with pytest.raises(DiscoveryError, match="is no web address"):
        next(discover(site))


def test_a_site_that_does_not_answer_is_tried_again() -> None:
    lost, busy = NoAnswerError("ConnectTimeout"), answer(503, b"", HTML)
    assert play(discover(SITE), [lost, busy, page(json.dumps(DATASET))]).error is None
    assert isinstance(play(discover(SITE), [lost] * 5).error, DiscoveryError)


@given(
    st.binary(max_size=80) | st.text(max_size=80).map(lambda text: f"<script type=application/ld+json>{text}".encode())
)
def test_no_page_raises_anything_but_a_discovery_error(body: bytes) -> None:
    for headers in (HTML, JSON):
        assert isinstance(play(discover(SITE), [answer(200, body, headers)]).error, DiscoveryError)


@pytest.mark.spec("OB-DISC-21")
def test_a_catalog_lists_the_sites_of_the_catalogs_within_it() -> None:
    top = {"@type": "DataCatalog", "hasPart": ["https://a.example/c", {"@id": "https://b.example/c"}, 7]}
    first = {"@type": "DataCatalog", "dataset": ["https://a.example/1", {"url": "/2"}, "https://a.example/1"]}
    played = play(
        list_sites("https://top.example/"),
        [answer(200, top, JSON), answer(200, first, JSON), answer(404, b"", JSON)],
    )
    assert played.result.sites == ("https://a.example/1", "https://a.example/2")
    (fault,) = played.result.faults
    assert "https://b.example/c" in fault


def test_catalogs_that_contain_each_other_are_read_once() -> None:
    url = "https://top.example/"
    itself = {"@type": "DataCatalog", "hasPart": [url], "dataset": "https://a.example/1"}
    assert result_of(list_sites(url), [answer(200, itself, JSON)]).sites == ("https://a.example/1",)
    wide = {"@type": "DataCatalog", "hasPart": [f"https://{number}.example/" for number in range(MOST_CATALOGS * 2)]}
    played = play(list_sites(url), [answer(200, wide, JSON)] + [answer(200, itself, JSON)] * MOST_CATALOGS)
    assert len(played.requests) == MOST_CATALOGS
    assert "were not read" in played.result.faults[-1]
    assert isinstance(play(list_sites(url), [answer(404, b"", JSON)]).error, DiscoveryError)
