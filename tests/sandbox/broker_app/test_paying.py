"""Baskets of the sample app: details, questions, prices, and payments that succeed and fail."""

from decimal import Decimal

import pytest

from support.broker.sample_app import Customer, Sample, order_of
from support.other_system.catalogue import SHOES


def test_booking_pays_and_shows_the_order(sample: Sample, sam: Customer) -> None:
    booked = sam.book(sam.details(sam.choose("Yoga")))
    assert order_of(booked) in sample.other.orders
    assert "Booked" in booked.text
    assert "Paid £6.50" in booked.text
    assert "Yoga" in sam.open("/bookings").text


def test_a_free_opportunity_is_booked_without_a_card(sample: Sample, sam: Customer) -> None:
    payment = sam.open(f"{sam.details(sam.choose('Walk')).url}/pay")
    assert "card" not in payment.fields
    booked = sam.send(payment, "/book")
    assert order_of(booked) in sample.other.orders


def test_details_with_errors_keep_what_was_typed(sam: Customer) -> None:
    basket = sam.choose("Yoga")
    page = sam.send(basket, "/details", given_name="Sam", family_name="", email="nonsense")
    assert page.status == 422
    assert page.summary == ["family_name", "email"] or "Enter your last name." in page.text
    assert page.fields["given_name"]["value"] == "Sam"
    assert page.fields["email"]["value"] == "nonsense"
    assert page.fields["email"]["aria-invalid"] == "true"


def test_questions_are_asked_before_the_payment(sample: Sample, sam: Customer) -> None:
    basket = sam.details(sam.choose("Climbing"))
    assert sam.open(f"{basket.url}/pay").url == basket.url
    page = sam.send(basket, "/answers", q0="Ann", q1="", q2="6a")
    assert page.status == 422
    assert "An answer is needed." in page.text
    assert page.fields["q0"]["value"] == "Ann"
    page = sam.send(page, "/answers", q1="Ash")
    assert page.url.endswith("/pay")
    booked = sam.send(page, "/book", card="works")
    (item,) = sample.other.orders[order_of(booked)].items
    assert "Ash" in str(item)
    assert "6a" in str(item)


def test_an_answer_that_is_not_allowed_is_marked_at_its_field(sam: Customer) -> None:
    basket = sam.details(sam.choose("Climbing"))
    page = sam.send(basket, "/answers", q0="Ann", q1="Ash", q2="6a", q3="52")
    assert page.status == 422
    assert "Choose one of: 38, 39, 40½." in page.text
    assert SHOES not in page.text


@pytest.mark.parametrize("card", ["declined", "unreachable"])
def test_a_failed_payment_books_nothing_and_can_be_repeated(sample: Sample, sam: Customer, card: str) -> None:
    basket = sam.details(sam.choose("Badminton"))
    failed = sam.book(basket, card)
    assert failed.status == 402
    assert "Nothing is booked or paid." in failed.text
    assert order_of(basket) not in sample.other.orders
    assert "Paid £12.00" in sam.send(failed, "/book", card="works").text


def test_an_unknown_outcome_is_being_found_out(sam: Customer) -> None:
    booking = sam.book(sam.details(sam.choose("Pilates")), "slow")
    assert "We are finding out" in booking.text or "Paid £8.00" in booking.text
    assert "Paid £8.00" in sam.wait_for(booking.url, "Paid £8.00").text


def test_a_changed_price_must_be_seen_first(sample: Sample, sam: Customer) -> None:
    payment = sam.open(f"{sam.details(sam.choose('Sauna')).url}/pay")
    other_price = sam.send(payment, "/book", total="2.0")
    assert other_price.status == 409
    assert "The price has changed." in other_price.text
    assert sample.other.opportunity("sauna").price == Decimal("3.50")
    assert order_of(payment) not in sample.other.orders


def test_full_opportunities_are_refused_in_words(sample: Sample, sam: Customer) -> None:
    page = sam.open("/?text=Court")
    sample.other.sell_out("tennis")
    refused = sam.send(page, "/baskets")
    assert refused.status == 409
    assert "space" in refused.text
    assert sam.open("/bookings").text.count("Not booked yet") == 0


def test_the_last_item_is_removed_with_its_basket(sam: Customer) -> None:
    basket = sam.choose("Yoga", 2)
    one = sam.send(basket, "/remove", position="0")
    assert one.text.count("Remove") == 1
    none = sam.send(one, "/remove", position="1")
    assert none.url.endswith("/")
    assert sam.open(basket.url).status == 404


def test_a_system_that_fails_is_told_in_words(sample: Sample, sam: Customer) -> None:
    basket = sam.choose("Yoga")
    sample.other.fail_next("C1", 500, error="InternalLibraryError")
    page = sam.open(basket.url)
    sample.other.fail_no_more()
    assert page.status in {502, 503}
    assert "Please try again in a minute." in page.text
    assert sam.open(basket.url).status == 200
