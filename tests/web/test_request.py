"""Media types of requests and replies: a request in another media type is refused (OB 11.1.1)."""

import pytest

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from openbooking.web.api.feed_pages import names_gzip
from openbooking.web.request import is_acceptable
from support.builders import UUID
from support.http_system import YOGA, World

pytestmark = pytest.mark.anyio

C1 = f"order-quote-templates/{UUID}"


@pytest.mark.spec("OB-MT-01", "OB-MT-03")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (BOOKING_MEDIA_TYPE, 200),
        ("application/vnd.openactive.booking+json", 200),
        ('application/vnd.openactive.booking+json;version="1"', 200),
        ("application/vnd.openactive.booking+json; version=1.0; charset=utf-8", 200),
        ("application/json", 200),
        ("application/vnd.openactive.booking+json; version=2", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/html", 415),
        ("", 415),
    ],
)
async def test_media_types_of_requests_are_checked(sqlite_world: World, content_type: str, status: int) -> None:
    body = sqlite_world.quote(sqlite_world.item(YOGA))
    reply = await sqlite_world.call("PUT", C1, body, **{"Content-Type": content_type})
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 200), ("Identity", 200)]
)
async def test_compressed_bodies_are_refused(sqlite_world: World, encoding: str, status: int) -> None:
    body = sqlite_world.quote(sqlite_world.item(YOGA))
    reply = await sqlite_world.call("PUT", C1, body, **{"Content-Encoding": encoding})
    assert reply.status_code == status


@pytest.mark.spec("OB-MT-02")
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (BOOKING_MEDIA_TYPE, 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0, text/html", 406),
        ("*/*; q=0.000", 406),
        ("*/*; q=0.001", 200),
        ("application/vnd.openactive.booking+json; version=2", 406),
    ],
)
async def test_media_types_of_replies_are_negotiated(sqlite_world: World, accept: str, status: int) -> None:
    reply = await sqlite_world.call("PUT", C1, sqlite_world.quote(sqlite_world.item(YOGA)), Accept=accept)
    assert reply.status_code == status
    assert reply.headers["content-type"] == BOOKING_MEDIA_TYPE


async def test_long_headers_are_understood_and_not_cached(sqlite_world: World) -> None:
    accept = f"{BOOKING_MEDIA_TYPE}; x={'y' * 50_000}"
    body = sqlite_world.quote(sqlite_world.item(YOGA))
    kept = is_acceptable.cached_values
    for number in range(3):
        reply = await sqlite_world.call("PUT", C1, body, Accept=f"{accept}{number}")
        assert reply.status_code == 200
        assert (await sqlite_world.call("PUT", C1, body, Accept=f"x{accept}{number}")).status_code == 406
    assert is_acceptable.cached_values <= kept + 1  # that of the requests' own type
    kept = names_gzip.cached_values
    for number in range(3):
        reply = await sqlite_world.client.get(
            "/feeds/slots", headers={"Accept-Encoding": f"x{'y' * 50_000}{number}, gzip"}
        )
        assert reply.headers["content-encoding"] == "gzip"
    assert names_gzip.cached_values == kept
