"""Lookup of Sellers, which the booking store keeps."""

from collections.abc import Awaitable, Callable

from openbooking.booking.model.opportunity import Seller
from openbooking.user_error import UserError

FindSeller = Callable[[str], Awaitable[Seller | None]]


class UnknownSellerError(UserError):
    """No Seller has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no Seller {key}.")


async def check_seller(find_seller: FindSeller, key: str) -> None:
    """Raise UnknownSellerError unless a Seller has this key."""
    if await find_seller(key) is None:
        raise UnknownSellerError(key)
