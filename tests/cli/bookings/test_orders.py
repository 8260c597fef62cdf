"""`openbooking order`: lists, one Order, and the Seller's decisions about it."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from openbooking.booking.model.keys import DESK
from openbooking.openactive.ids import key_of
from support.builders import new_uuid
from support.command_line import fail, run, succeed
from support.console import desk_booking
from support.seller_office import (
    DAY,
    FORMULA,
    LATER,
    LATER_PATH,
    OF_BOB,
    OF_STUDIO,
    ORDER,
    PILATES_PATH,
    PROPOSAL,
    YOGA,
    execute,
    order_record,
    statuses,
)

OF_CENTRE = ("--seller", "centre")


def listed(*options: str, command: str = "list", seller: str = "centre") -> list[dict[str, Any]]:
    """Return the rows of --json."""
    told = succeed("order", *command.split(), "--seller", seller, "--json", *options)
    return [json.loads(line) for line in told.splitlines()]


def references(*options: str, seller: str = "centre") -> set[object]:
    return {row["order"] for row in listed(*options, seller=seller)}


def test_order_list_shows_the_orders_of_one_seller(bookings: Path) -> None:
    assert references() == {ORDER, OF_BOB}
    assert references(seller="studio") == {OF_STUDIO}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--search", "geof"), {ORDER}),
        (("--search", ORDER.split("/")[1]), {ORDER}),
        (("--search", "nobody"), set()),
        (("--partner", "bob"), {OF_BOB}),
        (("--booked-from", "2200-01-01"), set()),
        (("--booked-from", "2020-01-01", "--booked-to", "2200-01-01"), {ORDER, OF_BOB}),
        (("--session-from", DAY, "--session-to", DAY), {ORDER, OF_BOB}),
        (("--session-to", "2020-01-01"), set()),
        (("--status", "cancelled"), set()),
        (("--status", "booked"), {ORDER, OF_BOB}),
        (("--value-from", "24"), {ORDER}),
        (("--value-to", "12.00"), {OF_BOB}),
        (("--search", "geof", "--partner", "bob"), set()),
    ],
)
def test_order_list_finds_orders_by_its_options(bookings: Path, options: tuple[str, ...], found: set[object]) -> None:
    assert references(*options) == found


def test_order_list_prints_exact_values_for_scripts(bookings: Path) -> None:
    (row,) = listed("--search", "geof")
    assert (row["total"], row["currency"], row["items"], row["status"]) == (24.0, "GBP", 2, "booked")
    assert (row["email"], row["partner"]) == ("geoff@example.com", "Alice")
    assert str(row["starts"]).startswith(DAY)


def test_csv_of_orders_starts_no_formula_and_keeps_numbers(bookings: Path) -> None:
    told = succeed("order", "list", *OF_CENTRE, "--csv", "--partner", "bob")
    heading, row = csv.reader(StringIO(told))
    cells = dict(zip(heading, row, strict=True))
    assert cells["customer"].startswith(f"'{FORMULA}")
    assert cells["total"] == "12.00"
    assert "\x1b" not in told


def test_json_escapes_control_characters_and_loses_none(bookings: Path) -> None:
    told = succeed("order", "list", *OF_CENTRE, "--json", "--partner", "bob")
    assert "\x1b" not in told
    assert json.loads(told)["customer"] == f"{FORMULA} \x1b[2J"


def test_order_list_reports_that_there_are_more_orders(bookings: Path) -> None:
    done = run("order", "list", *OF_CENTRE, "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "More rows follow; --limit shows them.\n"
    assert run("order", "list", *OF_CENTRE, "--limit", "2").stderr == ""


def test_order_list_writes_dates_and_money_for_people(bookings: Path) -> None:
    heading, row = succeed("order", "list", *OF_CENTRE, "--search", "geof").splitlines()
    assert heading.split("\t")[:3] == ["Order", "Customer", "Session"]
    assert row.split("\t")[0] == ORDER
    assert "£24.00" in row


def test_order_show_prints_items_and_history(bookings: Path) -> None:
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--item", "2", "--message", "Broken bike.", "--yes")
    told = succeed("order", "show", ORDER, *OF_CENTRE)
    assert "E-mail" not in told
    for part in ("Geoff", "partly cancelled", "Broken bike.", "cancelled by you", "administrator (order cancel)"):
        assert part in told


def test_order_show_prints_one_json_object(bookings: Path) -> None:
    (details,) = listed(ORDER, command="show")
    assert details["order"] == ORDER
    assert [line["item"] for line in details["lines"]] == [1, 2]
    assert details["history"][0]["event"] == "Booked"


def test_order_show_prints_items_as_csv(bookings: Path) -> None:
    rows = list(csv.DictReader(StringIO(succeed("order", "show", ORDER, *OF_CENTRE, "--csv"))))
    assert [(row["item"], row["price"], row["currency"]) for row in rows] == [
        ("1", "12.00", "GBP"),
        ("2", "12.00", "GBP"),
    ]


def test_order_show_shows_a_proposal(bookings: Path) -> None:
    assert "waits for your decision" in succeed("order", "show", PROPOSAL, *OF_CENTRE)


@pytest.mark.parametrize(
    "command", ["show", "cancel --yes", "notify --message Hello", "attend --yes", "renew", "replace --item 1"]
)
def test_an_order_of_another_seller_does_not_exist(bookings: Path, command: str) -> None:
    name, *options = command.split()
    assert "Pine Studio has no Order" in fail(1, "order", name, ORDER, "--seller", "studio", *options)
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2


@pytest.mark.parametrize("reference", ["e11429ea-467f-4270-ab62-e47368996fe8", "alice/", "/x", "alice/nothing"])
def test_a_wrong_reference_is_refused_in_one_line(bookings: Path, reference: str) -> None:
    assert reference in fail(1, "order", "show", reference, *OF_CENTRE)


def test_a_proposal_is_not_changed_as_an_order(bookings: Path) -> None:
    assert "is not a booked Order" in fail(1, "order", "cancel", PROPOSAL, *OF_CENTRE, "--yes")


def test_order_cancel_cancels_one_item_with_a_message(bookings: Path) -> None:
    done = run("order", "cancel", ORDER, *OF_CENTRE, "--item", "2", "--message", "Broken bike.", "--yes")
    assert "Cancels Yoga" in done.stderr
    assert "Cancelled 1 item of alice/" in done.stdout
    assert statuses(bookings) == ["OrderItemConfirmed", "SellerCancelled"]
    assert order_record(bookings).states[1].cancellation_message == "Broken bike."


def test_order_cancel_cancels_all_items_after_a_yes(bookings: Path) -> None:
    done = run("order", "cancel", ORDER, *OF_CENTRE, input="y\n")
    assert done.exit_code == 0
    assert statuses(bookings) == ["SellerCancelled"] * 2
    assert order_record(bookings).states[0].cancellation_message is None


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_order_cancel_changes_nothing_without_a_yes(bookings: Path, answer: str) -> None:
    done = run("order", "cancel", ORDER, *OF_CENTRE, input=answer)
    assert done.exit_code == 1
    assert "--yes" in done.stderr
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2


def test_order_cancel_refuses_items_that_are_cancelled_or_unknown(bookings: Path) -> None:
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--item", "2", "--yes")
    assert "no item 2" in fail(1, "order", "cancel", ORDER, *OF_CENTRE, "--item", "2", "--yes")
    assert "no item 3" in fail(1, "order", "cancel", ORDER, *OF_CENTRE, "--item", "3", "--yes")
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--yes")
    assert "cancelled already" in fail(1, "order", "cancel", ORDER, *OF_CENTRE, "--yes")


def test_a_message_that_is_too_long_is_refused(bookings: Path) -> None:
    message = fail(1, "order", "cancel", ORDER, *OF_CENTRE, "--yes", "--message", "x" * 1001)
    assert "at most 1000 characters" in message
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2


def test_order_notify_sends_and_removes_a_notice(bookings: Path) -> None:
    succeed("order", "notify", ORDER, *OF_CENTRE, "--item", "1", "--message", "Bring shoes.")
    assert [state.customer_notice for state in order_record(bookings).states] == ["Bring shoes.", None]
    succeed("order", "notify", ORDER, *OF_CENTRE, "--remove")
    assert [state.customer_notice for state in order_record(bookings).states] == [None, None]


@pytest.mark.parametrize("options", [[], ["--message", " "], ["--message", "Hello", "--remove"]])
def test_order_notify_needs_a_notice_or_its_removal(bookings: Path, options: list[str]) -> None:
    assert "--remove" in fail(1, "order", "notify", ORDER, *OF_CENTRE, *options)


def test_order_attend_records_and_undoes_attendance(bookings: Path) -> None:
    succeed("order", "attend", ORDER, *OF_CENTRE, "--item", "1", "--yes")
    succeed("order", "attend", ORDER, *OF_CENTRE, "--item", "2", "--absent", "--yes")
    assert statuses(bookings) == ["AttendeeAttended", "AttendeeAbsent"]
    assert "of 2 items" in succeed("order", "attend", ORDER, *OF_CENTRE, "--undo")
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2
    assert "No attendance" in fail(1, "order", "attend", ORDER, *OF_CENTRE, "--undo")


def test_order_cancel_says_how_to_undo_a_record_of_attendance(bookings: Path) -> None:
    succeed("order", "attend", ORDER, *OF_CENTRE, "--item", "2", "--yes")
    told = fail(1, "order", "cancel", ORDER, *OF_CENTRE, "--yes")
    assert f"Item 2 has a record of attendance. Cancel others, or undo it: `openbooking order attend {ORDER} " in told
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--item", "1", "--yes")
    assert statuses(bookings) == ["SellerCancelled", "AttendeeAttended"]


def test_order_attend_asks_before_the_session_has_begun(bookings: Path) -> None:
    done = run("order", "attend", ORDER, *OF_CENTRE, input="n\n")
    assert done.exit_code == 1
    assert "Not begun yet: Yoga" in done.stderr
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2
    assert run("order", "attend", ORDER, *OF_CENTRE, input="y\n").exit_code == 0


def test_order_attend_refuses_contradicting_options(bookings: Path) -> None:
    assert "either" in fail(1, "order", "attend", ORDER, *OF_CENTRE, "--absent", "--undo")


def test_order_renew_replaces_access_codes(bookings: Path) -> None:
    before = codes(bookings)
    succeed("order", "renew", ORDER, *OF_CENTRE, "--item", "1")
    after = codes(bookings)
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_order_renew_refuses_an_order_without_access(bookings: Path) -> None:
    assert "no" in fail(1, "order", "renew", OF_STUDIO, "--seller", "studio").lower()


def test_order_replace_lists_the_choices(bookings: Path) -> None:
    rows = listed(ORDER, "--item", "1", command="replace")
    assert [row["occurrence"] for row in rows] == ["scheduled-sessions/trip"]
    assert {(row["offer"], row["price"]) for row in rows} == {("adult", 12.0)}
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2


def test_order_replace_lists_the_choices_of_another_day(bookings: Path) -> None:
    assert listed(ORDER, "--item", "1", "--day", "2200-01-01", command="replace") == []
    rows = listed(ORDER, "--item", "1", "--day", str(LATER[-1].start)[:10], command="replace")
    assert [row["occurrence"] for row in rows] == [LATER_PATH]


def test_order_replace_needs_no_item_of_an_order_with_one(bookings: Path) -> None:
    assert listed(OF_BOB, command="replace")
    assert "Name one with --item" in fail(1, "order", "replace", ORDER, *OF_CENTRE)


def test_order_replace_replaces_an_item(bookings: Path) -> None:
    assert "Replaced item 2" in succeed("order", "replace", ORDER, *OF_CENTRE, "--item", "2", "--by", LATER_PATH)
    paths = [key_of(item.opportunity.path) for item, _ in order_record(bookings).items()]
    assert paths == ["yoga", "later"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--by", PILATES_PATH), "has no occurrence"),
        (("--by", LATER_PATH, "--offer", "child"), "it has adult"),
        (("--by", "scheduled-sessions/yoga"), "booked Opportunity"),
    ],
)
def test_order_replace_refuses_what_cannot_replace(bookings: Path, options: tuple[str, ...], reason: str) -> None:
    assert reason in fail(1, "order", "replace", ORDER, *OF_CENTRE, "--item", "2", *options)


def codes(database: Path) -> list[str | None]:
    return [item.access.code if item.access else None for item, _ in order_record(database).items()]


def test_order_pay_records_a_part_and_then_all_that_is_due(bookings: Path) -> None:
    uuid = new_uuid()
    at_desk = f"{DESK}/{uuid}"
    execute(bookings, desk_booking(YOGA, uuid, payment=None))
    done = succeed("order", "pay", at_desk, "card", "--amount", "4.50", "--reference", "slip 7", *OF_CENTRE)
    assert f"Recorded a payment of 4.50 for {at_desk}." in done
    assert "Recorded a payment of 7.50" in succeed("order", "pay", at_desk, "cash", *OF_CENTRE)
    record = order_record(bookings, at_desk)
    assert [(str(paid.amount), paid.means, paid.reference) for paid in record.payments] == [
        ("4.50", "card", "slip 7"),
        ("7.50", "cash", ""),
    ]
    told = succeed("order", "cancel", at_desk, *OF_CENTRE, "--yes")
    assert told.endswith("tell the customer yourself. Give back what was paid for it.\n")
    assert "must be more than 0" in fail(1, "order", "pay", at_desk, "cash", *OF_CENTRE)
    assert "Only bookings of the front desk" in fail(1, "order", "pay", ORDER, "cash", *OF_CENTRE)
