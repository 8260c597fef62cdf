"""The dry run behind C1, C2, P and B, and the quotes C1 and C2 themselves (OB 9.2.1, 9.2.2)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.bookable import Pair, why_not_bookable
from openbooking.booking.capacity import excess_errors, remaining
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.details import DETAIL_ERRORS, detail_errors
from openbooking.booking.opportunity import Offer, Opportunity, Seller, applicable_offers
from openbooking.booking.order import (
    Caller,
    ItemRequest,
    Order,
    OrderItem,
    OrderKey,
    OrderRequest,
    PersonalData,
    Record,
    RecordKind,
)
from openbooking.booking.parties import check_broker, check_customer
from openbooking.booking.payment import check_reconciliation, reflected_payment
from openbooking.booking.policy import Leasing, Policy
from openbooking.booking.pricing import tax_charges, totals
from openbooking.booking.situation import Needs, Places, RecordSet, Situation
from openbooking.spec.errors import ItemError, ItemErrorType, SellerMismatchError, SellerNotFoundError
from openbooking.spec.terms import FlowRequirement, OrderType


class Checkpoint(StrEnum):
    """The steps of the booking flow that share the dry run."""

    C1 = "C1"
    C2 = "C2"
    P = "P"
    B = "B"

    @property
    def order_type(self) -> OrderType:
        """What is asked for and answered at this checkpoint."""
        return {"P": OrderType.PROPOSAL, "B": OrderType.ORDER}.get(self, OrderType.QUOTE)


class Quote(OrderCommand, frozen=True, kw_only=True):
    """C1 or C2: price and availability of the items, and a Lease of their places where leasing is on."""

    checkpoint: Checkpoint
    request: OrderRequest

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, and what the items name."""
        needs = order_needs(super().needs(policy), self.request)
        return replace(needs, changes_nothing=not self._leases(policy))

    def decide(self, situation: Situation) -> Decision:
        """Answer with the quote; hold its places only if none of its items is at fault (OB-LEASE-15)."""
        record = situation.records.get(self.key)
        lifecycle.after(record, lifecycle.Event.QUOTE)
        quote = dry_run(situation, self.checkpoint, self.caller, self.uuid, self.request)
        if quote.has_errors or not self._leases(situation.policy):
            return Decision(reply=quote)
        expires = situation.now + situation.policy.lease_duration
        quote = replace(quote, lease_expires=expires)
        held = Record(
            partner=self.caller.partner,
            uuid=self.uuid,
            kind=RecordKind.QUOTE,
            seller=quote.seller.key,
            order=replace(quote, personal=None),
            lease_expires=expires,
        )
        return Decision(reply=quote, changes=(RecordSet(self.key, held),))

    def _leases(self, policy: Policy) -> bool:
        named = policy.leasing is Leasing.NAMED and self.checkpoint is Checkpoint.C2
        return named or policy.leasing is Leasing.ANONYMOUS


def order_needs(record: Needs, request: OrderRequest) -> Needs:
    """What the dry run looks at: the record, the Seller, and the items' Opportunities and Offers."""
    named = {item.opportunity for item in request.items if item.opportunity}
    owners = {item.offer.owner for item in request.items if item.offer}
    sellers = frozenset({request.seller} if request.seller else ())
    return replace(record, opportunities=frozenset(named | owners), sellers=sellers)


def dry_run(situation: Situation, checkpoint: Checkpoint, caller: Caller, uuid: str, request: OrderRequest) -> Order:
    """The Order this request would make, with the errors of its items.

    Faults of the request as a whole are raised, in the order Seller, broker, customer, payment (AMB-54).
    """
    seller = situation.sellers.get(request.seller) if request.seller else None
    if seller is None:
        raise SellerNotFoundError(f"There is no Seller {request.seller_id}.")
    caller.check_may_act_for(seller.key)
    check_broker(request)
    if checkpoint is not Checkpoint.C1:
        check_customer(request)
    check_reconciliation(request.payment, situation.policy.reconciliation)
    own = situation.records.get(OrderKey(caller.partner, uuid))
    items = tuple(
        _item(situation, seller, own, number, item_request) for number, item_request in enumerate(request.items, 1)
    )
    if any(item.opportunity and item.opportunity.seller != seller.key for item in items):
        raise SellerMismatchError
    items = _with_one_currency(_with_capacity(situation, own, items))
    if checkpoint is not Checkpoint.C1:
        items = tuple(_with_details(item, asked) for item, asked in zip(items, request.items, strict=True))
    offers = [item.offer for item in items if item.offer]
    return Order(
        type=checkpoint.order_type,
        uuid=uuid,
        seller=seller,
        broker_role=request.broker_role,
        broker=request.broker,
        items=items,
        totals=totals(
            [item for item in items if {error.type for error in item.errors} <= DETAIL_ERRORS],
            seller.tax_mode,
            publish_prepayment=situation.policy.prepayment,
        ),
        payment=reflected_payment(request, offers, situation.policy),
        requires_approval=any(FlowRequirement.APPROVAL in offer.flow for offer in offers),
        personal=_personal_data(request, checkpoint),
    )


