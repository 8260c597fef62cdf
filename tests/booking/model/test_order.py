"""Callers, personal data and items of Orders."""

import pytest
from msgspec.structs import replace

from openbooking.booking.model.order import PersonalData, to_booked_order
from support.builders import NOW, item, quote, request, session, situation
from support.parties import CUSTOMER
from support.proposals import order_of


def test_the_personal_data_of_some_items_has_nothing_about_the_others() -> None:
    ann, ben = ({"@type": "Person", "givenName": name} for name in ("Ann", "Ben"))
    answers = {number: ({"@type": "PropertyValue", "value": f"Answer {number}"},) for number in (1, 2, 3)}
    told = PersonalData(
        customer=CUSTOMER, attendees={1: ann, 2: ben}, intake_answers=answers, received_at=NOW, fingerprint_key="key"
    )
    assert told.select_items([2, 3]) == PersonalData(
        customer=CUSTOMER,
        attendees={2: ben},
        intake_answers={2: answers[2], 3: answers[3]},
        received_at=NOW,
        fingerprint_key="key",
    )


@pytest.mark.spec("OB-B-10")
def test_the_fingerprint_of_a_request_does_not_depend_on_the_order_of_its_properties() -> None:
    asked = request(item(session()))
    assert asked.customer is not None
    backwards = dict(reversed(list(asked.customer.items())))
    assert list(backwards) != list(asked.customer)
    assert replace(asked, customer=backwards).fingerprint() == asked.fingerprint()


@pytest.mark.parametrize("lacking", ["opportunity", "offer"])
def test_an_item_without_opportunity_or_offer_cannot_be_booked(lacking: str) -> None:
    yoga = session()
    order = order_of(quote(request(item(yoga))).decide(situation(yoga)))
    faulty = replace(order.items[0], **{lacking: None})
    with pytest.raises(ValueError, match="Item 1 has no Opportunity or no Offer"):
        to_booked_order(replace(order, items=(faulty,)))
