"""Operations: what a handler reads and answers, declared once, at the handler.

A route works by the declarations of its handlers: they say who may call, whether there is a body, and which error is
returned while the database is unavailable. `web/openapi/` describes the operations of all routes.
"""

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

import msgspec

from openbooking.identity.oauth.errors import OAuthError
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import OpenBookingError, TemporarilyUnavailableError
from openbooking.openactive.terms import BOOKING_MEDIA_TYPE, OrderType

JSON_MEDIA_TYPE = "application/json"
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

Handler = TypeVar("Handler", bound=Callable[..., Any])
AnyError = type[OpenBookingError] | type[OAuthError]


class Subject(Enum):
    """The subjects under which the operations are listed, in this order. The values are title and description."""

    DATASET = ("Dataset site", "Where apps find the feeds and the API.")
    OPEN_FEEDS = ("Open feeds", "What can be booked. Anybody may read these feeds, in the format RPDE.")
    BOOKING = ("Booking", "Quotes, OrderProposals and Orders of one Booking Partner.")
    ORDERS_FEEDS = ("Orders feeds", "What has changed in the Orders and OrderProposals of one Booking Partner.")
    OPENID = ("OpenID provider", "Access tokens for Booking Partners.")
    TEST_INTERFACE = ("Test interface", "Test data and simulated Sellers, for the OpenActive Test Suite.")
    MONITORING = ("Monitoring", "Health and metrics, for operators.")
    OTHER = ("Other", "This document, calendars, and routes without a description.")

    @property
    def title(self) -> str:
        """The name of the subject."""
        return self.value[0]

    @property
    def description(self) -> str:
        """One sentence about the subject."""
        return self.value[1]


class Credentials(Enum):
    """The credentials of operations that no Booking Partner calls with its own."""

    CLIENT = "client"
    REGISTRATION_TOKEN = "registrationToken"  # noqa: S105 - the name of a kind
    METRICS_TOKEN = "metricsToken"  # noqa: S105 - the name of a kind


class Header(NamedTuple):
    """A header of a request or a reply."""

    name: str
    description: str
    required: bool = False


class Parameter(NamedTuple):
    """A parameter in the path or the query of a URL.

    Attributes:
        name: The name.
        description: What it means, in one sentence.
        type: The type of the value.
    """

    name: str
    description: str
    type: Any = str


class Body(msgspec.Struct, frozen=True):
    """The body of a request or a reply.

    Attributes:
        types: The types that the body can have; none if the body is no JSON.
        media_type: The media type.
        order_type: The `@type`, if messages of several `@type`s have the same type.
    """

    types: tuple[Any, ...] = ()
    media_type: str = BOOKING_MEDIA_TYPE
    order_type: OrderType | None = None


class Reply(msgspec.Struct, frozen=True):
    """A reply that is no error.

    Attributes:
        status: The HTTP status.
        description: What the status means, in one sentence.
        body: The body; None for a reply without one.
        headers: The headers, besides those that describe the body.
    """

    status: HTTPStatus
    description: str
    body: Body | None = None
    headers: tuple[Header, ...] = ()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method of a route.

    Attributes:
        id: The name of the operation in the OpenAPI document.
        summary: A few words about what it does.
        description: What it does; by default the docstring of the handler.
        subject: The subject under which it is listed.
        scope: The permission that a Booking Partner needs; None if none of its credentials is needed.
        credentials: The credentials of callers that are no Booking Partners; None if none are needed.
        parameters: The parameters of the query, and descriptions of those in the path.
        headers: The headers of the request that the handler reads.
        body: The body of the request; None for a request without one.
        replies: The replies that are no errors.
        errors: The classes of errors that the handler itself raises.
        unavailable: The class of the error while the database is unavailable; None if `errors` has that class.
    """

    id: str
    summary: str
    description: str = ""
    subject: Subject = Subject.OTHER
    scope: Scope | None = None
    credentials: Credentials | None = None
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[Header, ...] = ()
    body: Body | None = None
    replies: tuple[Reply, ...]
    errors: tuple[AnyError, ...] = ()
    unavailable: type[OpenBookingError] | None = TemporarilyUnavailableError

    @property
    def success(self) -> HTTPStatus:
        """The status of the first reply, which reports success."""
        return self.replies[0].status


def describe(operation: Operation) -> Callable[[Handler], Handler]:
    """Return a decorator that declares the operation of a handler. The docstring of the handler describes it."""

    def declare(handler: Handler) -> Handler:
        description = operation.description or inspect.getdoc(handler) or ""
        handler.operation = msgspec.structs.replace(operation, description=description)  # type: ignore[attr-defined]
        return handler

    return declare


def operation_of(handler: Callable[..., Any]) -> Operation:
    """Return the operation that `describe` has declared for a handler."""
    found: Operation = handler.operation  # type: ignore[attr-defined]
    return found


def operations_of(handlers: Mapping[str, Callable[..., Any]]) -> dict[str, Operation]:
    """Return the operations of handlers, by their methods."""
    return {method: operation_of(handler) for method, handler in handlers.items()}
