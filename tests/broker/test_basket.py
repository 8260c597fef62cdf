"""Baskets, driven by hand: what is sent, what is kept, and what is refused before it is sent."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from openbooking.broker import (
    ApiKey,
    AuthorizationError,
    BasketError,
    Choice,
    DiscoveryError,
    ItemsRefusedError,
    NoAnswerError,
    NoQuoteError,
    OrderAccessError,
    Organization,
    Person,
)
from openbooking.broker.core import BrokerFlows, BrokerOptions
from openbooking.broker.forms import AnswersError
from openbooking.broker.money.payments import Payments
from openbooking.openactive.messages import Payment
from openbooking.openactive.terms import BrokerRole
from support.broker.scripts import answer, play, result_of

SITE = "https://data.example.com/"
SELLER = "https://x.example/seller"
PAGE = answer(
    200,
    {"@type": "Dataset", "name": "D", "accessService": {"endpointUrl": "https://x.example/api"}},
    {"content-type": "application/ld+json"},
)
CHOICES = [Choice(f"https://x.example/s/{number}", f"https://x.example/o/{number}", SELLER) for number in (1, 2)]
LEVEL = {"@type": "ShortAnswerFormFieldSpecification", "@id": "https://x.example/level", "name": "Level"}


def quoted(*positions: int, price: Any = 12, **changes: Any) -> Any:
    """Return the reply to a quote, whose first item asks a required question."""
    items: list[dict[str, Any]] = [{"@type": "OrderItem", "position": position} for position in positions]
    items[0]["orderItemIntakeForm"] = [{**LEVEL, "valueRequired": True}]
    made = {
        "@context": "https://openactive.io/",
        "@type": "OrderQuote",
        "orderedItem": items,
        "totalPaymentDue": {"@type": "PriceSpecification", "price": price, "priceCurrency": "GBP"},
        **changes,
    }
    return answer(200, made)


@pytest.fixture
def now() -> list[datetime]:
    """The time of the clock."""
    return [datetime(2027, 3, 1, 12, tzinfo=UTC)]


@pytest.fixture
def broker(now: list[datetime]) -> Iterator[BrokerFlows]:
    options = BrokerOptions(clock=lambda: now[0])
    flows = BrokerFlows(SITE, ApiKey("k"), ":memory:", Organization(name="My App"), None, options)
    with closing(flows):
        yield flows


def begun(broker: BrokerFlows, **changes: Any) -> Any:
    given = {"customer_key": "sam", "customer": None, "payment": None, **changes}
    return result_of(broker.begin_basket(CHOICES, **given))


@pytest.mark.spec("OB-BRK-01")
def test_the_uuid_is_stored_before_the_first_request(broker: BrokerFlows) -> None:
    played = play(broker.begin_basket(CHOICES, customer_key="sam", customer=None, payment=None))
    assert played.requests == []
    assert [owned.order for owned in result_of(broker.orders_of("sam"))] == [played.result.owned.order]


@pytest.mark.spec("OB-BRK-15")
def test_quotes_carry_no_payment_unless_one_is_wanted(broker: BrokerFlows) -> None:
    basket = begun(broker)
    c1 = play(basket.quote(), [PAGE, quoted(0, 1)])
    c2 = play(basket.set_customer(Person(email="a@example.com")), [quoted(0, 1)])
    assert c1.requests[1].url.endswith(f"/order-quote-templates/{basket.owned.order}")
    assert c2.requests[0].url.endswith(f"/order-quotes/{basket.owned.order}")
    expected = {
        "@context": "https://openactive.io/",
        "@type": "OrderQuote",
        "seller": SELLER,
        "brokerRole": "https://openactive.io/AgentBroker",
        "broker": {"@type": "Organization", "name": "My App"},
        "orderedItem": [
            {
                "@type": "OrderItem",
                "position": position,
                "orderedItem": choice.opportunity_id,
                "acceptedOffer": choice.offer_id,
            }
            for position, choice in enumerate(CHOICES)
        ],
    }
    assert c1.bodies[1] == expected
    assert c2.bodies == [{**expected, "customer": {"@type": "Person", "email": "a@example.com"}}]
    wanted = begun(broker, payment=Payment(type="Payment", name="Card", account_id="SN1593"))
    assert play(wanted.quote(), [quoted(0, 1)]).bodies[0]["payment"] == {
        "@type": "Payment",
        "name": "Card",
        "accountId": "SN1593",
    }


@pytest.mark.spec("OB-BRK-05")
def test_positions_of_items_stay_when_others_leave(broker: BrokerFlows) -> None:
    basket = begun(broker)
    result_of(basket.quote(), [PAGE, quoted(0, 1)])
    assert [item["position"] for item in play(basket.remove(0), [quoted(1)]).bodies[0]["orderedItem"]] == [1]
    added = play(basket.add([CHOICES[0]]), [quoted(1, 2)])
    assert [item["position"] for item in added.bodies[0]["orderedItem"]] == [1, 2]
    result_of(basket.remove(1), [quoted(2)])
    assert isinstance(play(basket.remove(7)).error, BasketError)
    assert isinstance(play(basket.remove(2)).error, ValueError)
    assert list(basket.contents.items) == [2]


def test_a_basket_has_one_seller_and_at_least_one_item(broker: BrokerFlows) -> None:
    other = CHOICES[0]._replace(seller_id="https://x.example/other")
    lacking = [CHOICES[0]._replace(**{name: ""}) for name in Choice._fields]
    for choices in ([], [CHOICES[0], other], *([each] for each in lacking)):
        flow = broker.begin_basket(choices, customer_key="sam", customer=None, payment=None)
        assert isinstance(play(flow).error, ValueError)
    basket = begun(broker)
    assert isinstance(play(basket.add([other])).error, ValueError)
    assert result_of(broker.orders_of("sam"))[0].order == basket.owned.order


def test_the_body_of_b_repeats_the_total_and_needs_all_answers(broker: BrokerFlows) -> None:
    basket = begun(broker, customer={"@type": "Person", "email": "a@example.com"})
    prepaid = {"price": 12, "priceCurrency": "GBP", "openBookingPrepayment": "https://openactive.io/Required"}
    quote = result_of(basket.quote(), [PAGE, quoted(0, 1, totalPaymentDue=prepaid)])
    assert [question.label for question in quote.unanswered] == ["Level"]
    assert (quote.total, quote.currency, quote.needs_payment) == (Decimal(12), "GBP", True)
    with pytest.raises(AnswersError):
        basket.booking_request()
    played = play(basket.answer({0: {LEVEL["@id"]: "good"}}), [quoted(0, 1, totalPaymentDue=prepaid)])
    assert played.result.is_bookable
    body = basket.booking_request()
    assert body.type == "Order"
    assert (body.total_payment_due.price, body.total_payment_due.open_booking_prepayment) == (12, None)
    assert body.payment is None
    assert body.ordered_item[0].order_item_intake_form_response[0]["value"] == "good"


def test_a_wrong_answer_is_neither_sent_nor_kept(broker: BrokerFlows) -> None:
    basket = begun(broker, customer={"@type": "Person", "email": "a@example.com"})
    result_of(basket.quote(), [PAGE, quoted(0, 1)])
    played = play(basket.answer({0: {LEVEL["@id"]: 7}}))
    assert isinstance(played.error, AnswersError)
    assert played.requests == []
    assert basket.contents.answers == {}


def test_an_order_that_needs_approval_is_proposed(broker: BrokerFlows) -> None:
    basket = begun(broker)
    items = [{"@type": "OrderItem", "position": 0}]
    quote = result_of(basket.quote(), [PAGE, quoted(0, orderedItem=items, orderRequiresApproval=True)])
    assert quote.requires_approval
    assert basket.booking_request().type == "OrderProposal"


def test_faults_of_items_are_part_of_the_quote_and_leave_no_total(broker: BrokerFlows) -> None:
    basket = begun(broker)
    full = [{"@type": "OrderItem", "position": 1, "error": [{"@type": "OpportunityIsFullError"}]}]
    refused = quoted(1, orderedItem=full)._replace(status=409)
    quote = result_of(basket.quote(), [PAGE, refused])
    assert [fault.position for fault in quote.faults] == [1]
    assert not quote.is_bookable
    assert basket.contents.total is None
    as_order = answer(409, {"@context": "x", "@type": "Order", "orderedItem": full})
    assert isinstance(play(basket.quote(), [as_order]).error, ItemsRefusedError)


@pytest.mark.parametrize(
    ("lease", "expires"),
    [
        ({"@type": "Lease", "leaseExpires": "2027-03-01T12:00:00Z"}, datetime(2027, 3, 1, 12, tzinfo=UTC)),
        ({"@type": "Lease", "leaseExpires": "soon"}, None),
        (None, None),
    ],
)
def test_the_end_of_the_lease_is_read(broker: BrokerFlows, lease: Any, expires: datetime | None) -> None:
    quote = result_of(begun(broker).quote(), [PAGE, quoted(0, lease=lease)])
    assert quote.lease_expires == expires


def test_a_basket_is_shown_without_a_request_while_its_lease_lives(now: list[datetime], broker: BrokerFlows) -> None:
    basket = begun(broker)
    until = {"@type": "Lease", "leaseExpires": "2027-03-01T12:10:00Z"}
    first = play(basket.current_quote(), [PAGE, quoted(0, 1, lease=until)])
    assert [request.method for request in first.requests] == ["GET", "PUT"]
    opened = result_of(broker.open_basket(basket.owned.order, "sam"))
    for shown in (basket, opened):
        played = play(shown.current_quote())
        assert (played.requests, played.result) == ([], first.result)
    now[0] += timedelta(minutes=10)
    later = {**until, "leaseExpires": "2027-03-01T12:20:00Z"}
    assert len(play(basket.current_quote(), [quoted(0, 1, lease=later)]).requests) == 1
    with pytest.raises(NoAnswerError):
        result_of(basket.remove(1), [NoAnswerError("lost")] * 20)
    assert len(play(basket.current_quote(), [quoted(0, lease=later)]).requests) == 1


def test_a_refused_basket_is_shown_with_its_errors(now: list[datetime], broker: BrokerFlows) -> None:
    basket = begun(broker)
    until = {"@type": "Lease", "leaseExpires": "2027-03-01T12:10:00Z"}
    full = [
        {"@type": "OrderItem", "position": 0, "error": [{"@type": "IncompleteAttendeeDetailsError"}]},
        {"@type": "OrderItem", "position": 1, "error": [{"@type": "OpportunityIsFullError"}]},
    ]
    refused = quoted(0, 1, orderedItem=full, lease=until)._replace(status=409)
    assert result_of(basket.quote(), [PAGE, refused]) == (quote := result_of(basket.current_quote()))
    assert [fault.type for fault in quote.refusals] == ["OpportunityIsFullError"]
    assert [item.faults for item in quote.items] == [(), ("No space is left.",)]
    assert now


@pytest.mark.parametrize(
    ("due", "needs"),
    [
        ({"price": 0}, False),
        ({"price": 5, "priceCurrency": "GBP"}, True),
        ({"price": "5.00", "openBookingPrepayment": "https://openactive.io/Optional"}, False),
        ({"price": 5, "prepayment": "https://openactive.io/Unavailable"}, False),
        (None, False),
    ],
)
def test_prepayment_decides_whether_a_payment_is_needed(broker: BrokerFlows, due: Any, *, needs: bool) -> None:
    quote = result_of(begun(broker).quote(), [PAGE, quoted(0, totalPaymentDue=due)])
    assert quote.needs_payment is needs


@pytest.mark.spec("OB-BRK-06")
def test_a_basket_is_deleted_when_its_customer_leaves(broker: BrokerFlows) -> None:
    basket = begun(broker)
    played = play(broker.delete_quote(basket.owned.order, "sam"), [PAGE, answer(204)])
    assert (played.error, played.requests[1].method) == (None, "DELETE")
    assert played.requests[1].url == f"https://x.example/api/order-quotes/{basket.owned.order}"
    assert isinstance(play(broker.open_basket(basket.owned.order, "sam")).error, OrderAccessError)


def test_a_kept_basket_is_opened_by_its_customer_alone(broker: BrokerFlows) -> None:
    basket = begun(broker, customer={"@type": "Person", "email": "a@example.com"})
    result_of(basket.quote(), [PAGE, quoted(0, 1)])
    result_of(basket.answer({0: {LEVEL["@id"]: "good"}}), [quoted(0, 1)])
    again = result_of(broker.open_basket(basket.owned.order, "sam"))
    assert again.contents == basket.contents
    for order, key in ((basket.owned.order, "eve"), (uuid.uuid4(), "sam")):
        assert isinstance(play(broker.open_basket(order, key)).error, OrderAccessError)


def test_a_site_without_an_api_cannot_be_booked_with(broker: BrokerFlows) -> None:
    page = answer(200, {"@type": "Dataset", "name": "D"}, {"content-type": "application/json"})
    assert isinstance(play(begun(broker).quote(), [page]).error, DiscoveryError)


def test_a_customer_may_book_without_a_broker() -> None:
    options = BrokerOptions(role=BrokerRole.NO_BROKER)
    with closing(BrokerFlows(SITE, ApiKey("k"), ":memory:", None, None, options)) as broker:
        body = play(begun(broker).quote(), [PAGE, quoted(0)]).bodies[1]
    assert body["brokerRole"] == "https://openactive.io/NoBroker"
    assert "broker" not in body


@pytest.mark.spec("OB-BRK-05")
def test_a_basket_is_booked_only_with_a_quote_of_its_contents(broker: BrokerFlows) -> None:
    basket = begun(broker, customer=Person(email="sam@example.com"))
    with pytest.raises(NoQuoteError, match="Call `quote`"):
        basket.booking_request()
    result_of(basket.quote(), [PAGE, quoted(0, 1)])
    result_of(basket.answer({0: {LEVEL["@id"]: "6a"}}), [quoted(0, 1)])
    assert len(basket.booking_request().ordered_item) == 2
    with pytest.raises(NoAnswerError):
        result_of(basket.remove(1), [NoAnswerError("lost")] * 20)
    with pytest.raises(NoQuoteError):
        basket.booking_request()


def test_an_api_key_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(AuthorizationError, match="copied as a whole"):
        result_of(ApiKey("obk_\N{HORIZONTAL ELLIPSIS}").headers())


@pytest.mark.spec("OB-PREP-05")
def test_payment_is_not_taken_if_prepayment_is_unavailable() -> None:
    def order(type_: str) -> Any:
        due = {"price": 5, "priceCurrency": "GBP", "openBookingPrepayment": "https://openactive.io/Unavailable"}
        items = [{"@type": "OrderItem", "position": position} for position in range(2)]
        reply = {"@type": type_, "orderedItem": items, "totalPaymentDue": due}
        return answer(
            200, {"@context": "https://openactive.io/", "orderProposalVersion": "https://x.example/1", **reply}
        )

    class Untouched:
        """Hooks that must not be called."""

    with closing(BrokerFlows(SITE, ApiKey("k"), ":memory:", None, cast("Payments", Untouched()), None)) as broker:
        basket = begun(broker)
        result_of(basket.quote(), [PAGE, order("OrderQuote")])
        booked = play(basket.book(), [order("Order")])
        assert (booked.error, booked.result.paid, booked.bodies[0].get("payment")) == (None, Decimal(0), None)
        basket = begun(broker)
        result_of(basket.quote(), [order("OrderQuote")])
        proposed = play(basket.propose(), [order("OrderProposal")])
        assert (proposed.error, proposed.bodies[0].get("payment")) == (None, None)