def _item(situation: Situation, seller: Seller, own: Record | None, number: int, request: ItemRequest) -> OrderItem:
    """The OrderItem asked for, with its Opportunity and Offer, or the error that keeps them from being found."""
    opportunity = situation.opportunities.get(request.opportunity) if request.opportunity else None
    parents = situation.parents(opportunity) if opportunity else ()
    offer = _offer(situation, own, opportunity, parents, request)
    item = OrderItem(
        number=number,
        position=request.position,
        opportunity_id=request.opportunity_id,
        offer_id=request.offer_id,
        opportunity=replace(opportunity, offers=()) if opportunity else None,
        parents=tuple(replace(parent, offers=()) for parent in parents),
        offer=offer,
        tax=tax_charges(offer, seller.tax_mode) if offer else (),
    )
    error = _reference_error(situation, opportunity, offer, request)
    if error is None and opportunity and offer:
        reason = why_not_bookable(Pair(opportunity, offer, seller), situation.now)
        error = _error(ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE, reason) if reason else None
    return replace(item, errors=(error,)) if error else item


def _offer(
    situation: Situation,
    own: Record | None,
    opportunity: Opportunity | None,
    parents: tuple[Opportunity, ...],
    request: ItemRequest,
) -> Offer | None:
    """The Offer asked for, if it applies; as it was when leased, for a Lease guarantees its price (OB-LEASE-10)."""
    if opportunity is None or request.offer is None:
        return None
    leased = own.order.items if own and own.order and situation.live(own) else ()
    guaranteed = (item.offer for item in leased if item.opportunity and item.opportunity.path == opportunity.path)
    offers = [offer for offer in guaranteed if offer] + list(applicable_offers(opportunity, parents))
    return next((offer for offer in offers if offer.ref == request.offer), None)


def _reference_error(
    situation: Situation, opportunity: Opportunity | None, offer: Offer | None, request: ItemRequest
) -> ItemError | None:
    """What is wrong with the references of an item (OB-VAL-13 to OB-VAL-17)."""
    if request.opportunity_id is None or request.offer_id is None:
        missing = "orderedItem" if request.opportunity_id is None else "acceptedOffer"
        return _error(ItemErrorType.INCOMPLETE_ORDER_ITEM, f"The OrderItem has no {missing}.")
    if request.opportunity is None:
        return _error(ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID, f"{request.opportunity_id} names no Opportunity.")
    if request.offer is None:
        return _error(ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID, f"{request.offer_id} names no Offer.")
    if opportunity is None:
        return _error(ItemErrorType.UNKNOWN_OPPORTUNITY, f"There is no Opportunity {request.opportunity_id}.")
    if offer is None:
        owner = situation.opportunities.get(request.offer.owner)
        exists = owner is not None and any(offered.ref == request.offer for offered in owner.offers)
        return _error(ItemErrorType.UNACCEPTABLE_OFFER if exists else ItemErrorType.UNKNOWN_OFFER, None)
    return None


def _error(type_: ItemErrorType, description: str | None) -> ItemError:
    return ItemError(type=type_, description=description)


def _with_capacity(situation: Situation, own: Record | None, items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """The items with the places left at each Opportunity, and the errors of those in excess."""
    held = {claim.opportunity: claim.places for claim in own.claims()} if own and situation.live(own) else {}
    wanted: dict[str, int] = defaultdict(int)
    for item in items:
        if item.opportunity and not item.errors:
            wanted[item.opportunity.path] += 1
    left: dict[str, int] = {}
    errors: dict[str, Iterator[ItemErrorType | None]] = {}
    for path, opportunity in situation.opportunities.items():
        if opportunity.capacity is not None:
            places, mine = situation.places.get(path, Places()), Places(0, held.get(path, 0))
            left[path] = remaining(opportunity.capacity, places, mine)
            errors[path] = iter(excess_errors(wanted[path], opportunity.capacity, places, mine))
    return tuple(_with_places_left(item, left, errors) for item in items)


def _with_places_left(
    item: OrderItem, left: Mapping[str, int], errors: Mapping[str, Iterator[ItemErrorType | None]]
) -> OrderItem:
    path = item.opportunity.path if item.opportunity else ""
    if path not in left:
        return item
    item = replace(item, remaining=left[path])
    error = None if item.errors else next(errors[path])
    return replace(item, errors=(_error(error, None),)) if error else item


def _with_one_currency(items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """Items priced in another currency than the first are in conflict with it (OB-VAL-40)."""
    currency = next((item.offer.currency for item in items if item.offer and item.offer.currency), None)
    return tuple(
        replace(item, errors=(_error(ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, f"Not priced in {currency}."),))
        if item.offer and item.offer.currency not in (None, currency) and not item.errors
        else item
        for item in items
    )


def _with_details(item: OrderItem, request: ItemRequest) -> OrderItem:
    """The item with what is wrong about its attendee and answers, unless more is wrong (OB-CUST-14, OB-FORM-09)."""
    if item.errors or item.offer is None:
        return item
    return replace(item, errors=detail_errors(item.offer, request))


def _personal_data(request: OrderRequest, checkpoint: Checkpoint) -> PersonalData:
    """What the Broker told about people; C1 reflects none of the Customer (OB-C1-10)."""
    numbered = list(enumerate(request.items, 1))
    return PersonalData(
        customer=request.customer if checkpoint is not Checkpoint.C1 else None,
        attendees={number: item.attendee for number, item in numbered if item.attendee},
        intake_answers={
            number: tuple(answer.sent for answer in item.intake_answers)
            for number, item in numbered
            if item.intake_answers and checkpoint is not Checkpoint.C1
        },
    )
