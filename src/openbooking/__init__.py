"""A Booking System for the OpenActive Open Booking API 1.0.

The names in `__all__` are the public API; `docs/reference/public-api.md` says what each is for. Everything else may
change in any version. Python loads the module of a name when the name is first used (PEP 562), so that
`import openbooking` loads no server.

A public name is listed twice: in the imports, which only type checkers and editors read, and in `_NAMES_BY_MODULE`,
which Python reads. A test compares the two.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from openbooking.booking.command import Command as Command
    from openbooking.booking.command import Decision as Decision
    from openbooking.booking.command import Refusal as Refusal
    from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity as CancelOpportunity
    from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics as ChangeLogistics
    from openbooking.booking.commands.opportunities.find_opportunities import FindBySource as FindBySource
    from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunities as GetOpportunities
    from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity as GetOpportunity
    from openbooking.booking.commands.opportunities.publish import Publish as Publish
    from openbooking.booking.commands.opportunities.publish import PublishSeller as PublishSeller
    from openbooking.booking.commands.opportunities.republish import Republish as Republish
    from openbooking.booking.commands.opportunities.sale_state import SetSaleState as SetSaleState
    from openbooking.booking.commands.opportunities.sale_state import TakeOffSale as TakeOffSale
    from openbooking.booking.commands.opportunities.withdraw import Withdraw as Withdraw
    from openbooking.booking.commands.orders.book import Book as Book
    from openbooking.booking.commands.orders.book_proposal import BookProposal as BookProposal
    from openbooking.booking.commands.orders.cancel import Cancel as Cancel
    from openbooking.booking.commands.orders.delete import DeleteOrder as DeleteOrder
    from openbooking.booking.commands.orders.delete import DeleteQuote as DeleteQuote
    from openbooking.booking.commands.orders.erase_personal_data import EraseOrderData as EraseOrderData
    from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData as ErasePersonalData
    from openbooking.booking.commands.orders.expire_leases import ExpireLeases as ExpireLeases
    from openbooking.booking.commands.orders.get_order import GetOrder as GetOrder
    from openbooking.booking.commands.orders.proposal_decisions import AmendProposal as AmendProposal
    from openbooking.booking.commands.orders.proposal_decisions import DecideProposal as DecideProposal
    from openbooking.booking.commands.orders.proposal_decisions import WriteToCustomer as WriteToCustomer
    from openbooking.booking.commands.orders.propose import Propose as Propose
    from openbooking.booking.commands.orders.quote import Quote as Quote
    from openbooking.booking.commands.orders.replace import Replace as Replace
    from openbooking.booking.commands.orders.seller_decisions import Notify as Notify
    from openbooking.booking.commands.orders.seller_decisions import RecordAttendance as RecordAttendance
    from openbooking.booking.commands.orders.seller_decisions import RenewAccess as RenewAccess
    from openbooking.booking.commands.orders.seller_decisions import SellerCancel as SellerCancel
    from openbooking.booking.commands.orders.seller_decisions import UndoAttendance as UndoAttendance
    from openbooking.booking.commands.orders.update_proposal import UpdateProposal as UpdateProposal
    from openbooking.booking.commands.orders.withhold import Withhold as Withhold
    from openbooking.booking.commands.preview import Preview as Preview
    from openbooking.booking.commands.preview import Previewed as Previewed
    from openbooking.booking.event_queue import EventQueue as EventQueue
    from openbooking.booking.event_queue import QueueFigures as QueueFigures
    from openbooking.booking.event_queue import StoreWithEvents as StoreWithEvents
    from openbooking.booking.event_queue import WaitingEvent as WaitingEvent
    from openbooking.booking.model.actor import Actor as Actor
    from openbooking.booking.model.actor import ActorKind as ActorKind
    from openbooking.booking.model.grant_terms import GrantTerms as GrantTerms
    from openbooking.booking.model.opportunity import AccessRules as AccessRules
    from openbooking.booking.model.opportunity import CourtTime as CourtTime
    from openbooking.booking.model.opportunity import Offer as Offer
    from openbooking.booking.model.opportunity import Opportunity as Opportunity
    from openbooking.booking.model.opportunity import SaleState as SaleState
    from openbooking.booking.model.opportunity import Seller as Seller
    from openbooking.booking.model.order import BookedItem as BookedItem
    from openbooking.booking.model.order import BookedOrder as BookedOrder
    from openbooking.booking.model.order import Caller as Caller
    from openbooking.booking.model.order import Order as Order
    from openbooking.booking.model.order import OrderItem as OrderItem
    from openbooking.booking.model.order import OrderKey as OrderKey
    from openbooking.booking.model.order import Partnership as Partnership
    from openbooking.booking.model.order import Payment as Payment
    from openbooking.booking.model.order import PersonalData as PersonalData
    from openbooking.booking.model.order import Proposal as Proposal
    from openbooking.booking.model.order import Totals as Totals
    from openbooking.booking.model.order_event import AttendanceRecorded as AttendanceRecorded
    from openbooking.booking.model.order_event import EventItem as EventItem
    from openbooking.booking.model.order_event import OrderBooked as OrderBooked
    from openbooking.booking.model.order_event import OrderCancelled as OrderCancelled
    from openbooking.booking.model.order_event import OrderChanged as OrderChanged
    from openbooking.booking.model.order_event import OrderDeleted as OrderDeleted
    from openbooking.booking.model.order_event import OrderEvent as OrderEvent
    from openbooking.booking.model.order_event import OrderProposed as OrderProposed
    from openbooking.booking.model.order_event import PersonalDataErased as PersonalDataErased
    from openbooking.booking.model.order_event import ProposalChanged as ProposalChanged
    from openbooking.booking.model.order_request import ItemRequest as ItemRequest
    from openbooking.booking.model.order_request import OrderRequest as OrderRequest
    from openbooking.booking.model.policy import Leasing as Leasing
    from openbooking.booking.model.policy import Policy as Policy
    from openbooking.booking.model.policy import TaxCalculation as TaxCalculation
    from openbooking.booking.model.record import DeletedRecord as DeletedRecord
    from openbooking.booking.model.record import ItemState as ItemState
    from openbooking.booking.model.record import OrderRecord as OrderRecord
    from openbooking.booking.model.record import ProposalRecord as ProposalRecord
    from openbooking.booking.model.record import QuoteRecord as QuoteRecord
    from openbooking.booking.model.record import Record as Record
    from openbooking.booking.model.record import RecordKind as RecordKind
    from openbooking.booking.model.record import ShownQuote as ShownQuote
    from openbooking.booking.model.record import decode_record as decode_record
    from openbooking.booking.model.situation import DatedChildren as DatedChildren
    from openbooking.booking.model.situation import EntrySet as EntrySet
    from openbooking.booking.model.situation import Holdings as Holdings
    from openbooking.booking.model.situation import Needs as Needs
    from openbooking.booking.model.situation import OpportunityRemoved as OpportunityRemoved
    from openbooking.booking.model.situation import OpportunitySet as OpportunitySet
    from openbooking.booking.model.situation import OrderRead as OrderRead
    from openbooking.booking.model.situation import RecordSet as RecordSet
    from openbooking.booking.model.situation import SellerSet as SellerSet
    from openbooking.booking.model.situation import Situation as Situation
    from openbooking.booking.model.spaces import Spaces as Spaces
    from openbooking.booking.model.timetable import EntryKey as EntryKey
    from openbooking.booking.model.timetable import TimetableEntry as TimetableEntry
    from openbooking.booking.rules.orders.dry_run import Checkpoint as Checkpoint
    from openbooking.booking.store import Feed as Feed
    from openbooking.booking.store import FeedWriter as FeedWriter
    from openbooking.booking.store import Figures as Figures
    from openbooking.booking.store import Store as Store
    from openbooking.booking.store import StoreUnavailableError as StoreUnavailableError
    from openbooking.booking.store import fold as fold
    from openbooking.booking.store import join_needs as join_needs
    from openbooking.clock import Clock as Clock
    from openbooking.clock import SystemClock as SystemClock
    from openbooking.identity.policy import SecondFactorMode as SecondFactorMode
    from openbooking.identity.records import Grant as Grant
    from openbooking.identity.records import IdentityRecord as IdentityRecord
    from openbooking.identity.records import Partner as Partner
    from openbooking.identity.store import AccessRights as AccessRights
    from openbooking.identity.store import IdentityStore as IdentityStore
    from openbooking.openactive.errors import OpenBookingError as OpenBookingError
    from openbooking.openactive.ids import OfferRef as OfferRef
    from openbooking.openactive.ids import opportunity_path as opportunity_path
    from openbooking.openactive.opportunity_types import OpportunityType as OpportunityType
    from openbooking.openactive.rpde import Item as Item
    from openbooking.openactive.terms import Availability as Availability
    from openbooking.openactive.terms import BrokerRole as BrokerRole
    from openbooking.openactive.terms import EventStatus as EventStatus
    from openbooking.openactive.terms import FlowRequirement as FlowRequirement
    from openbooking.openactive.terms import OrderType as OrderType
    from openbooking.openactive.terms import TaxMode as TaxMode
    from openbooking.settings import AccessMode as AccessMode
    from openbooking.settings import Settings as Settings
    from openbooking.settings import SettingsError as SettingsError
    from openbooking.settings import load_settings as load_settings
    from openbooking.store.change_set import ChangeSet as ChangeSet
    from openbooking.store.change_set import Publication as Publication
    from openbooking.store.change_set import changes_between as changes_between
    from openbooking.store.identity.memory import MemoryIdentityStore as MemoryIdentityStore
    from openbooking.store.memory import MemoryStore as MemoryStore
    from openbooking.store.migrate import prepare as prepare
    from openbooking.store.postgres.store import PostgresStore as PostgresStore
    from openbooking.store.sqlite.store import SqliteStore as SqliteStore
    from openbooking.system import OnCommitted as OnCommitted
    from openbooking.system import System as System
    from openbooking.system import make_feed_writer as make_feed_writer
    from openbooking.system import open_system as open_system
    from openbooking.user_error import UserError as UserError
    from openbooking.web.app import Application as Application
    from openbooking.web.app import create_app as create_app
else:
    _NAMES_BY_MODULE = {
        "openbooking.booking.command": "Command Decision Refusal",
        "openbooking.booking.commands.orders.book": "Book",
        "openbooking.booking.commands.orders.book_proposal": "BookProposal",
        "openbooking.booking.commands.orders.cancel": "Cancel",
        "openbooking.booking.commands.opportunities.cancel_opportunity": "CancelOpportunity",
        "openbooking.booking.commands.opportunities.change_logistics": "ChangeLogistics",
        "openbooking.booking.commands.orders.delete": "DeleteOrder DeleteQuote",
        "openbooking.booking.commands.orders.erase_personal_data": "EraseOrderData ErasePersonalData",
        "openbooking.booking.commands.orders.expire_leases": "ExpireLeases",
        "openbooking.booking.commands.opportunities.find_opportunities": "FindBySource GetOpportunities GetOpportunity",
        "openbooking.booking.commands.orders.get_order": "GetOrder",
        "openbooking.booking.commands.preview": "Preview Previewed",
        "openbooking.booking.commands.orders.proposal_decisions": "AmendProposal DecideProposal WriteToCustomer",
        "openbooking.booking.commands.orders.propose": "Propose",
        "openbooking.booking.commands.opportunities.publish": "Publish PublishSeller",
        "openbooking.booking.commands.orders.quote": "Quote",
        "openbooking.booking.commands.orders.replace": "Replace",
        "openbooking.booking.commands.opportunities.republish": "Republish",
        "openbooking.booking.commands.opportunities.sale_state": "SetSaleState TakeOffSale",
        "openbooking.booking.commands.orders.seller_decisions": (
            "Notify RecordAttendance RenewAccess SellerCancel UndoAttendance"
        ),
        "openbooking.booking.commands.orders.update_proposal": "UpdateProposal",
        "openbooking.booking.commands.opportunities.withdraw": "Withdraw",
        "openbooking.booking.commands.orders.withhold": "Withhold",
        "openbooking.booking.event_queue": "EventQueue QueueFigures StoreWithEvents WaitingEvent",
        "openbooking.booking.model.actor": "Actor ActorKind",
        "openbooking.booking.model.grant_terms": "GrantTerms",
        "openbooking.booking.model.opportunity": "AccessRules CourtTime Offer Opportunity SaleState Seller",
        "openbooking.booking.model.order": (
            "BookedItem BookedOrder Caller Order OrderItem OrderKey Partnership Payment PersonalData Proposal Totals"
        ),
        "openbooking.booking.model.order_event": (
            "AttendanceRecorded EventItem OrderBooked OrderCancelled OrderChanged OrderDeleted OrderEvent OrderProposed"
            " PersonalDataErased ProposalChanged"
        ),
        "openbooking.booking.model.order_request": "ItemRequest OrderRequest",
        "openbooking.booking.model.policy": "Leasing Policy TaxCalculation",
        "openbooking.booking.model.record": (
            "DeletedRecord ItemState OrderRecord ProposalRecord QuoteRecord Record RecordKind ShownQuote decode_record"
        ),
        "openbooking.booking.model.situation": (
            "DatedChildren EntrySet Holdings Needs OpportunityRemoved OpportunitySet OrderRead RecordSet SellerSet"
            " Situation"
        ),
        "openbooking.booking.model.spaces": "Spaces",
        "openbooking.booking.model.timetable": "EntryKey TimetableEntry",
        "openbooking.booking.rules.orders.dry_run": "Checkpoint",
        "openbooking.booking.store": "Feed FeedWriter Figures Store StoreUnavailableError fold join_needs",
        "openbooking.clock": "Clock SystemClock",
        "openbooking.identity.policy": "SecondFactorMode",
        "openbooking.identity.records": "Grant IdentityRecord Partner",
        "openbooking.identity.store": "AccessRights IdentityStore",
        "openbooking.openactive.errors": "OpenBookingError",
        "openbooking.openactive.ids": "OfferRef opportunity_path",
        "openbooking.openactive.opportunity_types": "OpportunityType",
        "openbooking.openactive.rpde": "Item",
        "openbooking.openactive.terms": "Availability BrokerRole EventStatus FlowRequirement OrderType TaxMode",
        "openbooking.settings": "AccessMode Settings SettingsError load_settings",
        "openbooking.store.change_set": "ChangeSet Publication changes_between",
        "openbooking.store.identity.memory": "MemoryIdentityStore",
        "openbooking.store.memory": "MemoryStore",
        "openbooking.store.migrate": "prepare",
        "openbooking.store.postgres.store": "PostgresStore",
        "openbooking.store.sqlite.store": "SqliteStore",
        "openbooking.system": "OnCommitted System make_feed_writer open_system",
        "openbooking.user_error": "UserError",
        "openbooking.web.app": "Application create_app",
    }
    _MODULE_BY_NAME = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names.split()}
    __all__ = ["__version__", *sorted(_MODULE_BY_NAME)]  # noqa: PLE0604 - all of them are strings

    def __getattr__(name: str) -> object:
        """Load the module of a public name, and keep the value of the name (PEP 562)."""
        if name not in _MODULE_BY_NAME:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = globals()[name] = getattr(import_module(_MODULE_BY_NAME[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
