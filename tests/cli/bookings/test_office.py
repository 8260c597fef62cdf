"""The choice of the Seller, and the address of feeds that commands write."""

from pathlib import Path

import pytest

from support.command_line import add_seller, fail, succeed
from support.seller_office import ORDER, statuses


def test_the_only_seller_needs_no_option() -> None:
    add_seller("willow")
    assert succeed("order", "list", "--json") == ""


def test_several_sellers_need_the_option(bookings: Path) -> None:
    assert "--seller" in fail(1, "order", "list")


def test_an_unknown_seller_is_refused(bookings: Path) -> None:
    assert fail(1, "order", "list", "--seller", "oak") == "openbooking: There is no Seller oak."


def test_a_change_under_another_address_is_refused(bookings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOKING_SITE_URL", "https://other.example.com")
    fail(1, "order", "cancel", ORDER, "--seller", "centre", "--yes")
    monkeypatch.delenv("OPENBOOKING_SITE_URL")
    assert statuses(bookings) == ["OrderItemConfirmed"] * 2
