"""Orders and proposals at the other Booking System, and what its Seller does with them."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from openbooking.openactive.messages import Order, OrderQuote
from support.other_system.caller import Caller, calling, decoded, harvested
from support.other_system.catalogue import SHOES


def test_a_booking_is_repeated_and_never_doubled(caller: Caller) -> None:
    uuid, first = caller.book("yoga")
    again = caller.call("PUT", f"orders/{uuid}", caller.body("Order", "yoga"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert list(caller.system.orders) == [uuid]
    assert caller.system.opportunity("yoga").taken == 1
    another = caller.call("PUT", f"orders/{uuid}", caller.body("Order", "yoga", "yoga"))
    assert another.json()["@type"] == "OrderAlreadyExistsError"


def test_errors_of_items_at_booking_are_one_error_or_many(caller: Caller) -> None:
    caller.system.sell_out("tennis")
    _, one = caller.book("yoga", "tennis")
    caller.system.differ(booking_errors="items")
    _, many = caller.book("yoga", "tennis")
    assert (one.status_code, many.status_code) == (409, 409)
    assert one.json()["@type"] == "UnableToProcessOrderItemError"
    errors = {item.position: [error.type for error in item.error] for item in decoded(many, Order).ordered_item}
    assert errors == {0: [], 1: ["OpportunityIsFullError"]}
    assert caller.system.orders == {}


def test_details_are_asked_for_and_checked(caller: Caller) -> None:
    body = caller.body("OrderQuote", "climbing")
    asked = decoded(caller.call("PUT", f"order-quotes/{uuid4()}", body), OrderQuote).ordered_item[0]
    assert asked.attendee_details_required == ("https://schema.org/givenName", "https://schema.org/familyName")
    assert [question.type for question in asked.order_item_intake_form][1] == "DropdownFormFieldSpecification"
    body["orderedItem"][0]["orderItemIntakeFormResponse"][1]["value"] = "50"
    refused = decoded(caller.call("PUT", f"order-quotes/{uuid4()}", body), OrderQuote).ordered_item[0].error[0]
    assert (refused.type, refused.instance) == ("InvalidIntakeFormError", SHOES)
    template = caller.call("PUT", f"order-quote-templates/{uuid4()}", body)
    assert template.status_code == 200


@pytest.mark.parametrize("name", ["prepayment", "openBookingPrepayment", ""])
def test_a_payment_is_refused_where_none_is_possible(caller: Caller, name: str) -> None:
    caller.system.differ(prepayment=name)
    quoted = caller.quote("sauna").json()["totalPaymentDue"]
    assert quoted.get(name) == ("https://openactive.io/Unavailable" if name else None)
    _, paid = caller.book("sauna")
    body = caller.body("Order", "sauna")
    del body["payment"]
    unpaid = caller.call("PUT", f"orders/{uuid4()}", body)
    assert (paid.status_code, unpaid.status_code) == ((400, 201) if name else (201, 400))


def test_an_item_can_have_several_errors(caller: Caller) -> None:
    body = caller.body("OrderQuote", "climbing")
    del body["orderedItem"][0]["attendee"], body["orderedItem"][0]["orderItemIntakeFormResponse"]
    refused = decoded(caller.call("PUT", f"order-quotes/{uuid4()}", body), OrderQuote)
    types = [error.type for error in refused.ordered_item[0].error]
    assert types == ["IncompleteAttendeeDetailsError"] * 2 + ["IncompleteIntakeFormError"]
    assert refused.total_payment_due is not None
    assert refused.total_payment_due.price == 15


@pytest.mark.parametrize("proposals_feed", ["shared", "separate"])
def test_proposals_are_amended_rejected_and_withdrawn(proposals_feed: str) -> None:
    with calling(proposals_feed=proposals_feed) as caller:
        system, uuid = caller.system, str(uuid4())
        caller.call("PUT", f"order-proposals/{uuid}", caller.body("OrderProposal", "coaching"))
        former = system.proposals[uuid].version
        system.amend(uuid, Decimal("44.50"))
        system.accept(uuid)
        outdated = caller.call("PUT", f"orders/{uuid}", {"@type": "Order", "orderProposalVersion": former})
        assert outdated.json()["@type"] == "OrderProposalVersionOutdatedError"
        feed = "orders-rpde" if proposals_feed == "shared" else "order-proposals-rpde"
        (shown,) = harvested(f"{system.endpoint}{feed}", caller.headers)
        assert shown["data"]["totalPaymentDue"]["price"] == "44.50"
        assert (shown["id"] == uuid) is (proposals_feed == "separate")
        rejection = {"@type": "OrderProposal", "orderProposalStatus": "https://openactive.io/CustomerRejected"}
        assert caller.call("PATCH", f"order-proposals/{uuid}", rejection).status_code == 204
        assert system.proposals[uuid].status.endswith("CustomerRejected")


def test_cancellations_notices_and_attendance_are_in_the_feed(caller: Caller) -> None:
    uuid, response = caller.book("yoga", "badminton")
    first = decoded(response, Order).ordered_item[-1]
    patch = {
        "@type": "Order",
        "orderedItem": [{"@id": first.id, "orderItemStatus": "https://openactive.io/CustomerCancelled"}],
    }
    assert caller.news() == []
    assert caller.call("PATCH", f"orders/{uuid}", patch).status_code == 204
    assert caller.call("PATCH", f"orders/{uuid}", patch).status_code == 204
    (news,) = caller.news()
    assert news["data"]["totalPaymentDue"]["price"] == 12
    assert caller.system.opportunity("yoga").taken == 0
    caller.system.notify(uuid, "Amenez un café")
    caller.system.attend(uuid)
    (news,) = caller.news()
    assert {item["orderItemStatus"] for item in news["data"]["orderedItem"]} == {
        "https://openactive.io/CustomerAttended"
    }
    assert {item["customerNotice"] for item in news["data"]["orderedItem"]} == {"Amenez un café"}


def test_a_moved_session_is_in_the_orders_feed_if_it_shows_opportunities(caller: Caller) -> None:
    caller.book("pilates")
    start = caller.system.opportunity("pilates").start + timedelta(hours=2)
    caller.system.move("pilates", start)
    (news,) = caller.news()
    shown = news["data"]["orderedItem"][0]["orderedItem"]["startDate"]
    assert re.fullmatch(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}[+]0[12]:00", shown)
    assert datetime.fromisoformat(shown) == start


def test_a_second_deletion_is_refused(caller: Caller) -> None:
    uuid, _ = caller.book("yoga")
    caller.system.notify(uuid, "Bonjour")
    assert [caller.call("DELETE", f"orders/{uuid}").status_code for _ in range(2)] == [204, 404]
    assert [item["state"] for item in caller.news()] == ["deleted"]
    assert caller.system.orders == {}
    assert caller.call("PUT", f"orders/{uuid}", caller.body("Order", "yoga")).status_code == 500
    caller.system.differ(deleted_again=204)
    assert caller.call("DELETE", f"orders/{uuid}").status_code == 204


@pytest.mark.parametrize("status", [200, 404, 405])
def test_order_status_is_implemented_or_not(caller: Caller, status: int) -> None:
    caller.system.differ(order_status=status, errors="empty")
    uuid, _ = caller.book("yoga")
    response = caller.call("GET", f"orders/{uuid}")
    assert response.status_code == status
    assert bool(response.content) is (status == 200)
    assert response.headers["X-Request-Id"]
