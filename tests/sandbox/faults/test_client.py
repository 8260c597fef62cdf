"""The Broker's client meets each fault of the sandbox: one Order is booked and paid once, and nothing is remarked."""

from collections.abc import Iterator

import pytest

from openbooking.broker import (
    ApiKey,
    Basket,
    Broker,
    BrokerOptions,
    OpenBookingError,
    Organization,
    Person,
    Retries,
    Retry,
)
from openbooking.sandbox.client import Sandbox
from support.broker.systems import Till

AT_ONCE = BrokerOptions(retries=Retries(first_pause=0.01))


@pytest.fixture
def till() -> Till:
    """The payments of the Broker."""
    return Till()


@pytest.fixture
def broker(openbooking_sandbox: Sandbox, till: Till) -> Iterator[Broker]:
    """A Broker that has harvested."""
    access, organization = ApiKey(openbooking_sandbox.api_key), Organization(name="My App")
    url = openbooking_sandbox.url
    with Broker(
        url, access=access, database=":memory:", organization=organization, payments=till, options=AT_ONCE
    ) as opened:
        opened.harvest()
        yield opened


def basket_of(broker: Broker) -> Basket:
    hits = broker.search(text="early lane", bookable=True, limit=1)
    customer = Person(email="sam@example.com", given_name="Sam", family_name="Lee")
    return broker.basket(hits, customer_key="sam", customer=customer)


@pytest.mark.spec("OB-BRK-01", "OB-BRK-02", "OB-BRK-03")
@pytest.mark.parametrize(
    ("kind", "operation"),
    [("500", "B"), ("503", "C2"), ("429", "B"), ("lost", "C2"), ("lost", "B"), ("cut", "B")],
)
def test_a_fault_makes_one_order_that_is_paid_once(
    openbooking_sandbox: Sandbox, broker: Broker, till: Till, kind: str, operation: str
) -> None:
    basket = basket_of(broker)
    openbooking_sandbox.faults(kind, operation=[operation], next=1, retry_after=0)
    basket.quote()
    booked = basket.book()
    (order,) = openbooking_sandbox.orders()
    assert str(booked.order) in str(order)
    assert (till.authorised, till.kept) == ({}, {booked.order: booked.paid})
    assert openbooking_sandbox.advice() == []


@pytest.mark.spec("OB-BRK-02")
def test_a_quote_that_fails_with_500_is_made_by_another_basket(openbooking_sandbox: Sandbox, broker: Broker) -> None:
    openbooking_sandbox.faults("500", operation=["C2"], next=1)
    with pytest.raises(OpenBookingError) as failed:
        basket_of(broker).quote()
    assert failed.value.retry is Retry.NEW_UUID
    again = basket_of(broker)
    again.quote()
    again.book()
    assert len(openbooking_sandbox.orders()) == 1
    assert openbooking_sandbox.advice() == []
