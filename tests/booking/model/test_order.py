"""The parts of Orders."""

from openbooking.booking.model.order import PersonalData
from support.builders import NOW
from support.parties import CUSTOMER


def test_the_personal_data_of_some_items_has_nothing_about_the_others() -> None:
    ann, ben = ({"@type": "Person", "givenName": name} for name in ("Ann", "Ben"))
    answers = {number: ({"@type": "PropertyValue", "value": f"Answer {number}"},) for number in (1, 2, 3)}
    told = PersonalData(
        customer=CUSTOMER, attendees={1: ann, 2: ben}, intake_answers=answers, received_at=NOW, fingerprint_key="key"
    )
    assert told.of_items([2, 3]) == PersonalData(
        customer=CUSTOMER,
        attendees={2: ben},
        intake_answers={2: answers[2], 3: answers[3]},
        received_at=NOW,
        fingerprint_key="key",
    )
