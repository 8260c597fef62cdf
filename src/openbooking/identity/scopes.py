"""The scopes of the specification (OB 11.7.4.1) and of OpenID Connect; others that are asked for are ignored."""

from collections.abc import Collection, Iterable
from enum import StrEnum


class Scope(StrEnum):
    """What a Booking Partner can be allowed."""

    OPENID = "openid"
    PROFILE = "profile"
    OFFLINE_ACCESS = "offline_access"
    IDENTITY = "openactive-identity"
    OPENBOOKING = "openactive-openbooking"
    ORDERS_FEED = "openactive-ordersfeed"


EVERY_SCOPE = frozenset(Scope)
# A Seller cannot allow the Orders feed, which tells of other Sellers' Orders too: it is the client's own (OB-AUTH-25).
SELLER_SCOPES = EVERY_SCOPE - {Scope.ORDERS_FEED}
CLIENT_SCOPES = frozenset({Scope.ORDERS_FEED})


def read_scopes(text: str, allowed: Collection[Scope]) -> frozenset[Scope]:
    """Those that are named and allowed."""
    named = set(text.split())
    return frozenset(scope for scope in allowed if scope in named)


def write_scopes(scopes: Iterable[Scope]) -> str:
    """Separated by spaces, always in the same order."""
    wanted = set(scopes)
    return " ".join(scope for scope in Scope if scope in wanted)
