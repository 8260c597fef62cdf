"""The other Booking System of the tests: its feeds, replies, faults and differences."""

import base64
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
import msgspec
import pytest

from openbooking.harvest.client import HarvestOptions, harvest, sync_client
from openbooking.harvest.copy import Copy
from openbooking.harvest.reader import End
from openbooking.harvest.verification import verify_feed
from openbooking.openactive.messages import (
    OpenBookingError,
    Order,
    OrderFeedData,
    OrderItem,
    OrderProposal,
    OrderProposalFeedData,
    OrderQuote,
)
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE
from support.other_system.catalogue import LEVEL, SHOES, Opportunity
from support.other_system.feeds import OPEN_FEEDS
from support.other_system.system import OtherSystem, other_system
from support.validators import Validator

CUSTOMER = {"@type": "Person", "email": "ada@example.com", "givenName": "Ada"}
MODES = {"Order": "OrdersFeed", "OrderProposal": "OrderProposalsFeed"}
# The form that our Booking System has.
OURS: dict[str, Any] = {
    "charset": False,
    "context": "text",
    "dates": "utc",
    "errors": "full",
    "extra_properties": False,
    "item_order": "sent",
    "numeric_ids": False,
    "prices": "number",
    "references": "text",
}


class Caller:
    """A Broker that sends requests to the other system, and reads its feed of Orders."""

    def __init__(self, system: OtherSystem) -> None:
        self.system = system
        self.client = httpx2.Client(base_url=system.endpoint, timeout=5, verify=False)
        self.headers = {"Authorization": f"Bearer {system.api_key}", "Content-Type": BOOKING_MEDIA_TYPE}
        self._cursor = f"{system.endpoint}orders-rpde"

    def call(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        return self.client.request(method, path, json=body, headers=self.headers)

    def body(self, type_: str, *keys: str, **changes: Any) -> dict[str, Any]:
        found = [self.system.opportunity(key) for key in keys]
        made = {
            "@context": "https://openactive.io/",
            "@type": type_,
            "brokerRole": "https://openactive.io/AgentBroker",
            "broker": {"@type": "Organization", "name": "App"},
            "seller": found[0].seller,
            "customer": CUSTOMER,
            "orderedItem": [_item(position, opportunity) for position, opportunity in enumerate(found)],
        }
        if type_ != "OrderQuote":
            total = sum(float(opportunity.price) for opportunity in found)
            made["totalPaymentDue"] = {"@type": "PriceSpecification", "price": total, "priceCurrency": "GBP"}
            made |= {"payment": {"@type": "Payment", "identifier": "p-1"}} if total else {}
        return made | changes

    def quote(self, *keys: str) -> httpx2.Response:
        return self.call("PUT", f"order-quotes/{uuid4()}", self.body("OrderQuote", *keys))

    def book(self, *keys: str) -> tuple[str, httpx2.Response]:
        uuid = str(uuid4())
        return uuid, self.call("PUT", f"orders/{uuid}", self.body("Order", *keys))

    def news(self) -> list[dict[str, Any]]:
        """Return the items of the Orders feed that have changed since the last call."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.client.get(self._cursor, headers=self.headers).json()
            if not page["items"]:
                return found
            found += page["items"]
            self._cursor = page["next"]


def _item(position: int, found: Opportunity) -> dict[str, Any]:
    made = {"@type": "OrderItem", "position": position, "orderedItem": found.id, "acceptedOffer": found.offer_id}
    if found.key != "climbing":
        return made
    answers = [{"@type": "PropertyValue", "propertyID": LEVEL, "value": "6b"}]
    answers.append({"@type": "PropertyValue", "propertyID": SHOES, "value": "40½"})
    attendee = {"@type": "Person", "givenName": "Ben", "familyName": "Aÿ"}
    return made | {"attendee": attendee, "orderItemIntakeFormResponse": answers}


def _position(item: OrderItem) -> int:
    assert item.position is not None
    return item.position


@contextmanager
def calling(**differences: Any) -> Iterator[Caller]:
    """Run an other system and a Broker."""
    with other_system(**differences) as system:
        caller = Caller(system)
        with caller.client:
            yield caller


@pytest.fixture
def caller() -> Iterator[Caller]:
    with calling() as found:
        yield found


@pytest.fixture
def other() -> Iterator[OtherSystem]:
    with other_system() as system:
        yield system


def feeds(system: OtherSystem) -> list[str]:
    return [system.url.replace("openactive", f"feeds/{name}") for name in OPEN_FEEDS]


def decoded(response: httpx2.Response, type_: Any) -> Any:
    return msgspec.json.decode(response.content, type=type_)


def harvested(url: str, headers: dict[str, str] | None = None) -> list[Any]:
    """Return the items of a feed, read by our reader."""
    with Copy() as copy, sync_client() as client:
        *_, end = harvest(url, copy, client, HarvestOptions(headers=headers), lambda _: None)
        assert isinstance(end, End)
        assert end.fault == ""
        return [json.loads(item.content) for item in copy.items()]


def lifecycle(caller: Caller) -> None:
    """Quote, propose, book, cancel and read everything, decoding each reply with our types."""
    other = caller.system
    assert decoded(caller.quote("yoga", "climbing", "badminton", "walk"), OrderQuote).ordered_item
    for keys in (("yoga", "climbing"), ("walk",), ("badminton", "tennis")):
        uuid, response = caller.book(*keys)
        assert response.status_code == 201, response.text
        assert {item.position for item in decoded(response, Order).ordered_item} == set(range(len(keys)))
        other.cancel(uuid, 0, message="Fermé")
    full = caller.quote("tennis", "yoga")
    assert full.status_code == 409
    assert [len(item.error) for item in sorted(decoded(full, OrderQuote).ordered_item, key=_position)] == [1, 0]
    uuid = str(uuid4())
    proposed = caller.call("PUT", f"order-proposals/{uuid}", caller.body("OrderProposal", "coaching"))
    version = decoded(proposed, OrderProposal).order_proposal_version
    other.accept(uuid)
    types = {"Order": OrderFeedData, "OrderProposal": OrderProposalFeedData}
    news = caller.news()
    assert [item["kind"] for item in news] == ["Order", "Order", "Order", "OrderProposal"]
    for item in news:
        msgspec.convert(item["data"], types[item["kind"]])
    booked = caller.call("PUT", f"orders/{uuid}", {"@type": "Order", "orderProposalVersion": version})
    assert decoded(booked, Order).ordered_item[0].position is None
    assert [item["state"] for item in caller.news()] == ["deleted"]


def unexpected_type(caller: Caller) -> httpx2.Response:
    """Return the error that refuses an OrderQuote in place of an Order."""
    return caller.call("PUT", f"orders/{uuid4()}", caller.body("OrderQuote", "yoga"))


@pytest.mark.parametrize("changes", [{}, OURS | {"page_size": 100}, {"modified": "text", "page_size": 1}])
def test_open_feeds_pass_the_verification(changes: dict[str, Any]) -> None:
    with other_system(**changes) as system:
        system.move("yoga", datetime.now(UTC) + timedelta(days=9))
        system.withdraw("badminton")
        system.set_price("pilates", Decimal("7.75"))
        told: list[str] = []
        verdicts = [verify_feed(url, told.append) for url in feeds(system)]
    assert told == []
    assert [verdict.items for verdict in verdicts] == [6, 2, 2, 2, 1]


def test_relative_links_are_read_and_reported() -> None:
    with other_system(next_links="relative") as system:
        told: list[str] = []
        verdict = verify_feed(feeds(system)[0], told.append)
    assert verdict.items == 6
    assert {bool(re.search("next that is not absolute", line)) for line in told} == {True}


def test_items_that_pages_repeat_are_read_once() -> None:
    with other_system(repeated_items=True, page_size=2) as system:
        assert len(harvested(feeds(system)[0])) == 6


def test_parents_are_embedded_or_in_a_feed_of_their_own(other: OtherSystem) -> None:
    lessons, classes, series, slots, courts = (
        [item["data"] for item in harvested(url) if item["state"] == "updated"] for url in feeds(other)
    )
    assert {"offers", "location", "activity"} <= lessons[0]["superEvent"].keys()
    assert {item["superEvent"]["@id"] for item in classes} == {item["@id"] for item in series}
    assert {item["facilityUse"].get("@type") for item in slots} == {"FacilityUse", "IndividualFacilityUse"}
    assert {item["@id"] for item in courts} < {item["facilityUse"]["@id"] for item in slots}


def test_the_dataset_site_names_feeds_and_the_api(caller: Caller) -> None:
    other = caller.system
    for changes in ({}, {"content_url_lists": True, "endpoint_slash": False, "access": "client credentials"}):
        other.differ(**changes)
        page = caller.client.get(other.url).text
        found = re.search("application/ld.json[^>]*>(.*?)</script>", page, re.DOTALL)
        assert found
        dataset = json.loads(found[1])
        urls = [download["contentUrl"] for download in dataset["distribution"]]
        assert sorted(url for each in urls for url in ([each] if isinstance(each, str) else each)) == sorted(
            feeds(other)
        )
        assert dataset["accessService"]["endpointUrl"].rstrip("/") == other.endpoint.rstrip("/")
        assert ("authenticationAuthority" in dataset["accessService"]) is bool(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        OURS,
        {"feed_opportunities": "reference", "feed_unchanged_items": "brief", "errors": "full"},
        {"feed_opportunities": "reference", "references": "text", "prices": "text", "proposal_items": "suite"},
    ],
)
def test_replies_are_read_by_our_types(changes: dict[str, Any]) -> None:
    with calling(**changes) as caller:
        lifecycle(caller)


def test_without_differences_all_messages_pass_the_validators(validator: Validator) -> None:
    with calling(**OURS, endpoint_slash=False, prepayment="openBookingPrepayment") as caller:
        system, uuid = caller.system, str(uuid4())
        system.differ(proposal_items="suite", feed_opportunities="reference", order_status=200)
        judged = [("C2Response", caller.quote("yoga", "climbing", "badminton", "tennis", "walk").json())]
        booked, response = caller.book("yoga", "badminton")
        judged.append(("BResponse", response.json()))
        proposed = caller.call("PUT", f"order-proposals/{uuid}", caller.body("OrderProposal", "coaching"))
        judged.append(("PResponse", proposed.json()))
        system.cancel(booked, 0, message="Fermé")
        system.accept(uuid)
        judged += [(MODES[item["kind"]], item["data"]) for item in caller.news()]
        judged.append(("OrderStatus", caller.call("GET", f"orders/{booked}").json()))
        # The trampoline has a flow requirement that the validator does not know.
        items = [item for url in feeds(system) for item in harvested(url) if item["state"] == "updated"]
        judged += [("BookableRPDEFeed", item["data"]) for item in items if item["id"] != "trampoline"]
    faults = [fault for mode, document in judged for fault in validator.failures(mode, document)]
    assert faults == []
    assert {mode for mode, _ in judged} > set(MODES.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"full_type_addresses": "questions"},
        {"full_type_addresses": "all"},
        {"flag_texts": True},
        {"access_code_names": False},
        {"proposal_status_list": True},
        {"lists_of_one": "member"},
    ],
)
def test_our_types_alone_do_not_read_some_lawful_replies(changes: dict[str, Any]) -> None:
    with calling(**changes) as caller, pytest.raises(msgspec.ValidationError):
        lifecycle(caller)


@pytest.mark.parametrize("errors", ["full", "type"])
def test_errors_are_read_by_our_types(caller: Caller, errors: str) -> None:
    caller.system.differ(errors=errors, context="text")
    error = decoded(unexpected_type(caller), OpenBookingError)
    assert error.type == "UnexpectedOrderTypeError"
    assert error.status_code == (500 if errors == "full" else None)


def test_our_type_alone_does_not_read_an_error_with_a_list_of_contexts(caller: Caller) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(unexpected_type(caller), OpenBookingError)


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


def test_a_fault_is_a_status_for_the_next_requests_only(caller: Caller) -> None:
    caller.system.fail_next("B", 503, times=2)
    caller.system.fail_next("B", 429)
    statuses = [caller.book("yoga")[1] for _ in range(4)]
    assert [response.status_code for response in statuses] == [503, 503, 429, 201]
    assert statuses[0].headers["Content-Type"].startswith("text/html")
    assert (statuses[0].headers["Retry-After"].endswith("GMT"), statuses[2].headers["Retry-After"]) == (True, "0")
    assert len(caller.system.orders) == 1


def test_a_fault_can_be_an_error_of_the_specification(caller: Caller) -> None:
    caller.system.fail_next("B", 503, error="TemporarilyUnableToCreateOrderError")
    uuid, response = caller.book("yoga")
    assert response.status_code == 503
    assert decoded(response, OpenBookingError).type == "TemporarilyUnableToCreateOrderError"
    assert uuid not in caller.system.orders


@pytest.mark.parametrize(("fault", "booked"), [("silence", 0), ("lost after commit", 1), ("cut", 1)])
def test_a_reply_is_lost_before_or_after_the_booking(caller: Caller, fault: Any, booked: int) -> None:
    caller.client.timeout = httpx2.Timeout(0.3)
    caller.system.fail_next("B", fault)
    with pytest.raises(httpx2.TimeoutException if fault == "silence" else httpx2.RemoteProtocolError):
        caller.book("yoga")
    assert len(caller.system.orders) == booked
    assert caller.system.requests[-1][::2] == ("B", None)


def test_a_silent_request_does_not_keep_the_system_running() -> None:
    with other_system() as system, socket.create_connection(("127.0.0.1", httpx2.URL(system.url).port)) as connection:
        system.fail_next("dataset site", "silence")
        connection.sendall(b"GET /openactive HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not system.requests:
            time.sleep(0.005)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(system.url, verify=False)


def test_an_api_key_is_in_the_header_that_the_system_wants(caller: Caller) -> None:
    caller.system.differ(api_key_header="X-API-Key")
    assert caller.quote("yoga").status_code == 403
    caller.headers |= {"X-API-Key": caller.system.api_key}
    assert caller.quote("yoga").status_code == 200
    caller.headers |= {"X-API-Key": "wrong"}
    assert caller.quote("yoga").status_code == 401


def test_access_tokens_are_given_for_client_credentials(caller: Caller) -> None:
    system = caller.system
    system.differ(access="client credentials")
    assert caller.quote("yoga").status_code == 401
    issuer = system.url.replace("openactive", "identity")
    provider = caller.client.get(f"{issuer}/.well-known/openid-configuration").json()
    assert provider["issuer"] == issuer
    both = f"{quote(system.client_id, safe='')}:{quote(system.client_secret, safe='')}"
    basic = {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    post = {"client_id": system.client_id, "client_secret": system.client_secret}
    for headers, form in ((basic, {}), ({}, post)):
        token = caller.client.post(
            provider["token_endpoint"], data={"grant_type": "client_credentials", **form}, headers=headers
        ).json()
        caller.headers["Authorization"] = f"Bearer {token['access_token']}"
        assert caller.quote("yoga").status_code == 200
    system.expire_tokens()
    assert caller.quote("yoga").json()["@type"] == "InvalidAuthorizationDetailsError"


def test_replies_differ_from_ours_in_their_form(caller: Caller) -> None:
    response = caller.quote("yoga", "badminton")
    assert response.headers["Content-Type"] == f"{BOOKING_MEDIA_TYPE}; charset=utf-8"
    assert response.content.isascii()
    assert b"\\u00e9" in response.content
    document = response.json()
    assert [item["position"] for item in document["orderedItem"]] == [1, 0]
    assert "lease" not in document
    assert document["totalPaymentDue"]["price"] == "18.50"
    assert isinstance(document["@context"], list)
    assert b'"identifier"' not in response.content
    person = caller.quote("pilates").json()["seller"]
    assert person["@type"] == "Person"
