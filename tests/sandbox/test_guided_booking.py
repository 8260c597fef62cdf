"""The booking of `openbooking demo --book` at Booking Systems that do not follow the specification."""

import json
from collections.abc import Mapping

import httpx2
import pytest

from openbooking.sandbox.guided_booking import DemoBookingError, book_something


def dataset(site: str) -> str:
    described = {
        "name": "Elsewhere",
        "accessService": {"endpointUrl": f"{site}/api"},
        "distribution": [
            {"additionalType": f"https://openactive.io/{type_}", "contentUrl": f"{site}/{type_}"}
            for type_ in ("SessionSeries", "ScheduledSession")
        ],
    }
    return f'<script type="application/ld+json">{json.dumps(described)}</script>'


SERIES = {
    "@id": "https://other.test/series/1",
    "name": "Yoga",
    "organizer": {"@id": "https://other.test/seller", "isOpenBookingAllowed": True},
    "offers": [{"@id": "https://other.test/offers/1", "name": "Adult", "price": 5}],
}
SESSION = {
    "@id": "https://other.test/sessions/1",
    "superEvent": "https://other.test/series/1",
    "startDate": "2999-01-01T10:00:00Z",
    "remainingAttendeeCapacity": 3,
}


def shown(page: Mapping[str, object]) -> httpx2.Response:
    """Return the response with a page of a feed."""
    return httpx2.Response(200, stream=httpx2.ByteStream(json.dumps(page).encode()))


def another_system(session: Mapping[str, object], refusal: int) -> httpx2.MockTransport:
    """Return a Booking System with one session, which answers each C1 with the status `refusal`."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path.startswith("/api/"):
            return httpx2.Response(refusal, json={"@type": "OpenBookingError", "name": "No."})
        if path == "/":
            return httpx2.Response(200, text=dataset("https://other.test"))
        items = [] if request.url.query else [{"id": "1", "state": "updated", "data": session}]
        if path == "/SessionSeries" and items:
            items[0]["data"] = SERIES
        return shown({"next": f"{path}?afterChangeNumber=1", "items": items})

    return httpx2.MockTransport(answer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "C1 was answered with 409"),
        ({"remainingAttendeeCapacity": 0}, "no paid session"),
        ({"startDate": "2000-01-01T10:00:00Z"}, "no paid session"),
        ({"eventStatus": "https://schema.org/EventCancelled"}, "no paid session"),
        ({"offers": [{"@id": "o", "price": 0}]}, "no paid session"),
        ({"superEvent": "https://other.test/series/2"}, "no paid session"),
        ({"startDate": None}, "does not follow the specification"),
    ],
)
def test_a_failed_step_of_the_demo_booking_is_reported(change: dict[str, object], said: str) -> None:
    transport = another_system(SESSION | change, 409)
    with httpx2.Client(transport=transport) as client, pytest.raises(DemoBookingError, match=said):
        book_something(client, "https://other.test/", "key", lambda *_: None)


def test_a_feed_without_an_end_is_reported() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/":
            return httpx2.Response(200, text=dataset("https://other.test"))
        return shown({"items": [{"id": "1", "data": SERIES}]})

    transport = httpx2.MockTransport(answer)
    with httpx2.Client(transport=transport) as client, pytest.raises(DemoBookingError, match="it has no next"):
        book_something(client, "https://other.test/", "key", lambda *_: None)


def test_a_page_without_json_ld_is_reported() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, text="<html>"))
    with httpx2.Client(transport=transport) as client, pytest.raises(DemoBookingError, match="no dataset site"):
        book_something(client, "https://other.test/", "key", lambda *_: None)
