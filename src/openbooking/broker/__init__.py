"""A client of the Open Booking API, with which a Broker finds, books and pays, and follows what becomes of its Orders.

The package imports `harvest` and `openactive` only, and loads no server. What it does is written as flows without I/O
(`flow.py`), so that one core serves blocking and asynchronous callers. The names below are public.
"""

from openbooking.broker.api.access import Access, ApiKey, ClientCredentials, FixedHeaders, OpenIdProvider
from openbooking.broker.api.authorization import Consent
from openbooking.broker.api.discovery import BookingSystem, Catalog, OpenFeed, discover, list_sites
from openbooking.broker.api.openid import OpenIdClient, Tokens
from openbooking.broker.api.registration import Registration, register
from openbooking.broker.api.retries import Retries
from openbooking.broker.basket import Bookable, Choice, Contents, Quote
from openbooking.broker.client import AsyncBasket, AsyncBroker, Basket, Broker
from openbooking.broker.core import BrokerOptions
from openbooking.broker.errors import (
    AuthorizationError,
    BrokerError,
    DiscoveryError,
    ItemFault,
    ItemsRefusedError,
    OrderAccessError,
    UnreadableReplyError,
)
from openbooking.broker.flow import Flow, NoAnswerError, run, run_async
from openbooking.broker.forms import AnswerFault, AnswersError, Question, QuestionKind, faults_in, read_text
from openbooking.broker.ownership import OwnedOrder
from openbooking.openactive.errors import ItemErrorType, OpenBookingError, Retry
from openbooking.openactive.messages import Order, OrderProposal, OrderQuote, Organization, Payment, Person
from openbooking.openactive.terms import BrokerRole

__all__ = [
    "Access",
    "AnswerFault",
    "AnswersError",
    "ApiKey",
    "AsyncBasket",
    "AsyncBroker",
    "AuthorizationError",
    "Basket",
    "Bookable",
    "BookingSystem",
    "Broker",
    "BrokerError",
    "BrokerOptions",
    "BrokerRole",
    "Catalog",
    "Choice",
    "ClientCredentials",
    "Consent",
    "Contents",
    "DiscoveryError",
    "FixedHeaders",
    "Flow",
    "ItemErrorType",
    "ItemFault",
    "ItemsRefusedError",
    "NoAnswerError",
    "OpenBookingError",
    "OpenFeed",
    "OpenIdClient",
    "OpenIdProvider",
    "Order",
    "OrderAccessError",
    "OrderProposal",
    "OrderQuote",
    "Organization",
    "OwnedOrder",
    "Payment",
    "Person",
    "Question",
    "QuestionKind",
    "Quote",
    "Registration",
    "Retries",
    "Retry",
    "Tokens",
    "UnreadableReplyError",
    "discover",
    "faults_in",
    "list_sites",
    "read_text",
    "register",
    "run",
    "run_async",
]
