"""What happens in the background, with the database in PostgreSQL."""

import pytest

from openbooking.sandbox.broker_app import following
from openbooking.testing.postgres import PostgresServer
from support.broker.sample_app import order_of, sample_app


def test_app_on_postgres_tells_of_a_cancellation(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOW_SECONDS", 0.2)
    with sample_app(postgres.bare_database()) as sample:
        sam = sample.customer()
        booking = sam.book(sam.details(sam.choose("Yoga")))
        sample.other.notify(order_of(booking), "Bring a mat.")
        sam.wait_for(booking.url, "Bring a mat.")
        sample.other.cancel(order_of(booking), message="The teacher is ill.")
        page = sam.wait_for(booking.url, "Paid back £6.50")
        news = page.text.partition("What has happened")[2]
        assert 0 <= news.index("The teacher is ill.") < news.index("Bring a mat.")
