"""Sellers as providers publish them, read with remarks."""

from typing import Any

import pytest

from openbooking.importing.reading.sellers import read_seller
from openbooking.importing.reading.source import named_source
from openbooking.openactive.published.values import clean
from openbooking.openactive.terms import TaxMode
from support.importing.published_items import SELLER


def test_a_seller_is_read_with_all_fields() -> None:
    named = read_seller({**SELLER, "isOpenBookingAllowed": False}, named_source("source"))
    assert named
    assert named.seller
    assert named.remarks == ()
    assert (named.seller.name, named.seller.legal_name) == ("Riverside Centre", "Riverside Leisure Trust")
    assert (named.seller.tax_mode, named.seller.open_booking_allowed) == (TaxMode.GROSS, False)
    assert named.seller.properties == {name: SELLER[name] for name in ("url", "address")}


def test_missing_properties_are_assumed_with_a_remark() -> None:
    named = read_seller({"@type": "Person", "givenName": "Ada", "familyName": "Lee"}, named_source("source"))
    assert named
    assert named.seller
    assert (named.seller.type, named.seller.name, named.seller.legal_name) == ("Person", "Ada Lee", "Ada Lee")
    assert named.seller.tax_mode is TaxMode.GROSS
    assert [remark.split(":")[0] for remark in named.remarks] == [
        "no legalName",
        "no taxMode",
        "no address, which Orders must show",
    ]


FORMS = ["{}", "oa:{}", "schema:{}", "https://openactive.io/{}", "http://schema.org/{}"]


def in_every_form(term: str) -> list[Any]:
    """Return a term with and without its namespace, in an array, and by `@id`."""
    named = [form.format(term) for form in FORMS]
    return [*named, *([name] for name in named), *({"@id": name} for name in named)]


@pytest.mark.parametrize("told", in_every_form("TaxNet"))
def test_a_tax_mode_is_read_in_every_form(told: Any) -> None:
    named = read_seller(clean({**SELLER, "taxMode": told}), named_source("source"))
    assert named
    assert named.seller
    assert (named.seller.tax_mode, named.seller.open_booking_allowed) == (TaxMode.NET, True)


@pytest.mark.parametrize("told", [False, "false", *in_every_form("False")])
def test_open_booking_is_forbidden_in_every_form(told: Any) -> None:
    named = read_seller(clean({**SELLER, "schema:isOpenBookingAllowed": told}), named_source("source"))
    assert named
    assert named.seller
    assert (named.seller.open_booking_allowed, named.remarks) == (False, ())


@pytest.mark.parametrize("unknown", [{"taxMode": "TaxNett"}, {"isOpenBookingAllowed": "maybe"}])
def test_open_booking_is_off_for_a_seller_that_is_not_understood(unknown: dict[str, Any]) -> None:
    named = read_seller({**SELLER, **unknown}, named_source("source"))
    assert named
    assert named.seller
    assert not named.seller.open_booking_allowed
    assert len(named.remarks) == 1


@pytest.mark.parametrize("published", [None, 5, [], {}, {"@type": "Organization"}, {"@type": "Person", "name": 5.5}])
def test_an_object_without_a_name_is_no_seller(published: Any) -> None:
    assert read_seller(published, named_source("source")) is None


@pytest.mark.parametrize("published", ["https://example.com/o", {"@id": "https://example.com/o"}])
def test_a_reference_names_a_seller_that_is_described_elsewhere(published: Any) -> None:
    named = read_seller(published, named_source("source"))
    described = read_seller({"@id": "https://example.com/o", "name": "O"}, named_source("elsewhere"))
    assert named
    assert described
    assert (named.seller, named.key) == (None, described.key)


def test_sellers_with_one_name_are_distinguished_by_source() -> None:
    keys = {named.key for scope in ("a", "b") if (named := read_seller({"name": "Centre"}, named_source(scope)))}
    assert len(keys) == 2


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "www.x.example", 5],
)
def test_a_link_that_is_no_web_address_is_left_out_with_a_remark(link: Any) -> None:
    named = read_seller({**SELLER, "url": link, "logo": {"@type": "ImageObject", "url": link}}, named_source("source"))
    assert named
    assert named.seller
    assert named.seller.properties == {"address": SELLER["address"], "logo": {"@type": "ImageObject"}}
    assert named.remarks == ("url that is no web address left out",)
