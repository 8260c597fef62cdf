"""Messages about wrong values and unknown keys name the value, the choices and what helps."""

import pytest

from support.command_line import SELLER_OPTIONS, fail, misuse

ORDER = "@desk/5f0c3b1e-2d4a-4c6b-8e9f-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("seller", "add", "elm", *SELLER_OPTIONS, "--tax-mode", "grss"),
            "'--tax-mode': 'grss' is no choice. It must be net or gross. Did you mean gross?",
        ),
        (
            ("user", "add", "ann", "--seller", "elm", "--role", "xyz"),
            "'--role': 'xyz' is no choice. It must be manager or staff.",
        ),
        (("order", "pay", ORDER, "crad"), "'crad' is no choice. It must be cash, card or other. Did you mean card?"),
        (("serve", "--port", "eighty"), "'--port': 'eighty' is no whole number."),
        (
            ("timetable", "close", "spin", "--from", "tomorrow", "--to", "2026-12-07 16:00", "--name", "Snow"),
            "'--from': 'tomorrow' is no date and time such as '2026-12-05 18:15'.",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_wrong_value_is_told_with_the_choices_and_the_nearest_one(words: tuple[str, ...], message: str) -> None:
    told = misuse(*words)
    assert f"Invalid value for {message}" in told or (message in told and "Invalid value for 'means'" in told)
    assert "Value error" not in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("order", "list", "--seller", "oak"), "There is no Seller oak. `openbooking seller list` lists the Sellers."),
        (("user", "unlock", "ben"), "There is no user ben. `openbooking user list` lists the users."),
        (
            ("partner", "new-key", "acme"),
            "There is no Booking Partner acme. `openbooking partner list` lists the Booking Partners.",
        ),
        (
            ("access-request", "show", "7"),
            "There is no access request 7. `openbooking access-request list` lists the requests.",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("bookings")
def test_an_unknown_key_is_told_with_the_command_that_lists_the_keys(words: tuple[str, ...], message: str) -> None:
    assert fail(1, *words) == f"openbooking: {message}"
