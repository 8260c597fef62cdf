"""A Booking System for the OpenActive Open Booking API 1.0.

The names in `__all__` are the public API; `docs/reference/public-api.md` says what each is for. Everything else may
change in any version. A name is loaded when it is first used, so that `import openbooking` loads no server.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbooking.booking.command import Command, Decision, Refusal
    from openbooking.booking.commands.book import Book
    from openbooking.booking.commands.book_proposal import BookProposal
    from openbooking.booking.commands.cancel import Cancel
    from openbooking.booking.commands.cancel_opportunity import CancelOpportunity
    from openbooking.booking.commands.change_logistics import ChangeLogistics
    from openbooking.booking.commands.delete import DeleteOrder, DeleteQuote
    from openbooking.booking.commands.erase_personal_data import ErasePersonalData
    from openbooking.booking.commands.expire_leases import ExpireLeases
    from openbooking.booking.commands.find_opportunities import FindBySource, GetOpportunities, GetOpportunity
    from openbooking.booking.commands.get_order import GetOrder
    from openbooking.booking.commands.preview import Preview, Previewed
    from openbooking.booking.commands.proposal_decisions import AmendProposal, DecideProposal, WriteToCustomer
    from openbooking.booking.commands.propose import Propose
    from openbooking.booking.commands.publish import Publish, PublishSeller
    from openbooking.booking.commands.quote import Quote
    from openbooking.booking.commands.replace import Replace
    from openbooking.booking.commands.republish import Republish
    from openbooking.booking.commands.sale_state import SetSaleState, TakeOffSale
    from openbooking.booking.commands.seller_decisions import Notify, RecordAttendance, RenewAccess, SellerCancel
    from openbooking.booking.commands.update_proposal import UpdateProposal
    from openbooking.booking.commands.withdraw import Withdraw
    from openbooking.booking.commands.withhold import Withhold
    from openbooking.booking.model.actor import Actor, ActorKind
    from openbooking.booking.model.grant_terms import GrantTerms
    from openbooking.booking.model.opportunity import AccessRules, Offer, Opportunity, SaleState, Seller
    from openbooking.booking.model.order import (
        BookedItem,
        BookedOrder,
        Caller,
        Order,
        OrderItem,
        OrderKey,
        Partnership,
        Payment,
        PersonalData,
        Proposal,
        Totals,
    )
    from openbooking.booking.model.order_request import ItemRequest, OrderRequest
    from openbooking.booking.model.policy import Leasing, Policy, TaxCalculation
    from openbooking.booking.model.record import (
        DeletedRecord,
        ItemState,
        OrderRecord,
        ProposalRecord,
        QuoteRecord,
        Record,
        RecordKind,
        ShownQuote,
        decode_record,
    )
    from openbooking.booking.model.situation import (
        Holdings,
        Needs,
        OpportunityRemoved,
        OpportunitySet,
        RecordSet,
        SellerSet,
        Situation,
        Spaces,
    )
    from openbooking.booking.rules.dry_run import Checkpoint
    from openbooking.booking.store import Feed, FeedWriter, Figures, Store, StoreUnavailableError, fold, join_needs
    from openbooking.clock import Clock, SystemClock
    from openbooking.identity.policy import SecondFactorMode
    from openbooking.identity.records import Grant, IdentityRecord, Partner
    from openbooking.identity.store import AccessRights, IdentityStore
    from openbooking.openactive.errors import OpenBookingError
    from openbooking.openactive.ids import OfferRef, opportunity_path
    from openbooking.openactive.opportunity_types import OpportunityType
    from openbooking.openactive.rpde import Item
    from openbooking.openactive.terms import Availability, BrokerRole, EventStatus, FlowRequirement, OrderType, TaxMode
    from openbooking.settings import AccessMode, Settings, SettingsError, load_settings
    from openbooking.store.change_set import ChangeSet, Publication, changes_between
    from openbooking.store.identity.memory import MemoryIdentityStore
    from openbooking.store.memory import MemoryStore
    from openbooking.store.migrate import prepare
    from openbooking.store.sqlite.store import SqliteStore
    from openbooking.system import System, make_feed_writer, open_system
    from openbooking.user_error import UserError
    from openbooking.web.app import Application, create_app

__version__ = "0.1.0"

__all__ = [
    "AccessMode",
    "AccessRights",
    "AccessRules",
    "Actor",
    "ActorKind",
    "AmendProposal",
    "Application",
    "Availability",
    "Book",
    "BookProposal",
    "BookedItem",
    "BookedOrder",
    "BrokerRole",
    "Caller",
    "Cancel",
    "CancelOpportunity",
    "ChangeLogistics",
    "ChangeSet",
    "Checkpoint",
    "Clock",
    "Command",
    "DecideProposal",
    "Decision",
    "DeleteOrder",
    "DeleteQuote",
    "DeletedRecord",
    "ErasePersonalData",
    "EventStatus",
    "ExpireLeases",
    "Feed",
    "FeedWriter",
    "Figures",
    "FindBySource",
    "FlowRequirement",
    "GetOpportunities",
    "GetOpportunity",
    "GetOrder",
    "Grant",
    "GrantTerms",
    "Holdings",
    "IdentityRecord",
    "IdentityStore",
    "Item",
    "ItemRequest",
    "ItemState",
    "Leasing",
    "MemoryIdentityStore",
    "MemoryStore",
    "Needs",
    "Notify",
    "Offer",
    "OfferRef",
    "OpenBookingError",
    "Opportunity",
    "OpportunityRemoved",
    "OpportunitySet",
    "OpportunityType",
    "Order",
    "OrderItem",
    "OrderKey",
    "OrderRecord",
    "OrderRequest",
    "OrderType",
    "Partner",
    "Partnership",
    "Payment",
    "PersonalData",
    "Policy",
    "Preview",
    "Previewed",
    "Proposal",
    "ProposalRecord",
    "Propose",
    "Publication",
    "Publish",
    "PublishSeller",
    "Quote",
    "QuoteRecord",
    "Record",
    "RecordAttendance",
    "RecordKind",
    "RecordSet",
    "Refusal",
    "RenewAccess",
    "Replace",
    "Republish",
    "SaleState",
    "SecondFactorMode",
    "Seller",
    "SellerCancel",
    "SellerSet",
    "SetSaleState",
    "Settings",
    "SettingsError",
    "ShownQuote",
    "Situation",
    "Spaces",
    "SqliteStore",
    "Store",
    "StoreUnavailableError",
    "System",
    "SystemClock",
    "TakeOffSale",
    "TaxCalculation",
    "TaxMode",
    "Totals",
    "UpdateProposal",
    "UserError",
    "Withdraw",
    "Withhold",
    "WriteToCustomer",
    "__version__",
    "changes_between",
    "create_app",
    "decode_record",
    "fold",
    "join_needs",
    "load_settings",
    "make_feed_writer",
    "open_system",
    "opportunity_path",
    "prepare",
]

_NAMES_BY_MODULE = {
    "openbooking.booking.command": (
        "Command",
        "Decision",
        "Refusal",
    ),
    "openbooking.booking.commands.book": ("Book",),
    "openbooking.booking.commands.book_proposal": ("BookProposal",),
    "openbooking.booking.commands.cancel": ("Cancel",),
    "openbooking.booking.commands.cancel_opportunity": ("CancelOpportunity",),
    "openbooking.booking.commands.change_logistics": ("ChangeLogistics",),
    "openbooking.booking.commands.delete": (
        "DeleteOrder",
        "DeleteQuote",
    ),
    "openbooking.booking.commands.erase_personal_data": ("ErasePersonalData",),
    "openbooking.booking.commands.expire_leases": ("ExpireLeases",),
    "openbooking.booking.commands.find_opportunities": (
        "FindBySource",
        "GetOpportunities",
        "GetOpportunity",
    ),
    "openbooking.booking.commands.get_order": ("GetOrder",),
    "openbooking.booking.commands.preview": (
        "Preview",
        "Previewed",
    ),
    "openbooking.booking.commands.proposal_decisions": (
        "AmendProposal",
        "DecideProposal",
        "WriteToCustomer",
    ),
    "openbooking.booking.commands.propose": ("Propose",),
    "openbooking.booking.commands.publish": (
        "Publish",
        "PublishSeller",
    ),
    "openbooking.booking.commands.quote": ("Quote",),
    "openbooking.booking.commands.replace": ("Replace",),
    "openbooking.booking.commands.republish": ("Republish",),
    "openbooking.booking.commands.sale_state": (
        "SetSaleState",
        "TakeOffSale",
    ),
    "openbooking.booking.commands.seller_decisions": (
        "Notify",
        "RecordAttendance",
        "RenewAccess",
        "SellerCancel",
    ),
    "openbooking.booking.commands.update_proposal": ("UpdateProposal",),
    "openbooking.booking.commands.withdraw": ("Withdraw",),
    "openbooking.booking.commands.withhold": ("Withhold",),
    "openbooking.booking.model.actor": (
        "Actor",
        "ActorKind",
    ),
    "openbooking.booking.model.grant_terms": ("GrantTerms",),
    "openbooking.booking.model.opportunity": (
        "AccessRules",
        "Offer",
        "Opportunity",
        "SaleState",
        "Seller",
    ),
    "openbooking.booking.model.order": (
        "BookedItem",
        "BookedOrder",
        "Caller",
        "Order",
        "OrderItem",
        "OrderKey",
        "Partnership",
        "Payment",
        "PersonalData",
        "Proposal",
        "Totals",
    ),
    "openbooking.booking.model.order_request": (
        "ItemRequest",
        "OrderRequest",
    ),
    "openbooking.booking.model.policy": (
        "Leasing",
        "Policy",
        "TaxCalculation",
    ),
    "openbooking.booking.model.record": (
        "DeletedRecord",
        "ItemState",
        "OrderRecord",
        "ProposalRecord",
        "QuoteRecord",
        "Record",
        "RecordKind",
        "ShownQuote",
        "decode_record",
    ),
    "openbooking.booking.model.situation": (
        "Holdings",
        "Needs",
        "OpportunityRemoved",
        "OpportunitySet",
        "RecordSet",
        "SellerSet",
        "Situation",
        "Spaces",
    ),
    "openbooking.booking.rules.dry_run": ("Checkpoint",),
    "openbooking.booking.store": (
        "Feed",
        "FeedWriter",
        "Figures",
        "Store",
        "StoreUnavailableError",
        "fold",
        "join_needs",
    ),
    "openbooking.clock": (
        "Clock",
        "SystemClock",
    ),
    "openbooking.identity.policy": ("SecondFactorMode",),
    "openbooking.identity.records": (
        "Grant",
        "IdentityRecord",
        "Partner",
    ),
    "openbooking.identity.store": (
        "AccessRights",
        "IdentityStore",
    ),
    "openbooking.openactive.errors": ("OpenBookingError",),
    "openbooking.openactive.ids": (
        "OfferRef",
        "opportunity_path",
    ),
    "openbooking.openactive.opportunity_types": ("OpportunityType",),
    "openbooking.openactive.rpde": ("Item",),
    "openbooking.openactive.terms": (
        "Availability",
        "BrokerRole",
        "EventStatus",
        "FlowRequirement",
        "OrderType",
        "TaxMode",
    ),
    "openbooking.settings": (
        "AccessMode",
        "Settings",
        "SettingsError",
        "load_settings",
    ),
    "openbooking.store.change_set": (
        "ChangeSet",
        "Publication",
        "changes_between",
    ),
    "openbooking.store.identity.memory": ("MemoryIdentityStore",),
    "openbooking.store.memory": ("MemoryStore",),
    "openbooking.store.migrate": ("prepare",),
    "openbooking.store.sqlite.store": ("SqliteStore",),
    "openbooking.system": (
        "System",
        "make_feed_writer",
        "open_system",
    ),
    "openbooking.user_error": ("UserError",),
    "openbooking.web.app": (
        "Application",
        "create_app",
    ),
}
_MODULE_BY_NAME = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}

# Type checkers would take this function as a promise that every name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the module of a public name, and keep what the name stands for (PEP 562)."""
        if name not in _MODULE_BY_NAME:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = globals()[name] = getattr(import_module(_MODULE_BY_NAME[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
