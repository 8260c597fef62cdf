"""The credentials of a Broker at one Booking System: the same for all requests, or tokens of each Seller."""

from collections.abc import Callable
from datetime import datetime

from openbooking.broker.api.access import Access
from openbooking.broker.api.authorization import OpenIdAccess
from openbooking.broker.api.discovery import BookingSystem
from openbooking.broker.api.openid import OpenIdClient
from openbooking.broker.errors import AuthorizationError
from openbooking.broker.flow import Flow
from openbooking.broker.store.database import Database

AnyAccess = Access | OpenIdClient


class Credentials:
    """The credentials of a Broker.

    Args:
        access: The credentials that the application passed.
        discover: Returns the Booking System, which names its OpenID provider.
        database: The database with the tokens of Sellers.
        clock: Returns the time, with a zone.
    """

    def __init__(
        self,
        access: AnyAccess,
        discover: Callable[[], Flow[BookingSystem]],
        database: Database,
        clock: Callable[[], datetime],
    ) -> None:
        self._access = access
        self._discover = discover
        self._database = database
        self._clock = clock
        self._open_id: OpenIdAccess | None = None

    def for_seller(self, seller: str) -> Flow[Access]:
        """Return the credentials for the Orders of a Seller."""
        if not isinstance(self._access, OpenIdClient):
            return self._access
        return (yield from self.open_id()).for_seller(seller)

    def for_feeds(self) -> Flow[Access]:
        """Return the credentials for the Orders feeds, which belong to the Broker and not to a Seller."""
        if not isinstance(self._access, OpenIdClient):
            return self._access
        return (yield from self.open_id()).feeds

    def open_id(self) -> Flow[OpenIdAccess]:
        """Return the access by the OpenID provider of the Booking System.

        Raises:
            AuthorizationError: The access is not that of an `OpenIdClient`, or the system has no provider.
        """
        if not isinstance(self._access, OpenIdClient):
            raise AuthorizationError("Sellers authorise a Broker whose access is an OpenIdClient.")
        if self._open_id is None:
            system = yield from self._discover()
            if not system.authority:
                raise AuthorizationError(f"{system.site} names no OpenID provider.")
            self._open_id = OpenIdAccess(system.authority, self._access, self._database, self._clock)
        return self._open_id
