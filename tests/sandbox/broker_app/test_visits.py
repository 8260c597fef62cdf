"""Sessions of the sample app: forged cookies, forged forms, and orders of other Customers."""

import pytest

from support.broker.sample_app import Customer, Sample, order_of

PATHS = ("/basket/{}", "/basket/{}/pay", "/bookings/{}", "/bookings/{}/cancel?item=x")
ACTIONS = (
    "/basket/{}/details",
    "/basket/{}/answers",
    "/basket/{}/remove",
    "/basket/{}/book",
    "/bookings/{}/cancelled",
    "/bookings/{}/approved",
    "/bookings/{}/withdrawn",
)


@pytest.mark.spec("OB-BRK-14")
def test_orders_of_another_customer_do_not_exist(sample: Sample, sam: Customer) -> None:
    booked, basket = sam.book(sam.details(sam.choose("Yoga"))), sam.choose("Yoga")
    eve = sample.customer()
    token = eve.open("/").forms[-1].fields["form_token"]
    for order in map(order_of, (booked, basket)):
        for path in PATHS:
            assert eve.open(path.format(order)).status == 404, path
        for action in ACTIONS:
            assert eve.post(action.format(order), form_token=token, total="6.5").status == 404, action
    assert "Yoga" not in eve.open("/bookings").text
    assert "Booked" in sam.open(booked.url).text
    assert "Remove" in sam.open(basket.url).text


def test_a_forged_cookie_names_nobody(sample: Sample, sam: Customer) -> None:
    booked = sam.book(sam.details(sam.choose("Yoga")))
    key, _, signature = sam.cookies["broker_app"].partition(".")
    for forged in (key, f"{key}.", f"{key}.{'0' * 64}", f"{'0' * 32}.{signature}", "é", "." * 4000):
        eve = sample.customer()
        eve.cookies.set("broker_app", forged.encode("ascii", "replace").decode())
        assert eve.open(booked.url).status == 404, forged


def test_a_form_without_the_token_of_its_customer_is_refused(sample: Sample, sam: Customer) -> None:
    basket = sam.choose("Yoga")
    of_eve = sample.customer().open("/").forms[-1].fields["form_token"]
    for token in ("", "é", of_eve):
        page = sam.post(f"{basket.url}/remove", position="0", form_token=token)
        assert page.status == 403, token
    assert "Remove" in sam.open(basket.url).text


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=99999999999999999999",
        "page=" + "9" * 5_000,
        "page=½",
        "page=²",
        "day=2026-13-40",
        "town=Nowhere",
        "town=Oxford&km=-5",
        "activity=%00",
        "text=%25_%27%22<script>",
        "day=0001-01-01",
        "day=9999-12-31",
    ],
)
def test_hostile_searches_are_answered(sam: Customer, query: str) -> None:
    page = sam.open(f"/?{query}")
    assert page.status == 200
    assert "<script" not in page.response.text


def test_hostile_baskets_are_answered(sam: Customer) -> None:
    token = sam.open("/").forms[-1].fields["form_token"]
    for fields in (
        {},
        {"opportunity": "x", "offer": "y", "seller": "z", "spaces": "0"},
        {"opportunity": "x", "offer": "y", "seller": "z", "spaces": "1e9"},
        {"opportunity": "x", "offer": "y", "seller": "z"},
    ):
        assert sam.post("/baskets", form_token=token, **fields).status in {200, 409, 502}, fields


def test_pages_forbid_scripts_and_caches(sam: Customer) -> None:
    headers = sam.open("/").response.headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["cache-control"] == "no-store"
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=lax" in headers["set-cookie"]
