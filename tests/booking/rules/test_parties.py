"""The details of broker and customer that each role requires."""

from typing import Any

import pytest

from openbooking.booking.rules.parties import check_broker, check_customer
from openbooking.openactive.errors import IncompleteBrokerDetailsError, IncompleteCustomerDetailsError
from openbooking.openactive.terms import BrokerRole
from support.builders import item, request, session
from support.parties import ADDRESS, BROKER, CUSTOMER

ASKED = (item(session()),)


@pytest.mark.spec("OB-VAL-06", "OB-ROLE-03", "OB-ROLE-05")
@pytest.mark.parametrize(
    ("role", "broker", "accepted"),
    [
        (BrokerRole.AGENT, BROKER, True),
        (BrokerRole.RESELLER, BROKER, True),
        (BrokerRole.NO_BROKER, None, True),
        (BrokerRole.NO_BROKER, BROKER, False),
        (BrokerRole.AGENT, None, False),
        (BrokerRole.RESELLER, None, False),
        (BrokerRole.AGENT, {**BROKER, "@type": "Person"}, False),
        (BrokerRole.AGENT, {**BROKER, "name": " "}, False),
        (BrokerRole.AGENT, {**BROKER, "name": 1}, False),
    ],
)
def test_a_broker_is_an_organization_with_a_name_unless_the_role_has_none(
    role: BrokerRole, broker: Any, accepted: bool
) -> None:
    asked = request(*ASKED, broker_role=role, broker=broker)
    if accepted:
        check_broker(asked)
        assert asked.broker == broker
    else:
        with pytest.raises(IncompleteBrokerDetailsError):
            check_broker(asked)


ORGANIZATION = {"@type": "Organization", "name": "Club", "email": "club@example.com", "address": ADDRESS}


@pytest.mark.spec("OB-CUST-02", "OB-CUST-03")
@pytest.mark.parametrize(
    ("role", "customer", "missing"),
    [
        (BrokerRole.AGENT, CUSTOMER, None),
        (BrokerRole.AGENT, ORGANIZATION, None),
        (BrokerRole.AGENT, {**ORGANIZATION, "address": "1 High Street"}, None),
        (BrokerRole.RESELLER, None, None),
        (BrokerRole.AGENT, None, "missing"),
        (BrokerRole.NO_BROKER, None, "missing"),
        (BrokerRole.AGENT, {**CUSTOMER, "@type": "Dog"}, "Person or an Organization"),
        (BrokerRole.AGENT, {**CUSTOMER, "email": ""}, "lacks email"),
        (BrokerRole.AGENT, {**ORGANIZATION, "name": " ", "address": {}}, "lacks name, address"),
        (BrokerRole.RESELLER, {**ORGANIZATION, "email": None}, "lacks email"),
        (BrokerRole.AGENT, {**CUSTOMER, "email": {"work": "a@example.com"}}, "lacks email"),
        (BrokerRole.AGENT, {**ORGANIZATION, "address": " "}, "lacks address"),
    ],
)
def test_a_customer_has_the_details_of_its_type(role: BrokerRole, customer: Any, missing: str | None) -> None:
    asked = request(*ASKED, broker_role=role, customer=customer)
    if missing is None:
        check_customer(asked)
        assert asked.customer == customer
    else:
        with pytest.raises(IncompleteCustomerDetailsError, match=missing):
            check_customer(asked)
