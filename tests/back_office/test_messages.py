"""The length of messages to Customers."""

from openbooking.back_office.plans.messages import length_problem


def test_message_of_a_thousand_characters_is_short_enough() -> None:
    assert length_problem("x" * 1000) == ""
    assert length_problem("x" * 1001) == "Use at most 1000 characters; the text has 1001."
