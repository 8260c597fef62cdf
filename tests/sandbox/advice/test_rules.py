"""The rules for Brokers, each with exchanges that keep it and that break it."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from openbooking.sandbox.advice import rules
from openbooking.sandbox.advice.advise import advise
from openbooking.sandbox.advice.remark import Remark
from openbooking.sandbox.exchanges.exchange import Exchange
from openbooking.sandbox.exchanges.operations import Operation
from support.requirements_catalogue import requirement_ids

YOGA = {"orderedItem": [{"orderedItem": "yoga", "acceptedOffer": {"@id": "adult"}}], "customer": {"email": "a@b.c"}}
JUDO = {**YOGA, "orderedItem": [{"orderedItem": "judo", "acceptedOffer": "adult"}]}
C1, C2, P, B = Operation.C1, Operation.C2, Operation.P, Operation.B
OK, CREATED, NO_CONTENT, NOT_FOUND, CONFLICT = 200, 201, 204, 404, 409
FAILED, UNAVAILABLE, LIMITED = 500, 503, 429

Rule = Callable[[Sequence[Exchange]], Iterator[Remark]]


def exchange(operation: Operation, uuid: str = "1", status: int = OK, **more: Any) -> Exchange:
    """Return an exchange without a number; `body` and `answer` are JSON."""
    for name in ("body", "answer"):
        more[name] = json.dumps(more.get(name, YOGA if name == "body" else {}))
    made = {"number": 0, "at": datetime(2027, 3, 1, tzinfo=UTC), "began": 0.0, "broker": "demo", **more}
    path = f"/api/{operation.value}/{uuid}"
    return Exchange(operation=operation, uuid=uuid, status=status, **{"method": "PUT", "path": path, **made})


def numbered(*exchanges: Exchange) -> list[Exchange]:
    """Return the exchanges with the numbers 1, 2, …, and with these as their times unless they have others."""
    fields = [{name: getattr(each, name) for name in each.__struct_fields__} for each in exchanges]
    return [
        Exchange(**each | {"number": number, "began": each["began"] or float(number)})
        for number, each in enumerate(fields, 1)
    ]


def broken(rule: Rule, *exchanges: Exchange) -> list[tuple[str, int]]:
    """Return the requirements that a rule finds broken, each with the number of the exchange."""
    return [(remark.requirement, remark.number) for remark in rule(numbered(*exchanges))]


@pytest.mark.spec("OB-BRK-01")
def test_a_uuid_that_was_booked_is_for_no_other_order() -> None:
    booked = exchange(B, status=CREATED)
    other = exchange(B, status=FAILED, body=JUDO)
    assert broken(rules.uuid_used_twice, booked, other) == [("OB-BRK-01", 2)]
    assert broken(rules.uuid_used_twice, booked, exchange(C1)) == [("OB-BRK-01", 2)]


@pytest.mark.spec("OB-BRK-01")
def test_a_repeat_of_b_and_a_new_uuid_are_right() -> None:
    booked = exchange(B, status=CREATED)
    assert broken(rules.uuid_used_twice, exchange(C1), exchange(C2), booked, booked, exchange(B, "2")) == []
    assert broken(rules.uuid_used_twice, booked, exchange(Operation.CANCEL, status=NO_CONTENT)) == []


@pytest.mark.spec("OB-BRK-01")
def test_a_uuid_that_was_deleted_is_for_no_other_order() -> None:
    deleted = exchange(Operation.DELETE_ORDER, status=NO_CONTENT)
    assert broken(rules.uuid_used_twice, deleted, exchange(B, status=FAILED)) == [("OB-BRK-01", 2)]


@pytest.mark.spec("OB-BRK-02")
def test_after_a_500_the_uuid_is_not_used_again() -> None:
    failed = exchange(B, status=FAILED)
    assert broken(rules.same_uuid_after_500, failed, exchange(B)) == [("OB-BRK-02", 2)]
    assert broken(rules.same_uuid_after_500, failed, exchange(Operation.DELETE_ORDER), exchange(C1, "2")) == []
    assert broken(rules.same_uuid_after_500, exchange(B, status=400), exchange(B)) == []


@pytest.mark.spec("OB-BRK-03")
@pytest.mark.parametrize("uncertain", [{"status": UNAVAILABLE}, {"status": LIMITED}, {"arrived": False}])
def test_a_booking_without_a_certain_result_is_repeated_with_its_uuid(uncertain: dict[str, Any]) -> None:
    tried = exchange(B, **uncertain)
    assert broken(rules.new_uuid_for_a_retry, tried, exchange(B, status=CREATED)) == []
    assert broken(rules.new_uuid_for_a_retry, tried, exchange(C2, "2")) == [("OB-BRK-03", 2)]
    # The remark is made once.
    assert broken(rules.new_uuid_for_a_retry, tried, exchange(C2, "2"), exchange(B, "2")) == [("OB-BRK-03", 2)]


@pytest.mark.spec("OB-BRK-02", "OB-BRK-03")
@pytest.mark.parametrize("status", [NO_CONTENT, NOT_FOUND])
def test_a_new_uuid_is_right_once_the_order_is_deleted(status: int) -> None:
    tried, deleted = exchange(B, status=UNAVAILABLE), exchange(Operation.DELETE_ORDER, status=status)
    assert broken(rules.new_uuid_for_a_retry, tried, deleted, exchange(C1, "2")) == []
    refused = exchange(Operation.DELETE_ORDER, status=UNAVAILABLE)
    assert broken(rules.new_uuid_for_a_retry, tried, refused, exchange(B, "2")) == [("OB-BRK-03", 3)]


@pytest.mark.spec("OB-BRK-03")
def test_another_customer_or_session_may_be_booked_meanwhile() -> None:
    tried = exchange(B, status=UNAVAILABLE)
    other = {**YOGA, "customer": {"email": "x@y.z"}}
    assert broken(rules.new_uuid_for_a_retry, tried, exchange(B, "2", body=other), exchange(B, "3", body=JUDO)) == []
    assert broken(rules.new_uuid_for_a_retry, exchange(B, status=UNAVAILABLE, body={}), exchange(B, "2", body={})) == []


@pytest.mark.spec("OB-BRK-04")
def test_after_a_lack_of_spaces_c2_is_sent_again() -> None:
    answer = {"@type": "OpportunityHasInsufficientCapacityError"}
    refused = exchange(B, status=CONFLICT, answer=answer)
    assert broken(rules.no_new_quote_after_a_conflict, refused, exchange(B)) == [("OB-BRK-04", 2)]
    assert broken(rules.no_new_quote_after_a_conflict, refused, exchange(C2), exchange(B)) == []
    assert broken(rules.no_new_quote_after_a_conflict, exchange(B, status=400, answer={}), exchange(B)) == []


@pytest.mark.spec("OB-BRK-07")
def test_the_orders_feed_is_read_every_minute() -> None:
    booked = exchange(B, status=CREATED, began=100)
    read = [exchange(Operation.ORDERS_FEED, began=began) for began in (160, 220, 290)]
    assert broken(rules.orders_feed_read_too_late, booked, *read[:2]) == []
    assert broken(rules.orders_feed_read_too_late, booked, *read) == [("OB-BRK-07", 4)]
    assert broken(rules.orders_feed_read_too_late, booked, read[2]) == [("OB-BRK-07", 2)]
    quotes = [exchange(C1, "2", began=began) for began in (150, 165, 170)]
    assert broken(rules.orders_feed_read_too_late, booked, *quotes, read[1]) == [("OB-BRK-07", 3)]


@pytest.mark.spec("OB-BRK-07")
def test_a_broker_without_orders_need_not_read_the_orders_feed() -> None:
    refused = exchange(B, status=CONFLICT, began=100)
    assert broken(rules.orders_feed_read_too_late, refused, exchange(Operation.ORDERS_FEED, began=900)) == []


def proposal(version: str, status: str) -> dict[str, Any]:
    return {"orderProposalVersion": version, "orderProposalStatus": f"https://openactive.io/{status}"}


@pytest.mark.spec("OB-BRK-08")
def test_b_after_p_waits_for_the_acceptance_of_its_version() -> None:
    book = exchange(B, status=CREATED, body={"orderProposalVersion": "v1"})
    shown = [
        exchange(Operation.PROPOSALS_FEED, answer={"items": [{"data": proposal("v1", status)}, {"state": "deleted"}]})
        for status in ("AwaitingSellerConfirmation", "SellerAccepted")
    ]
    assert broken(rules.booked_before_acceptance, shown[1], book) == []
    assert broken(rules.booked_before_acceptance, exchange(P, status=CREATED), shown[0], book) == [("OB-BRK-08", 3)]
    status = exchange(Operation.STATUS, answer=proposal("v1", "SellerAccepted"))
    assert broken(rules.booked_before_acceptance, status, book) == []
    other = exchange(Operation.STATUS, answer=proposal("v2", "SellerAccepted"))
    assert broken(rules.booked_before_acceptance, other, book) == [("OB-BRK-08", 2)]


@pytest.mark.spec("OB-BRK-08")
def test_an_acceptance_that_did_not_arrive_is_not_known() -> None:
    lost = exchange(Operation.STATUS, answer=proposal("v1", "SellerAccepted"), arrived=False)
    book = exchange(B, body={"orderProposalVersion": "v1"})
    assert broken(rules.booked_before_acceptance, lost, book, exchange(B)) == [("OB-BRK-08", 2)]


@pytest.mark.spec("OB-RATE-04", "OB-BRK-09")
def test_a_request_waits_as_long_as_retry_after_says() -> None:
    limited = exchange(C1, status=LIMITED, answer_headers={"retry-after": "5"}, began=10)
    assert broken(rules.sent_before_retry_after, limited, exchange(C1, began=12)) == [("OB-RATE-04", 2)]
    assert broken(rules.sent_before_retry_after, limited, exchange(C1, began=15)) == []
    assert broken(rules.sent_before_retry_after, limited, exchange(C1, "2", began=12)) == []
    dated = exchange(C1, status=LIMITED, answer_headers={"retry-after": "Mon, 1 Mar 2027 00:00:00 GMT"}, began=10)
    assert broken(rules.sent_before_retry_after, dated, exchange(C1, began=12)) == []


def test_a_booking_follows_a_quote_with_the_customer() -> None:
    assert broken(rules.booked_without_quote, exchange(C1), exchange(B), exchange(B)) == [("OB-C2-03", 2)]
    assert broken(rules.booked_without_quote, exchange(C2), exchange(B)) == []
    assert broken(rules.booked_without_quote, exchange(C2, status=CONFLICT), exchange(P)) == [("OB-C2-03", 2)]


def lease(seconds: int) -> dict[str, Any]:
    """Return the answer to a C2 at the time of the exchanges, which holds the spaces for these seconds."""
    return {"lease": {"@type": "Lease", "leaseExpires": f"2027-03-01T00:{seconds // 60:02}:{seconds % 60:02}Z"}}


@pytest.mark.spec("OB-BRK-06")
def test_a_quote_is_deleted_when_its_customer_leaves() -> None:
    held = exchange(C2, began=10, answer=lease(900))
    later = exchange(Operation.ORDERS_FEED, "", began=911)
    assert broken(rules.quote_left_to_its_end, held, later, later) == [("OB-BRK-06", 1)]
    assert broken(rules.quote_left_to_its_end, held, exchange(Operation.ORDERS_FEED, "", began=900)) == []
    for used in (exchange(B, status=CREATED), exchange(P), exchange(Operation.DELETE_QUOTE, status=NO_CONTENT)):
        assert broken(rules.quote_left_to_its_end, held, used, later) == []
    renewed = exchange(C2, began=800, answer=lease(900))
    assert broken(rules.quote_left_to_its_end, held, renewed, later) == []
    unheld = exchange(C2, began=10, answer={"lease": {"leaseExpires": "soon"}})
    assert broken(rules.quote_left_to_its_end, unheld, later) == []


@pytest.mark.spec("OB-BRK-12")
def test_an_item_that_the_feed_has_cancelled_is_not_cancelled_again() -> None:
    def order(status: str) -> dict[str, Any]:
        return {"orderedItem": [{"@id": "item-1", "orderItemStatus": f"https://openactive.io/{status}"}]}

    shown = exchange(Operation.ORDERS_FEED, answer={"items": [{"data": order("SellerCancelled")}]})
    cancel = exchange(Operation.CANCEL, body=order("CustomerCancelled"), status=NO_CONTENT)
    assert broken(rules.cancelled_again, shown, cancel) == [("OB-BRK-12", 2)]
    restored = exchange(Operation.ORDERS_FEED, answer={"items": [{"data": order("OrderItemConfirmed")}]})
    assert broken(rules.cancelled_again, shown, restored, cancel) == []
    assert broken(rules.cancelled_again, cancel, shown) == []


@pytest.mark.spec("OB-BRK-14")
def test_an_order_is_booked_for_the_customer_who_has_begun_it() -> None:
    other = {**YOGA, "customer": {"email": "x@y.z"}}
    assert broken(rules.booked_for_another_customer, exchange(C2), exchange(B, body=other)) == [("OB-BRK-14", 2)]
    assert broken(rules.booked_for_another_customer, exchange(C2), exchange(B), exchange(P, "2", body=other)) == []
    accepted = {"orderProposalVersion": "v1"}
    assert broken(rules.booked_for_another_customer, exchange(C2), exchange(B, body=accepted)) == []
    changed = exchange(C2, body=other)
    assert broken(rules.booked_for_another_customer, exchange(C2), changed, exchange(B, body=other)) == []


@pytest.mark.spec("OB-BRK-16")
def test_an_offer_that_the_broker_does_not_support_is_not_offered() -> None:
    quote = exchange(C2, answer={"orderRequiresApproval": True})
    assert broken(rules.unsupported_offer, quote, exchange(B, status=FAILED)) == [("OB-BRK-16", 2)]
    assert broken(rules.unsupported_offer, quote, exchange(P, status=CREATED), exchange(B)) == []
    errors = {"orderedItem": [{"error": [{"@type": "IncompleteIntakeFormError"}]}] * 2}
    refused = exchange(B, status=CONFLICT, answer=errors)
    assert broken(rules.unsupported_offer, exchange(C2), refused) == [("OB-BRK-16", 2)]
    assert broken(rules.unsupported_offer, exchange(C2, status=CONFLICT, answer=errors)) == []


def test_the_requests_of_each_broker_are_judged_alone() -> None:
    failed = exchange(B, status=FAILED)
    again = exchange(B, broker="studio-app")
    assert "OB-BRK-02" not in {remark.requirement for remark in advise(numbered(failed, again))}
    both = numbered(failed, exchange(B))
    assert "OB-BRK-02" in {remark.requirement for remark in advise(both)}


@pytest.mark.parametrize("body", ["", "[]", "nothing", "{}", '{"orderedItem": 3}', "[" * 100_000])
def test_no_body_is_too_strange_for_the_rules(body: str) -> None:
    fields = {name: getattr(exchange(B), name) for name in Exchange.__struct_fields__}
    strange = [
        Exchange(**fields | {"body": body, "answer": body, "status": status, "operation": operation})
        for status in (CREATED, UNAVAILABLE, CONFLICT)
        for operation in Operation
    ]
    assert all(isinstance(remark, Remark) for remark in advise(strange))


def test_the_requirements_of_the_rules_exist() -> None:
    named = {f"OB-BRK-{number:02}" for number in (1, 2, 3, 4, 6, 7, 8, 12, 14, 16)} | {"OB-RATE-04", "OB-C2-03"}
    assert named <= requirement_ids()
    assert len(rules.RULES) == len(named)
