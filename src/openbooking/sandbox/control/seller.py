"""The simulated Seller of the sandbox (`SimulatedSeller`), who does each action by a Command."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.cancel_opportunity import CancelOpportunity
from openbooking.booking.commands.opportunities.change_logistics import ChangeLogistics
from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.opportunities.sale_state import SetSaleState
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.get_order import GetOrder
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal, WriteToCustomer
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import Notify, RecordAttendance, RenewAccess, SellerCancel
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import SaleState, applicable_offers
from openbooking.booking.model.order import Caller, OrderKey
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.views import Occurrence, StoreWithViews
from openbooking.identity.partners.credentials import CredentialKind
from openbooking.identity.partners.grants import GrantChange, give, revoke, suspend
from openbooking.identity.records import EVERY_SELLER
from openbooking.identity.scopes import Scope
from openbooking.openactive.errors import NotFoundError, UnknownOrderError
from openbooking.openactive.ids import is_opportunity_path, parse_uuid
from openbooking.openactive.terms import OrderType
from openbooking.sandbox.bookings import BROKERS, Buyer, order_request
from openbooking.sandbox.control import actions
from openbooking.sandbox.control.doing import Subject
from openbooking.system import System
from openbooking.web.test_interface.copies import copy_of

SANDBOX = Actor(ActorKind.SYSTEM, "sandbox")

# The Broker that buys all spaces that are left, in Orders of this many items at most.
_RIVAL = next(broker for broker in BROKERS if broker.key == "moves")
_RIVAL_CUSTOMER = {"@type": "Person", "givenName": "Kofi", "familyName": "Flynn", "email": "kofi.flynn@example.net"}
_ITEMS = 20
_PLACE = {
    "address": {
        "@type": "PostalAddress",
        "streetAddress": "2 Meadow Lane",
        "addressLocality": "Oxford",
        "postalCode": "OX4 4ZZ",
        "addressCountry": "GB",
    },
    "geo": {"@type": "GeoCoordinates", "latitude": 51.74, "longitude": -1.25},
}


_ORDER_COMMANDS: Mapping[type[actions.Action], Callable[[Any, OrderKey], Command[None]]] = {
    actions.Accept: lambda action, order: DecideProposal(
        order=order, accept=True, note=action.note or None, actor=SANDBOX
    ),
    actions.Reject: lambda action, order: DecideProposal(
        order=order, accept=False, note=action.note or None, actor=SANDBOX
    ),
    actions.Amend: lambda action, order: AmendProposal(
        order=order,
        version=str(uuid.uuid4()),
        note=action.note or None,
        without=frozenset(action.without),
        prices=action.prices,
        actor=SANDBOX,
    ),
    actions.Write: lambda action, order: WriteToCustomer(order=order, note=action.note, actor=SANDBOX),
    actions.CancelItems: lambda action, order: SellerCancel(
        order=order, numbers=_numbers(action), message=action.message or None, actor=SANDBOX
    ),
    actions.NotifyCustomer: lambda action, order: Notify(
        order=order, numbers=_numbers(action), notice=action.notice, actor=SANDBOX
    ),
    actions.Attend: lambda action, order: RecordAttendance(
        order=order, numbers=_numbers(action), attended=action.attended, actor=SANDBOX
    ),
    actions.RenewAccessOf: lambda action, order: RenewAccess(
        order=order,
        numbers=_numbers(action),
        nonce=str(uuid.uuid4()),
        code=True,
        passes=True,
        channel=True,
        actor=SANDBOX,
    ),
}
_OPPORTUNITY_COMMANDS: Mapping[type[actions.Action], Callable[[Any, str], Command[None]]] = {
    actions.CancelWhole: lambda action, path: CancelOpportunity(
        opportunity=path, message=action.message or None, actor=SANDBOX
    ),
    actions.Unpublish: lambda _, path: SetSaleState(opportunity=path, sale=SaleState.UNPUBLISHED, actor=SANDBOX),
    actions.PublishAgain: lambda _, path: SetSaleState(opportunity=path, sale=SaleState.ON_SALE, actor=SANDBOX),
}
_GRANT_CHANGES: Mapping[type[actions.Action], GrantChange] = {
    actions.Revoke: revoke,
    actions.Suspend: suspend,
    actions.Allow: give(frozenset({Scope.OPENBOOKING})),
}


class SimulatedSeller:
    """Does the actions of a Seller.

    Args:
        system: The Booking System.
        partner: The key of the Booking Partner whose Orders are meant by a UUID alone.
        keys: The API keys of the Booking Partners, by their keys; a new API key is noted there.
    """

    def __init__(self, system: System, partner: str, keys: MutableMapping[str, str]) -> None:
        self._system = system
        self._partner = partner
        self._keys = keys
        self._doers: Mapping[type[actions.Action], Callable[[Any, Subject], Awaitable[str]]] = {
            actions.ReplaceItem: self._replace,
            actions.Move: self._move,
            actions.SellOut: self._sell_out,
            actions.Revoke: self._change_access,
            actions.Suspend: self._change_access,
            actions.Allow: self._change_access,
            actions.ReplaceKey: self._replace_key,
        }

    async def do(self, action: actions.Action, subject: Subject) -> str:
        """Do an action at once, and return what was done, in words.

        Raises:
            OpenBookingError: The Booking System refuses the action.
            UserError: There is no such Booking Partner.
        """
        doer = self._doers.get(type(action))
        if doer:
            return await doer(action, subject)
        if isinstance(action, actions.OrderAction):
            order = self._order(action.order, subject)
            await self._system.store.execute(_ORDER_COMMANDS[type(action)](action, order))
            return f"{actions.tag_of(action)}: {order.partner}/{order.uuid}"
        assert isinstance(action, actions.OpportunityAction)  # noqa: S101 - no other actions are left
        path = self._path(action.opportunity, subject)
        await self._system.store.execute(_OPPORTUNITY_COMMANDS[type(action)](action, path))
        return f"{actions.tag_of(action)}: {path}"

    async def _replace(self, action: actions.ReplaceItem, subject: Subject) -> str:
        """Publish a copy of the Opportunity of an item, and replace the Opportunity by it."""
        order = self._order(action.order, subject)
        record = await self._system.store.execute(GetOrder(caller=Caller(order.partner), uuid=order.uuid))
        found = record.items_by_number().get(action.item) if isinstance(record, OrderRecord) else None
        if found is None:
            raise NotFoundError(f"The Order has no item {action.item}.")
        copy, offer = copy_of(found[0])
        await self._system.store.execute(Publish((copy,), actor=SANDBOX))
        replacement = Replace(
            order=order,
            number=action.item,
            opportunity=copy.path,
            offer=offer.ref,
            nonce=str(uuid.uuid4()),
            actor=SANDBOX,
        )
        await self._system.store.execute(replacement)
        return f"replace: item {action.item} of {order.partner}/{order.uuid} by {copy.path}"

    async def _move(self, action: actions.Move, subject: Subject) -> str:
        path = self._path(action.opportunity, subject)
        opportunity = await self._system.store.execute(GetOpportunity(path, actor=SANDBOX))
        by = timedelta(minutes=action.minutes)
        command = ChangeLogistics(
            opportunity=path,
            name=action.name or None,
            location={"@type": "Place", "name": action.place, **_PLACE} if action.place else None,
            start=opportunity.start + by if opportunity.start and by else None,
            end=opportunity.end + by if opportunity.end and by else None,
            actor=SANDBOX,
        )
        await self._system.store.execute(command)
        return f"move: {path}"

    async def _sell_out(self, action: actions.SellOut, subject: Subject) -> str:
        """Book all spaces that are left for another Broker."""
        path = self._path(action.opportunity, subject)
        occurrence = await self._occurrence(path)
        left = occurrence.capacity - occurrence.booked - occurrence.leased if occurrence.capacity is not None else 0
        if left <= 0:
            raise NotFoundError(f"{path} has no spaces left, or no number of spaces.")
        for first in range(0, left, _ITEMS):
            await self._book(occurrence, min(_ITEMS, left - first))
        return f"sell-out: {left} spaces of {path}"

    async def _book(self, occurrence: Occurrence, spaces: int) -> None:
        opportunity = occurrence.opportunity
        sellers = {seller.key: seller for seller in await self._system.store.sellers()}
        offers = [each for each in applicable_offers(opportunity, occurrence.parents) if not each.restricted]
        if not offers:
            raise NotFoundError(f"{opportunity.path} cannot be sold out: it has no Offer for everybody.")
        order = str(uuid.uuid4())
        buyer = Buyer(_RIVAL, f"rival-{order[:8]}", _RIVAL_CUSTOMER)
        request = order_request(sellers[opportunity.seller], opportunity, offers[0], spaces, buyer)
        command = Book(caller=Caller(_RIVAL.key), uuid=order, request=request, nonce=str(uuid.uuid4()))
        booked = await self._system.store.execute(command)
        if booked.has_errors:
            raise NotFoundError(f"{opportunity.path} cannot be sold out: its Offers ask for more than a Customer.")

    async def _occurrence(self, path: str) -> Occurrence:
        opportunity = await self._system.store.execute(GetOpportunity(path, actor=SANDBOX))
        assert isinstance(self._system.store, StoreWithViews)  # noqa: S101 - the sandbox has a database
        found = await self._system.store.views.of(opportunity.seller).occurrence(path)
        if found is None:
            raise NotFoundError(f"{path} is not booked itself: name a session, Slot or event below it.")
        return found

    async def _change_access(self, action: actions.PartnerAction, subject: Subject) -> str:
        del subject
        change = _GRANT_CHANGES[type(action)]
        administration = self._system.identity.partner_administration
        partner = await administration.partner(action.partner)
        seller = action.seller or next((each.seller for each in BROKERS if each.key == partner.key), None)
        await administration.change_grant(partner.key, seller or EVERY_SELLER, change, SANDBOX)
        return f"{actions.tag_of(action)}: {partner.key}"

    async def _replace_key(self, action: actions.ReplaceKey, subject: Subject) -> str:
        del subject
        administration = self._system.identity.partner_administration
        new = await administration.replace_credential(action.partner, CredentialKind.API_KEY, None)
        self._keys[action.partner] = new.secret
        return f"new-key: the API key of {action.partner} is {new.secret}"

    def _order(self, reference: str, subject: Subject) -> OrderKey:
        """Return the key of the Order that an action names."""
        if not reference:
            if subject.order is None:
                raise UnknownOrderError("No Broker has booked or proposed yet: name the Order.")
            return subject.order
        partner, _, order = reference.rpartition("/") if "://" not in reference else ("", "", reference)
        types = (OrderType.ORDER, OrderType.PROPOSAL)
        found = parse_uuid(order) or next(
            filter(None, (self._system.ids.parse_order(order, each) for each in types)), None
        )
        if found is None:
            raise UnknownOrderError(f"{reference} is no UUID, @id or PARTNER/UUID of an Order.")
        return OrderKey(partner or self._partner, found)

    def _path(self, reference: str, subject: Subject) -> str:
        """Return the path of the Opportunity that an action names."""
        path = self._system.ids.parse_opportunity(reference) or reference or subject.opportunity
        if not path or not is_opportunity_path(path):
            raise NotFoundError(f"{reference or 'The last request'} names no Opportunity.")
        return path


def _numbers(action: actions.ItemAction) -> frozenset[int] | None:
    return frozenset(action.items) or None
