"""Tests of the words for Customers."""

import uuid

from openbooking.broker import Moved
from openbooking.sandbox.broker_app.words import news_of


def test_a_move_names_what_has_changed_once() -> None:
    times = {"startDate": "2027-03-01T18:00Z", "endDate": "2027-03-01T19:00Z"}
    later = {"startDate": "2027-03-01T19:00Z", "endDate": "2027-03-01T20:00Z", "location": {"name": "Pool"}}
    move = Moved(order=uuid.uuid4(), item="1", opportunity="2", before=times, after=later)
    assert news_of(move) == "The organiser has changed the time and the place of your booking."
