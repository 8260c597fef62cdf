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
from openbooking.broker.basket import Bookable, Choice, Contents
from openbooking.broker.bookings import Booking, BookingState
from openbooking.broker.catalogue.bookable import Offer
from openbooking.broker.catalogue.harvesting import FeedEnd, FeedProgress
from openbooking.broker.catalogue.query import Near, Search, SearchTerms
from openbooking.broker.catalogue.search import Activity, Hit
from openbooking.broker.client import AsyncBasket, AsyncBroker, Basket, Broker
from openbooking.broker.core import BrokerOptions
from openbooking.broker.errors import (
    AuthorizationError,
    BasketError,
    DiscoveryError,
    ItemFault,
    ItemsRefusedError,
    OrderAccessError,
    SearchError,
    UnreadableReplyError,
)
from openbooking.broker.flow import Flow, NoAnswerError, Pause, run, run_async
from openbooking.broker.form_fields import FilledForm, FormField, field_errors, form_fields, read_form
from openbooking.broker.forms import AnswerFault, AnswersError, Question, QuestionKind, faults_in, read_text
from openbooking.broker.items import DescribedItem
from openbooking.broker.money.errors import (
    LostPurchaseError,
    NoPaymentsError,
    NoQuoteError,
    NotApprovedError,
    PriceChangedError,
    PurchaseError,
    UnfinishedError,
    UnknownPurchaseError,
    WrongStateError,
)
from openbooking.broker.money.payments import Charge, DeclinedError, PaymentError, Payments, TemporaryPaymentError
from openbooking.broker.money.purchases import Booked, Proposed
from openbooking.broker.money.recovery import Recovered, Report, Unfinished
from openbooking.broker.orders.changes import (
    AccessChanged,
    AttendanceRecorded,
    Change,
    Deleted,
    ItemCancelled,
    ItemReplaced,
    Moved,
    Noticed,
    ProposalAccepted,
    ProposalAmended,
    ProposalRejected,
    SellerNoteChanged,
    TotalChanged,
    UnknownOrder,
    Unreadable,
)
from openbooking.broker.orders.feed import FeedError
from openbooking.broker.ownership import OwnedOrder
from openbooking.broker.quotes import Quote
from openbooking.broker.store.database import DatabaseError, open_database
from openbooking.broker.wording import (
    PRICE_CHANGED,
    Explanation,
    change_text,
    clock_time,
    day_and_time,
    explain,
    fault_text,
    money_text,
)
from openbooking.openactive.contact_details import is_email
from openbooking.openactive.errors import BrokerError, OpenBookingError, Retry
from openbooking.openactive.item_errors import ItemErrorType
from openbooking.openactive.messages import Order, OrderProposal, OrderQuote, Organization, Payment, Person
from openbooking.openactive.terms import BrokerRole, FlowRequirement

__all__ = [
    "PRICE_CHANGED",
    "Access",
    "AccessChanged",
    "Activity",
    "AnswerFault",
    "AnswersError",
    "ApiKey",
    "AsyncBasket",
    "AsyncBroker",
    "AttendanceRecorded",
    "AuthorizationError",
    "Basket",
    "BasketError",
    "Bookable",
    "Booked",
    "Booking",
    "BookingState",
    "BookingSystem",
    "Broker",
    "BrokerError",
    "BrokerOptions",
    "BrokerRole",
    "Catalog",
    "Change",
    "Charge",
    "Choice",
    "ClientCredentials",
    "Consent",
    "Contents",
    "DatabaseError",
    "DeclinedError",
    "Deleted",
    "DescribedItem",
    "DiscoveryError",
    "Explanation",
    "FeedEnd",
    "FeedError",
    "FeedProgress",
    "FilledForm",
    "FixedHeaders",
    "Flow",
    "FlowRequirement",
    "FormField",
    "Hit",
    "ItemCancelled",
    "ItemErrorType",
    "ItemFault",
    "ItemReplaced",
    "ItemsRefusedError",
    "LostPurchaseError",
    "Moved",
    "Near",
    "NoAnswerError",
    "NoPaymentsError",
    "NoQuoteError",
    "NotApprovedError",
    "Noticed",
    "Offer",
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
    "Pause",
    "Payment",
    "PaymentError",
    "Payments",
    "Person",
    "PriceChangedError",
    "ProposalAccepted",
    "ProposalAmended",
    "ProposalRejected",
    "Proposed",
    "PurchaseError",
    "Question",
    "QuestionKind",
    "Quote",
    "Recovered",
    "Registration",
    "Report",
    "Retries",
    "Retry",
    "Search",
    "SearchError",
    "SearchTerms",
    "SellerNoteChanged",
    "TemporaryPaymentError",
    "Tokens",
    "TotalChanged",
    "Unfinished",
    "UnfinishedError",
    "UnknownOrder",
    "UnknownPurchaseError",
    "Unreadable",
    "UnreadableReplyError",
    "WrongStateError",
    "change_text",
    "clock_time",
    "day_and_time",
    "discover",
    "explain",
    "fault_text",
    "faults_in",
    "field_errors",
    "form_fields",
    "is_email",
    "list_sites",
    "money_text",
    "open_database",
    "read_form",
    "read_text",
    "register",
    "run",
    "run_async",
]
