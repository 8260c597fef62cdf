"""`openbooking broker quote`, `book`, `orders` and `cancel` at a Booking System that differs from ours."""

import json
import re

import pytest

from support.broker.commands import Run
from support.other_system.system import OtherSystem

NAMES = ("--email", "sam@example.com", "--given-name", "Sam", "--family-name", "Lee", "--yes")


def test_quote_shows_the_price(run: Run, other: OtherSystem) -> None:
    result = run("quote", "--text", "yoga", "--spaces", "2")
    assert "price\t13.00 GBP" in result.stdout
    assert re.search(r"^what\tYoga, 20\d\d-\d\d-\d\d \d\d:\d\d, 2 spaces$", result.stdout, re.MULTILINE)
    assert json.loads(run("quote", "--text", "yoga", "--json").stdout)["@type"] == "OrderQuote"
    assert other.orders == {}


def test_quote_shows_the_questions(run: Run) -> None:
    questions = [line for line in run("quote", "--text", "climbing").stdout.splitlines() if line.startswith("question")]
    assert any("First name, text, needed" in line for line in questions)
    assert any("(38, 39, 40½)" in line for line in questions)


def test_book_asks_for_names_and_before_it_books(run: Run, other: OtherSystem) -> None:
    before = set(other.orders)
    result = run("book", "--text", "walk", typed="sam@example.com\nSam\nLee\nn\n")
    assert result.exit_code == 1
    assert re.search(r"Book Walk .+, 1 space for ", result.stderr)
    assert set(other.orders) == before
    result = run("book", "--text", "walk", typed="sam@example.com\nSam\nLee\ny\n")
    assert result.exit_code == 0, result.output
    (order,) = set(other.orders) - before
    assert f"Booked as {order}" in result.stdout


def test_book_takes_no_money_unless_it_is_told_to_pretend(run: Run, other: OtherSystem) -> None:
    before = set(other.orders)
    refused = run("book", "--text", "yoga")
    assert refused.exit_code == 1
    assert "E-mail address" not in refused.stderr
    assert "It costs 6.50 GBP, and this command takes no money." in refused.stderr
    assert set(other.orders) == before
    assert run("book", "--text", "yoga", *NAMES, "--pretend-payment").exit_code == 0
    assert len(set(other.orders) - before) == 1


def test_book_needs_answers(run: Run, other: OtherSystem) -> None:
    asked = run("book", "--text", "climbing", *NAMES, "--pretend-payment")
    assert asked.exit_code == 1
    assert "Answer with --answer: 0." in asked.stderr
    level = re.search(r"0\.(\S+/questions/level):", asked.stderr)
    assert level
    answers = ("0.givenName=Ann", "0.familyName=Ash", f"0.{level[1]}=6a=7", "0.swims=yes")
    given = [part for answer in answers for part in ("--answer", answer)]
    booked = run("book", "--text", "climbing", *NAMES, "--pretend-payment", "--json", *given)
    assert booked.exit_code == 0, booked.output
    order = json.loads(booked.stdout)
    assert order["@type"] == "Order"
    assert "6a=7" in booked.stdout


def test_book_tells_a_wrong_email_address_at_its_option(run: Run) -> None:
    result = run("book", "--text", "climbing", "--email", "nonsense")
    assert result.exit_code == 2
    assert "Invalid value for '--email': 'nonsense' is no e-mail address" in result.stderr


def test_book_refuses_answers_to_no_question(run: Run) -> None:
    result = run("book", "--text", "climbing", *NAMES, "--pretend-payment", "--answer", "7.x=y")
    assert result.exit_code == 2
    assert "'--answer': '7.x=y' answers no question." in " ".join(result.stderr.replace("│", " ").split())


def test_book_proposes_if_the_seller_must_approve(run: Run, other: OtherSystem) -> None:
    result = run("book", "--text", "coaching", *NAMES, "--pretend-payment")
    assert result.exit_code == 0, result.output
    (order,) = other.proposals
    assert f"Proposed as {order}" in result.stdout
    assert run("cancel", order, "--yes").exit_code == 0
    result = run("orders")
    assert f"{order}: You have withdrawn your request. Nothing was paid." in result.stderr
    assert f"{order}\twithdrawn by you\tCoaching\t" in result.stdout


