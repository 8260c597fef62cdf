"""Keys that people choose for Sellers and Booking Partners, and the key of the front desk."""

from openbooking.openactive.ids import is_key
from openbooking.user_error import UserError

# The front desk of all Sellers has this key where an Order has the key of a Booking Partner. It is not a valid key, so
# that no Booking Partner can have it.
DESK = "@desk"


class InvalidKeyError(UserError):
    """The text cannot be a key, because it cannot be the last part of an `@id`."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} cannot be a key: use letters, digits, and . _ ~ -")


def check_key(text: str) -> None:
    """Raise InvalidKeyError unless the text can be a key."""
    if not is_key(text):
        raise InvalidKeyError(text)
