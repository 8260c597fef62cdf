"""The scopes of the specification (OB 11.7.4.1) and of OpenID Connect. Other scopes in a request are ignored."""

from collections.abc import Collection, Iterable
from enum import StrEnum


class Scope(StrEnum):
    """A permission that a Booking Partner can be given."""

    OPENID = "openid"
    PROFILE = "profile"
    OFFLINE_ACCESS = "offline_access"
    IDENTITY = "openactive-identity"
    OPENBOOKING = "openactive-openbooking"
    ORDERS_FEED = "openactive-ordersfeed"


EVERY_SCOPE = frozenset(Scope)
# The Orders feed belongs to the client and shows the Orders of all its Sellers, so no Seller can allow it (OB-AUTH-25).
SELLER_SCOPES = EVERY_SCOPE - {Scope.ORDERS_FEED}
CLIENT_SCOPES = frozenset({Scope.ORDERS_FEED})


def read_scopes(text: str, allowed: Collection[Scope]) -> frozenset[Scope]:
    """Return the allowed scopes among those that the text names, separated by spaces."""
    named = set(text.split())
    return frozenset(scope for scope in allowed if scope in named)


def write_scopes(scopes: Iterable[Scope]) -> str:
    """Return the names of the scopes, separated by spaces, always in the same order."""
    wanted = set(scopes)
    return " ".join(scope for scope in Scope if scope in wanted)