def test_orders_shows_what_changed(run: Run, other: OtherSystem) -> None:
    booked = run("book", "--text", "pilates", *NAMES, "--pretend-payment")
    order = booked.stdout.split()[2]
    other.cancel(order, message="Ill.")
    result = run("orders")
    assert f"{order}: The organiser has cancelled your booking. Ill." in result.stderr
    row = next(line.split("\t") for line in result.stdout.splitlines() if line.startswith(order))
    assert (row[1], row[2], row[4], row[5]) == ("cancelled by the organiser", "Pilates", "£8.00", "refunded")
    assert re.fullmatch(r"\w+ \d+ \w+, \d\d:\d\d", row[3])
    assert "cancelled" not in run("orders").stderr


def test_missing_options_are_named_where_nobody_can_be_asked(run: Run, other: OtherSystem) -> None:
    before = set(other.orders)
    for given, missing in (
        ((), "--email, --given-name, --family-name, --yes"),
        (("--email", "sam@example.com", "--yes"), "--given-name, --family-name"),
        (NAMES[:-1], "--yes"),
    ):
        result = run("book", "--text", "walk", *given)
        assert result.exit_code == 2
        assert f"There is no terminal to ask at: give {missing}." in result.stderr
    assert set(other.orders) == before
    order = run("book", "--text", "walk", *NAMES).stdout.split()[2]
    assert "give --yes." in run("cancel", order).stderr


def test_book_takes_the_id_of_an_opportunity(run: Run, other: OtherSystem) -> None:
    walk = other.opportunity("walk").id
    assert run("book", "--id", walk, *NAMES).exit_code == 0
    unknown = run("book", "--id", f"{walk}0", *NAMES)
    assert (unknown.exit_code, "was not found" in unknown.stderr) == (1, True)


def test_orders_shows_no_baskets_that_were_only_quoted(run: Run) -> None:
    run("harvest", "--database", "quotes.sqlite3")
    assert run("quote", "--text", "yoga", "--database", "quotes.sqlite3").exit_code == 0
    assert len(run("orders", "--database", "quotes.sqlite3").stdout.splitlines()) == 1


def test_cancel_asks_first(run: Run, other: OtherSystem) -> None:
    order = run("book", "--text", "walk", *NAMES).stdout.split()[2]
    assert run("cancel", order, typed="n\n").exit_code == 1
    status = other.orders[order].items[0].status
    assert "Cancelled" not in status


def test_cancel_cancels_all_items(run: Run, other: OtherSystem) -> None:
    order = run("book", "--text", "badminton", *NAMES, "--pretend-payment", "--spaces", "2").stdout.split()[2]
    result = run("cancel", order, "--yes")
    assert f"Cancelled 2 items of {order}." in result.stdout
    assert {item.status.rpartition("/")[2] for item in other.orders[order].items} == {"CustomerCancelled"}


def test_cancel_refuses_unknown_orders(run: Run) -> None:
    result = run("cancel", "0dd4ec4e-35ff-4d3f-8f8a-3f2f7a1d3c11", "--yes")
    assert result.exit_code == 1
    assert "This Customer has no Order" in result.stderr


def test_errors_name_the_request_and_whether_a_repeat_helps(run: Run) -> None:
    result = run("quote", "--text", "yoga", "--api-key", "wrong")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert re.search(r"The request was \S+\. The same request will fail again\.$", result.stderr.strip())


def test_orders_counts_the_orders_that_another_database_has_made(run: Run) -> None:
    run("book", "--text", "walk", *NAMES)
    result = run("orders", "--database", "another.sqlite3")
    assert "UnknownOrder" not in result.stderr
    assert re.search(r"^\d+ Orders in the feeds of this Broker were not made with this database", result.stderr)


@pytest.mark.parametrize("command", [("orders",), ("quote", "--text", "yoga")])
def test_errors_name_a_missing_api_key(run: Run, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BROKER_API_KEY")
    result = run(*command)
    assert result.exit_code == 1
    assert "No API key was given: see --api-key." in result.stderr
