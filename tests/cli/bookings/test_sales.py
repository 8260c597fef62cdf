"""`openbooking sales`: sales by day, month, partner, activity, venue and VAT."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from support.builders import book, item, new_uuid, request
from support.command_line import fail, misuse, succeed
from support.parties import MANAGER
from support.seller_office import ORDER, at_start, execute

OF_CENTRE = ("--seller", "centre")
ALWAYS = ("--from", "2020-01-01", "--to", "2199-12-31")


def sold(*options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in succeed("sales", *OF_CENTRE, "--json", *options).splitlines()]


@pytest.mark.parametrize("by", ["day", "month", "activity", "venue"])
def test_sales_add_up_what_was_sold_and_cancelled(bookings: Path, by: str) -> None:
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--item", "1", "--yes")
    (row,) = sold(*ALWAYS, "--by", by)
    assert (row["sold_items"], row["sold"], row["sold_tax"]) == (3, 36.0, 6.0)
    assert (row["cancelled_items"], row["cancelled"], row["cancelled_tax"]) == (1, 12.0, 2.0)
    assert row["refund_due"] == 12.0


def test_sales_by_partner_name_the_partners(bookings: Path) -> None:
    rows = sold(*ALWAYS, "--by", "partner")
    assert [(row["group"], row["name"], row["sold"]) for row in rows] == [
        ("alice", "Alice", 24.0),
        ("bob", "Bob", 12.0),
    ]


def test_sales_by_activity_and_venue_have_names_for_people_and_keys_for_scripts(bookings: Path) -> None:
    series, made = at_start("swim")
    activity, venue = "https://openactive.io/activity-list#swim", "https://pools.example.com/7"
    described = {
        "activity": [{"@type": "Concept", "@id": activity, "prefLabel": "Swimming"}],
        "location": {"@type": "Place", "@id": venue, "name": "The Pool"},
    }
    swim = [replace(series, properties=described), made]
    execute(bookings, Publish(tuple(swim), actor=MANAGER), book(request(item(swim)), uuid=new_uuid()))
    for by, key, name in (("activity", activity, "Swimming"), ("venue", venue, "The Pool")):
        options = (*ALWAYS, "--by", by)
        assert (key, name) in [(row["group"], row["name"]) for row in sold(*options)]
        text = succeed("sales", *OF_CENTRE, *options)
        assert name in text
        assert key not in text
        told = csv.DictReader(StringIO(succeed("sales", *OF_CENTRE, *options, "--csv")))
        assert (key, name) in [(row["group"], row["name"]) for row in told]


def test_sales_by_vat_state_the_rate_and_the_tax_that_is_left(bookings: Path) -> None:
    succeed("order", "cancel", ORDER, *OF_CENTRE, "--item", "1", "--yes")
    (row,) = sold(*ALWAYS, "--by", "vat")
    assert (row["vat"], row["rate"], row["tax"]) == ("VAT at 20%", 0.2, 4.0)


def test_sales_show_the_current_month_by_default(bookings: Path) -> None:
    assert len(sold()) == 1
    assert sold("--to", "2020-01-15") == []


def test_sales_are_written_as_csv_with_numbers(bookings: Path) -> None:
    told = succeed("sales", *OF_CENTRE, *ALWAYS, "--by", "partner", "--csv")
    assert [(row["group"], row["sold"]) for row in csv.DictReader(StringIO(told))] == [
        ("alice", "24.00"),
        ("bob", "12.00"),
    ]


def test_sales_are_written_for_people(bookings: Path) -> None:
    heading, row = succeed("sales", *OF_CENTRE, *ALWAYS, "--by", "vat").splitlines()
    assert heading.split("\t")[:2] == ["Vat", "Rate"]
    assert row.split("\t")[:4] == ["VAT at 20%", "20%", "3", "£36.00"]


def test_sales_refuse_a_wrong_period(bookings: Path) -> None:
    assert "Invalid value for '--from': 'yesterday' is no date" in misuse("sales", *OF_CENTRE, "--from", "yesterday")
    assert "before the first day" in fail(1, "sales", *OF_CENTRE, "--from", "2027-02-01", "--to", "2027-01-01")
