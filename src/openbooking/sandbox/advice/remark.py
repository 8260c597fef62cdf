"""A remark on an exchange (`Remark`)."""

from typing import NamedTuple


class Remark(NamedTuple):
    """What was wrong with a request.

    Attributes:
        requirement: The id of the requirement.
        text: What was wrong, and what to do.
        number: The number of the exchange.
        is_error: Whether the remark explains an error in the answer, which a correct Broker may also meet.
    """

    requirement: str
    text: str
    number: int
    is_error: bool = False
