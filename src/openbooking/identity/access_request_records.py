"""The record of a request for access to the API, which the developers of an app send on the dataset site."""

from datetime import datetime
from enum import StrEnum

from openbooking.identity.records import IdentityRecord


class AccessRequestState(StrEnum):
    """What an administrator has decided about a request."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class AccessRequest(IdentityRecord, frozen=True, kw_only=True):
    """A request for access to the API. Nobody has checked its texts.

    Attributes:
        id: Identifies the request.
        name: The name of the person who asks.
        email: The address of the person.
        organisation: The organisation that would become a Booking Partner.
        phone: The telephone number of the person; empty if none was given.
        site: The web site of the app; empty if none was given.
        use_case: What the app does.
        redirect_uris: The addresses to which Sellers return after their consent; empty for an app with an API key.
        received: When the request arrived.
        expires: When the request is erased.
        decided: When an administrator decided.
        decided_by: The administrator or the command.
        partner: The key of the Booking Partner that was added for the request.
        told: When the administrator was told by e-mail.
    """

    id: str
    name: str
    email: str
    organisation: str
    received: datetime
    expires: datetime
    phone: str = ""
    site: str = ""
    use_case: str = ""
    redirect_uris: tuple[str, ...] = ()
    state: AccessRequestState = AccessRequestState.OPEN
    decided: datetime | None = None
    decided_by: str = ""
    partner: str = ""
    told: datetime | None = None
