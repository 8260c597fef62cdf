"""Access to a Booking System: the headers that identify the Broker (OB 11.7)."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from openbooking.broker.flow import Flow


class Access(Protocol):
    """The credentials of a Broker at a Booking System."""

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers that every request carries."""
        ...

    def renew(self) -> Flow[bool]:
        """Obtain new credentials after a 401, and return whether the request can succeed now."""
        ...


class ApiKey(NamedTuple):
    """An API key, sent as a bearer token.

    Attributes:
        key: The key.
    """

    key: str

    def headers(self) -> Flow[Mapping[str, str]]:
        """Return the headers that every request carries."""
        yield from ()
        return {"authorization": f"Bearer {self.key}"}

    def renew(self) -> Flow[bool]:
        """Return False: an API key cannot be renewed."""
        yield from ()
        return False
