"""`openbooking occurrence`: list, cancel, publish and unpublish."""

import json
from pathlib import Path

import pytest

from support.command_line import fail, run, succeed
from support.seller_office import (
    DAY,
    LATER_PATH,
    OF_BOB,
    ORDER,
    PILATES_PATH,
    YOGA,
    YOGA_PATH,
    order_record,
    statuses,
)

OF_CENTRE = ("--seller", "centre")
SERIES_PATH = YOGA[0].path


def listed(*options: str) -> dict[str, dict[str, object]]:
    told = succeed("occurrence", "list", *OF_CENTRE, "--json", *options)
    rows = [json.loads(line) for line in told.splitlines()]
    return {row["occurrence"]: row for row in rows}


def states() -> dict[str, object]:
    return {path: row["state"] for path, row in listed("--from", DAY, "--to", "2199-12-31").items()}


def test_occurrence_list_shows_the_occurrences_of_a_day(bookings: Path) -> None:
    rows = listed("--from", DAY)
    assert rows.keys() == {YOGA_PATH, "scheduled-sessions/trip"}
    yoga = rows[YOGA_PATH]
    assert (yoga["name"], yoga["booked"], yoga["capacity"], yoga["state"]) == ("Yoga", 3, 10, "open")
    assert rows["scheduled-sessions/trip"]["proposals"] == 1


def test_occurrence_list_shows_today_by_default(bookings: Path) -> None:
    assert listed() == {}


def test_occurrence_list_shows_a_period(bookings: Path) -> None:
    assert LATER_PATH in listed("--from", DAY, "--to", "2199-12-31")
    assert "before the first day" in fail(1, "occurrence", "list", *OF_CENTRE, "--from", DAY, "--to", "2020-01-01")


def test_occurrence_cancel_cancels_all_orders_after_their_number(bookings: Path) -> None:
    done = run("occurrence", "cancel", YOGA_PATH, *OF_CENTRE, "--message", "Ill.", input="2\n")
    assert done.exit_code == 0
    assert "with 2 Orders (Alice 1, Bob 1). This cannot be undone." in done.stderr
    assert statuses(bookings, ORDER) == ["SellerCancelled"] * 2
    assert statuses(bookings, OF_BOB) == ["SellerCancelled"]
    assert states()[YOGA_PATH] == "cancelled"


@pytest.mark.parametrize("answer", ["y\n", "3\n", "", "\n"])
def test_occurrence_cancel_changes_nothing_without_the_right_number(bookings: Path, answer: str) -> None:
    done = run("occurrence", "cancel", YOGA_PATH, *OF_CENTRE, input=answer)
    assert done.exit_code == 1
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2
    assert states()[YOGA_PATH] == "open"


def test_occurrence_cancel_prints_the_number_with_yes(bookings: Path) -> None:
    done = run("occurrence", "cancel", YOGA_PATH, *OF_CENTRE, "--yes")
    assert (done.exit_code, "2 Orders" in done.stderr, "2 Orders" in done.stdout) == (0, True, True)


def test_occurrence_cancel_counts_the_orders_below_a_series(bookings: Path) -> None:
    done = run("occurrence", "cancel", SERIES_PATH, *OF_CENTRE, input="2\n")
    assert "Cancels 1 occurrence of Yoga with 2 Orders" in done.stderr
    assert states()[YOGA_PATH] == "cancelled"
    assert "No future occurrence" in fail(1, "occurrence", "cancel", SERIES_PATH, *OF_CENTRE, "--yes")


def test_occurrence_cancel_asks_for_a_yes_without_orders(bookings: Path) -> None:
    assert run("occurrence", "cancel", LATER_PATH, *OF_CENTRE, input="n\n").exit_code == 1
    assert states()[LATER_PATH] == "open"
    assert run("occurrence", "cancel", LATER_PATH, *OF_CENTRE, input="y\n").exit_code == 0
    assert states()[LATER_PATH] == "cancelled"


def test_occurrence_cancel_names_the_proposals_that_it_rejects(bookings: Path) -> None:
    done = run("occurrence", "cancel", "scheduled-sessions/trip", *OF_CENTRE, "--yes")
    assert "Rejects 1 waiting proposal." in done.stderr


def test_occurrence_notify_tells_the_customers_of_all_orders(bookings: Path) -> None:
    told = succeed("occurrence", "notify", YOGA_PATH, *OF_CENTRE, "--message", "Bring a mat.")
    assert told == "Sent the notice to the Customers of 2 Orders.\n"
    for reference in (ORDER, OF_BOB):
        assert {state.customer_notice for state in order_record(bookings, reference).states} == {"Bring a mat."}


@pytest.mark.parametrize("path", [LATER_PATH, SERIES_PATH, PILATES_PATH])
def test_occurrence_notify_refuses_what_nobody_has_booked(bookings: Path, path: str) -> None:
    assert "Nobody has booked" in fail(1, "occurrence", "notify", path, *OF_CENTRE, "--message", "Bring a mat.")
    assert "Give --message" in fail(1, "occurrence", "notify", YOGA_PATH, *OF_CENTRE, "--message", " ")


def test_occurrence_unpublish_takes_a_series_off_sale_until_it_is_published(bookings: Path) -> None:
    assert "Its Orders stay." in succeed("occurrence", "unpublish", SERIES_PATH, *OF_CENTRE)
    assert states()[YOGA_PATH] == "unpublished"
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2
    assert "on sale" in succeed("occurrence", "publish", SERIES_PATH, *OF_CENTRE)
    assert states()[YOGA_PATH] == "open"


@pytest.mark.parametrize("command", ["cancel", "publish", "unpublish"])
@pytest.mark.parametrize("path", [PILATES_PATH, "scheduled-sessions/nothing", "nothing"])
def test_an_opportunity_of_another_seller_does_not_exist(bookings: Path, command: str, path: str) -> None:
    assert f"There is no Opportunity {path}." in fail(1, "occurrence", command, path, *OF_CENTRE)
