"""`openbooking log`: the activity log of a Seller."""

import json
from pathlib import Path

from support.command_line import succeed
from support.seller_office import ORDER, YOGA_PATH
from support.timetable_office import store_timetable

OF_CENTRE = ("--seller", "centre")


def test_log_shows_decisions_newest_first(bookings: Path) -> None:
    succeed("order", "notify", ORDER, *OF_CENTRE, "--item", "2", "--message", "Secret of Geoff")
    succeed("occurrence", "unpublish", YOGA_PATH, *OF_CENTRE)
    told = succeed("log", *OF_CENTRE, "--json")
    unpublished, notified = (json.loads(line) for line in told.splitlines())
    assert (unpublished["action"], unpublished["opportunity"], unpublished["order"]) == (
        "taken-off-sale",
        YOGA_PATH,
        "",
    )
    assert (notified["action"], notified["order"], notified["items"]) == ("customer-notified", ORDER, [2])
    assert (notified["actor_kind"], notified["actor"]) == ("administrator", "order notify")
    assert "Geoff" not in told


def test_log_names_the_changed_entry_of_the_timetable(bookings: Path) -> None:
    store_timetable(bookings)
    succeed("timetable", "remove", "squash", *OF_CENTRE, "--yes")
    rows = [json.loads(line) for line in succeed("log", *OF_CENTRE, "--json").splitlines()]
    assert next(row["entry"] for row in rows if row["action"] == "timetable-changed") == "squash"
    assert {row["entry"] for row in rows} == {"squash", "spin", "riverside"}
    assert "\tsquash\t" in succeed("log", *OF_CENTRE)


def test_log_of_another_seller_shows_nothing(bookings: Path) -> None:
    succeed("occurrence", "unpublish", YOGA_PATH, *OF_CENTRE)
    assert succeed("log", "--seller", "studio", "--json") == ""


def test_log_is_written_for_people(bookings: Path) -> None:
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--yes")
    _, row = succeed("log", *OF_CENTRE).splitlines()
    assert row.split("\t")[1:4] == ["Cancelled", "administrator (order cancel)", ORDER]
