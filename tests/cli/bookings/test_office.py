"""The choice of the Seller, and the address of feeds that commands write."""

import json
from pathlib import Path

import pytest

from openbooking.booking.model.keys import DESK
from support.command_line import add_seller, fail, succeed
from support.console import desk_booking
from support.seller_office import LATER, ORDER, execute, statuses

DESK_UUID = "00000000-0000-4000-8000-00000000000d"


def test_the_only_seller_needs_no_option() -> None:
    add_seller("willow")
    assert succeed("order", "list", "--json") == ""


def test_several_sellers_need_the_option(bookings: Path) -> None:
    assert "--seller" in fail(1, "order", "list")


def test_an_unknown_seller_is_refused(bookings: Path) -> None:
    assert fail(1, "order", "list", "--seller", "oak").startswith("openbooking: There is no Seller oak.")


def test_an_order_that_only_its_uuid_names_is_refused_with_the_command_that_finds_it(bookings: Path) -> None:
    _, uuid = ORDER.split("/")
    assert f"order list --search {uuid}` shows it" in fail(1, "order", "show", uuid, "--seller", "centre")


def test_lists_name_the_front_desk(bookings: Path) -> None:
    execute(bookings, desk_booking(LATER, DESK_UUID))
    (row,) = map(json.loads, succeed("order", "list", "--seller", "centre", "--partner", DESK, "--json").splitlines())
    assert (row["order"], row["partner"]) == (f"{DESK}/{DESK_UUID}", "front desk")


def test_a_change_under_another_address_is_refused(bookings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", "https://other.example.com")
    assert "Set OPENBOOKING_SITE_URL" in fail(1, "order", "cancel", ORDER, "--seller", "centre", "--yes")
    monkeypatch.delenv("OPENBOOKING_SITE_URL")
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2
