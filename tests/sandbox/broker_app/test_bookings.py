"""Bookings of the sample app: news of the Seller, cancellation, and OrderProposals."""

from decimal import Decimal

from support.broker.sample_app import Customer, Sample, order_of
from support.browsers.form_browser import Page


def test_a_cancellation_by_the_seller_is_told_and_paid_back(sample: Sample, sam: Customer) -> None:
    booking = sam.book(sam.details(sam.choose("Yoga")))
    sample.other.cancel(order_of(booking), message="The teacher is ill.")
    page = sam.wait_for(booking.url, "Paid back £6.50")
    assert "The organiser has cancelled your booking. The teacher is ill." in page.text
    assert "Cancelled by the organiser" in page.text
    assert "The teacher is ill." in sam.open("/bookings").text


def test_a_customer_sees_the_refund_before_cancelling(sample: Sample, sam: Customer) -> None:
    booking = sam.book(sam.details(sam.choose("Yoga", 2)))
    item = str(sample.other.orders[order_of(booking)].items[0].id)
    question = sam.open(next(link for link in _links(booking.response.text) if "cancel?item" in link))
    assert "You get £6.50 back." in question.text
    cancelled = sam.post(
        f"{booking.url}/cancelled", form_token=question.forms[0].fields["form_token"], item=_button(question)
    )
    assert "Paid back £6.50" in sam.wait_for(cancelled.url, "Paid back").text
    assert item
    assert cancelled.text.count("Cancelled by you") == 1


def test_a_notice_of_the_seller_is_shown(sample: Sample, sam: Customer) -> None:
    booking = sam.book(sam.details(sam.choose("Walk")))
    sample.other.notify(order_of(booking), "Bring a coat.")
    assert "The organiser writes: Bring a coat." in sam.wait_for(booking.url, "The organiser writes").text


def test_an_approved_proposal_is_booked_and_paid(sample: Sample, sam: Customer) -> None:
    request = sam.book(sam.details(sam.choose("Coaching")))
    assert "Waiting for approval" in request.text
    assert "Paid" not in request.text
    sample.other.accept(order_of(request))
    sam.wait_for(request.url, "You can book it now.")
    # The page that first had the news may have read the OrderProposal before.
    approved = sam.open(request.url)
    booked = sam.post(f"{request.url}/approved", form_token=_token(approved), version=_button(approved))
    assert "Paid £40.00" in booked.text
    assert order_of(booked) in sample.other.orders


def test_an_amended_proposal_needs_the_new_version(sample: Sample, sam: Customer) -> None:
    request = sam.book(sam.details(sam.choose("Coaching")))
    order = order_of(request)
    sample.other.accept(order)
    old = sam.wait_for(request.url, "You can book it now.")
    sample.other.amend(order, Decimal(45))
    sam.wait_for(request.url, "has changed your request")
    sample.other.accept(order)
    sam.wait_for(request.url, "Book and pay £45.00")
    refused = sam.post(f"{request.url}/approved", form_token=_token(old), version=_button(old))
    assert refused.status == 409
    assert "Please look at it again." in refused.text
    assert order not in sample.other.orders
    booked = sam.post(f"{request.url}/approved", form_token=_token(refused), version=_button(refused))
    assert "Paid £45.00" in booked.text


def test_a_rejected_proposal_costs_nothing(sample: Sample, sam: Customer) -> None:
    request = sam.book(sam.details(sam.choose("Coaching")))
    sample.other.reject(order_of(request), "No time.")
    page = sam.wait_for(request.url, "has rejected your request")
    assert "Rejected by the organiser" in page.text
    assert "Paid" not in page.text.replace("Nothing was paid", "")


def test_a_request_is_withdrawn(sample: Sample, sam: Customer) -> None:
    request = sam.book(sam.details(sam.choose("Coaching")))
    page = sam.send(request, "/withdrawn")
    assert "Withdrawn by you" in sam.wait_for(page.url, "Withdrawn by you").text
    assert order_of(request) not in sample.other.orders


def _links(html: str) -> list[str]:
    return [part.split('"')[0].replace("&amp;", "&") for part in html.split('href="')[1:]]


def _button(page: Page) -> str:
    """Return the value of the button that names an item or a version."""
    html: str = page.response.text
    found = [part.split('"')[0] for name in ("item", "version") for part in html.split(f'name="{name}" value="')[1:]]
    return found[0].replace("&amp;", "&")


def _token(page: Page) -> str:
    token: str = page.forms[0].fields["form_token"]
    return token
