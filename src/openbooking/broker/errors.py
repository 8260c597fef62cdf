"""The errors of the Broker's client that are not errors of the specification.

An error that a Booking System reports for a whole request is raised as its class in `openactive/errors.py`.

    BrokerError (openactive/errors.py)
    ├── OpenBookingError         a Booking System reports an error of the request (openactive/errors.py)
    ├── NoAnswerError            no whole answer came (flow.py)
    ├── UnreadableReplyError     an answer is no message of the API
    ├── ItemsRefusedError        items of the Order have errors
    ├── DiscoveryError           a dataset site or an OpenID provider cannot be read
    ├── AuthorizationError       an OpenID provider gives no token
    ├── SearchError              the terms of a search cannot be looked for
    ├── BasketError              what was chosen cannot be in one basket
    ├── AnswersError             details or answers of a form are missing or not allowed (forms.py)
    ├── OrderAccessError         the Order is not known, or belongs to another Customer
    ├── PurchaseError            a purchase cannot go on (money/errors.py)
    ├── PaymentError             a hook of payment could not do what it was asked to do (money/payments.py)
    ├── FeedError                an Orders feed cannot be read to its end (orders/feed.py)
    └── DatabaseError            the database cannot be opened, read or written (store/database.py)
"""

from typing import NamedTuple

from openbooking.openactive.errors import BrokerError, Retry, retry_after_status
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.messages import Order, OrderProposal, OrderQuote

_FIRST_REDIRECT = 300
_FIRST_OF_SERVERS = 500

Reply = OrderQuote | OrderProposal | Order

# Faults that can be gone at the next C2, although the basket stays as it is.
_PASSING = (
    ItemErrorType.OPPORTUNITY_HAS_INSUFFICIENT_CAPACITY,
    ItemErrorType.OPPORTUNITY_CAPACITY_IS_RESERVED_BY_LEASE,
)


class UnreadableReplyError(BrokerError):
    """A reply that is no message of the API, such as a page of a proxy.

    Attributes:
        retry: Whether the request can be sent again. After a reply that reports success the Order may exist, so it must
            be deleted before another begins.
    """

    retry = Retry.NEVER

    def __init__(self, reason: str, *, reply_status: int, request_id: str | None = None) -> None:
        super().__init__(reason)
        self.reply_status = reply_status
        self.request_id = request_id
        self.retry = Retry.NEW_UUID if reply_status < _FIRST_REDIRECT else retry_after_status(reply_status)


class ItemFault(NamedTuple):
    """An error of one OrderItem.

    Attributes:
        position: The position of the item in the request; its index in the reply if the reply has no positions.
        type: The name of the error class. It equals a member of `ItemErrorType` unless the class is unknown.
        description: What is wrong, in words for people; None if the reply does not say.
        instance: The URI of the faulty property or question; None if the reply does not say.
    """

    position: int
    type: str
    description: str | None = None
    instance: str | None = None

    @property
    def quote_again(self) -> bool:
        """Whether another C2 can succeed without a change of the basket (OB-BRK-04)."""
        return self.type in _PASSING


class ItemsRefusedError(BrokerError):
    """The Booking System refuses items of an Order (OB 10.2.2.3).

    Attributes:
        faults: The errors, in the order of positions.
        reply: The whole reply.
        retry: Always `Retry.NEVER`: the basket must change, or the faults must pass.
    """

    retry = Retry.NEVER

    def __init__(
        self, faults: tuple[ItemFault, ...], reply: Reply, *, reply_status: int, request_id: str | None = None
    ) -> None:
        super().__init__("; ".join(f"item {fault.position}: {fault.description or fault.type}" for fault in faults))
        self.faults = faults
        self.reply = reply
        self.reply_status = reply_status
        self.request_id = request_id

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of the OrderItems at fault."""
        return tuple(sorted({fault.position for fault in self.faults}))

    @property
    def quote_again(self) -> bool:
        """Whether another C2 can succeed without a change of the basket (OB-BRK-04)."""
        return bool(self.faults) and all(fault.quote_again for fault in self.faults)


class DiscoveryError(BrokerError):
    """A dataset site, a Data Catalog or an OpenID provider cannot be read; the message says why.

    Attributes:
        retry: `Retry.SAME_UUID` if it did not answer, or cannot answer just now.
    """

    retry = Retry.NEVER

    def __init__(self, message: str, *, retry: Retry = Retry.NEVER) -> None:
        super().__init__(message)
        self.retry = retry


class AuthorizationError(BrokerError):
    """An OpenID provider gives no token or refuses a registration, or an API key cannot be sent.

    Attributes:
        code: The error code of OAuth, such as `invalid_grant`; empty if the provider named none.
        retry: `Retry.SAME_UUID` if the provider cannot answer just now.
    """

    retry = Retry.NEVER

    def __init__(self, message: str, *, code: str = "", retry: Retry = Retry.NEVER) -> None:
        super().__init__(message)
        self.code = code
        self.retry = retry


def retry_of_document(status: int) -> Retry:
    """Return whether a page or a token that was answered with this HTTP status can be had later."""
    return Retry.SAME_UUID if status >= _FIRST_OF_SERVERS else retry_after_status(status)


class SearchError(BrokerError, ValueError):
    """A term of a search is out of bounds, or hits are to be sorted by the distance from nowhere."""


class BasketError(BrokerError, ValueError):
    """What was chosen cannot be in one basket; the message says why. The basket has not changed."""


class OrderAccessError(BrokerError):
    """The client does not know the Order, or another Customer created it (OB-BRK-14)."""
