"""The dry run of C1, C2, P and B, which returns the Order that a request would make (OB 9.2.1, 9.2.2).

The dry run checks the request as a whole first. Then it finds the Opportunity, Offer and price of each item, and checks
quantity, capacity, currency, prepayment, total and details. It writes nothing and holds no spaces.
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from msgspec.structs import replace

from openbooking.booking.model.grant_terms import GrantTerms
from openbooking.booking.model.opportunity import Offer, Opportunity, Seller
from openbooking.booking.model.order import Caller, LeasedTerms, Order, OrderItem, OrderKey, PersonalData
from openbooking.booking.model.order_request import ItemRequest, OrderRequest
from openbooking.booking.model.record import Record
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.rules.opportunities.bookability import (
    CONDITIONS,
    CONDITIONS_AT_DESK,
    CONDITIONS_OF_LEASED,
    Conditions,
    Pair,
    conditions_of,
    why_not_bookable,
    why_outside_terms,
    why_wrong_quantity,
)
from openbooking.booking.rules.opportunities.capacity import excess_errors, spaces_left
from openbooking.booking.rules.orders.accepted_offer import dynamic_offer, overridden_offer, published_offer
from openbooking.booking.rules.orders.payment import check_consistent, check_details, reflected_payment
from openbooking.booking.rules.orders.prepayment import prepayment_of
from openbooking.booking.rules.orders.pricing import (
    Pricing,
    add_total_errors,
    payable_offer,
    tax_charges,
    tax_treatment,
    totals,
)
from openbooking.booking.rules.orders.required_details import INCOMPLETE, check_broker, check_customer, detail_errors
from openbooking.booking.rules.size_limits import check_order
from openbooking.openactive.errors import SellerMismatchError, SellerNotFoundError
from openbooking.openactive.ids import OfferRef
from openbooking.openactive.item_errors import ItemError, ItemErrorType
from openbooking.openactive.terms import Availability, FlowRequirement, OrderType


class Checkpoint(StrEnum):
    """The steps of the booking flow that share the dry run."""

    C1 = "C1"
    C2 = "C2"
    P = "P"
    B = "B"

    @property
    def order_type(self) -> OrderType:
        """The type of the request and the reply at this checkpoint."""
        return {"P": OrderType.PROPOSAL, "B": OrderType.ORDER}.get(self, OrderType.QUOTE)


def order_needs(record: Needs, request: OrderRequest) -> Needs:
    """Return the needs of the dry run: the given record, the Seller, and the Opportunities and Offers of the items."""
    named = {item.opportunity for item in request.items if item.opportunity}
    owners = {item.offer.owner for item in request.items if item.offer}
    sellers = frozenset({request.seller} if request.seller else ())
    return replace(record, opportunities=frozenset(named), lookups=frozenset(owners), sellers=sellers)


def dry_run(  # noqa: PLR0913, PLR0917 - everything that an Order depends on
    situation: Situation,
    checkpoint: Checkpoint,
    caller: Caller,
    uuid: str,
    request: OrderRequest,
    guaranteed: Mapping[int, LeasedTerms],
) -> Order:
    """Return the Order that the request would make, with errors on the items that cannot be booked.

    Args:
        situation: The situation of the decision.
        checkpoint: The checkpoint of the request.
        caller: The Booking Partner, or the front desk. Staff at the front desk need no details of the Customer, not
            even those of OB-ROLE-06, and their payments have a rule of their own (`payment.check_desk_payment`).
        uuid: The Order UUID.
        request: The request.
        guaranteed: The terms that a Lease guarantees (`holding.guaranteed_terms`), by the numbers of the items.

    Raises:
        OpenBookingError: The request as a whole is at fault. Seller, broker, customer and payment are checked in this
            order (AMB-54), and the size of the Order last.
    """
    seller = situation.sellers.get(request.seller) if request.seller else None
    if seller is None:
        raise SellerNotFoundError(f"There is no Seller {request.seller_id}.")
    caller.check_may_act_for(seller.key)
    own = situation.records.get(OrderKey(caller.partner, uuid))
    if own:
        caller.check_may_act_for(own.seller)
    terms = caller.terms_with(seller.key)
    check_broker(request)
    if not caller.is_desk:
        _check_customer_and_payment(situation, checkpoint, request, own, terms)
    run = _DryRun(situation, seller, request, guaranteed, caller)
    items = run.items()
    if any(item.opportunity and item.opportunity.seller != seller.key for item in items):
        raise SellerMismatchError
    items = _add_capacity_errors(situation, own, _add_quantity_errors(items))
    items = _add_prepayment_errors(_add_currency_errors(items))
    items = add_total_errors(items, run.pricing)
    if checkpoint is not Checkpoint.C1:
        items = tuple(_add_detail_errors(item, asked) for item, asked in zip(items, request.items, strict=True))
    offers = [item.offer for item in items if item.offer]
    order = Order(
        type=checkpoint.order_type,
        uuid=uuid,
        seller=seller,
        broker_role=request.broker_role,
        broker=request.broker,
        items=items,
        totals=totals([item for item in items if {error.type for error in item.errors} <= INCOMPLETE], run.pricing),
        tax=run.pricing.tax,
        payment=request.payment
        if caller.is_desk
        else reflected_payment(request.payment, offers, situation.policy, checkpoint.order_type),
        requires_approval=any(FlowRequirement.APPROVAL in offer.flow for offer in offers),
        personal=personal_data(request, checkpoint),
    )
    check_order(order, situation.policy)
    return order


def _check_customer_and_payment(
    situation: Situation, checkpoint: Checkpoint, request: OrderRequest, own: Record | None, terms: GrantTerms
) -> None:
    if checkpoint is not Checkpoint.C1:
        check_customer(request)
    check_details(request.payment, situation.policy, terms)
    if checkpoint.order_type is not OrderType.QUOTE and situation.holds_spaces(own):
        check_consistent(request.payment, own)


class _DryRun:
    """Finds the Opportunity, Offer and price of each item of a request."""

    def __init__(
        self,
        situation: Situation,
        seller: Seller,
        request: OrderRequest,
        guaranteed: Mapping[int, LeasedTerms],
        caller: Caller,
    ) -> None:
        self._situation = situation
        self._is_desk = caller.is_desk
        self._conditions: Conditions = CONDITIONS_AT_DESK if caller.is_desk else CONDITIONS
        self._terms = caller.terms_with(seller.key)
        self._seller = seller
        self._request = request
        self._guaranteed = guaranteed
        self._dynamic = request.payment is not None and request.payment.dynamic
        self._asked = Counter(item.opportunity for item in request.items)
        tax = tax_treatment(situation.policy.tax, request, seller.tax_mode)
        self.pricing = Pricing(seller.tax_mode, tax, situation.policy.prepayment)

    def items(self) -> tuple[OrderItem, ...]:
        """Return the requested OrderItems."""
        return tuple(self._item(number, item) for number, item in enumerate(self._request.items, 1))

    def _item(self, number: int, request: ItemRequest) -> OrderItem:
        """Return an OrderItem with its Opportunity and Offer, and with an error if they cannot be booked."""
        found = self._opportunity(request)
        opportunity = found if isinstance(found, Opportunity) else None
        parents = self._situation.parents(opportunity) if opportunity else ()
        accepted: Offer | ItemError
        if isinstance(found, Opportunity):
            accepted = payable_offer(self._offer(found, request, number), self.pricing)
        else:
            accepted = found
        offer = accepted if isinstance(accepted, Offer) else None
        item = OrderItem(
            number=number,
            position=request.position,
            opportunity_id=request.opportunity_id,
            offer_id=request.offer_id,
            opportunity=replace(opportunity, offers=()) if opportunity else None,
            parents=tuple(replace(parent, offers=()) for parent in parents),
            offer=offer,
            tax=() if offer is None or self._dynamic else tax_charges(offer, self.pricing),
        )
        error = self._pair_error(opportunity, parents, offer, number) if opportunity and offer else accepted
        return replace(item, errors=(error,)) if isinstance(error, ItemError) else item

    def _opportunity(self, request: ItemRequest) -> Opportunity | ItemError:
        """Return the requested Opportunity, or an error if the item has wrong references (OB-VAL-13 to OB-VAL-15)."""
        if request.opportunity_id is None:
            return _error(ItemErrorType.INCOMPLETE_ORDER_ITEM, "The OrderItem has no orderedItem.")
        if request.offer_id is None and request.override is None and not self._dynamic:
            return _error(ItemErrorType.INCOMPLETE_ORDER_ITEM, "The OrderItem has no valid acceptedOffer.")
        if request.opportunity is None:
            reason = f"{request.opportunity_id} names no Opportunity."
            return _error(ItemErrorType.INVALID_OPPORTUNITY_OR_OFFER_ID, reason)
        opportunity = self._situation.opportunities.get(request.opportunity)
        if opportunity is None:
            return _error(ItemErrorType.UNKNOWN_OPPORTUNITY, f"There is no Opportunity {request.opportunity_id}.")
        return opportunity

    def _offer(self, opportunity: Opportunity, request: ItemRequest, number: int) -> Offer | ItemError:
        if self._dynamic:
            asked = self._asked[opportunity.path]
            return dynamic_offer(self._situation, self._terms, self._seller, opportunity, request, asked)
        if request.override:
            return overridden_offer(self._situation, self._terms, opportunity, request.override, at_desk=self._is_desk)
        terms = self._guaranteed.get(number)
        return terms.offer if terms else published_offer(self._situation, opportunity, request)

    def _pair_error(
        self, opportunity: Opportunity, parents: tuple[Opportunity, ...], offer: Offer, number: int
    ) -> ItemError | None:
        conditions = CONDITIONS_OF_LEASED if number in self._guaranteed else self._conditions
        pair = Pair(opportunity, offer, self._seller, parents)
        conditions = conditions_of(offer, conditions, is_entitled=self._terms.names_offer(offer, parents))
        reason = why_not_bookable(pair, self._situation.now, conditions)
        reason = reason or why_outside_terms(self._terms, opportunity, parents, offer)
        return _error(ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE, reason) if reason else None


def _error(type_: ItemErrorType, description: str | None = None) -> ItemError:
    return ItemError(type=type_, description=description)


def _add_quantity_errors(items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """Return the items, with an error on each item of which too few or too many are requested with one Offer."""
    asked = Counter(map(_pair_key, items))
    return tuple(_add_quantity_error(item, asked[_pair_key(item)]) for item in items)


def _pair_key(item: OrderItem) -> tuple[str, OfferRef] | None:
    return (item.opportunity.path, item.offer.ref) if item.opportunity and item.offer else None


def _add_quantity_error(item: OrderItem, asked: int) -> OrderItem:
    if item.offer is None or item.errors:
        return item
    reason = why_wrong_quantity(item.offer, asked)
    if reason is None:
        return item
    return replace(item, errors=(_error(ItemErrorType.OPPORTUNITY_OFFER_PAIR_NOT_BOOKABLE, reason),))


def _add_capacity_errors(
    situation: Situation, own: Record | None, items: tuple[OrderItem, ...]
) -> tuple[OrderItem, ...]:
    """Return the items with the number of spaces left, and with an error on each item for which no space is left.

    Spaces that the record of this request holds already (`own`) are left for the request.
    """
    released = situation.released_hold(own)
    members = {item.opportunity.path: item.opportunity for item in items if item.opportunity}
    left = {
        path: spaces_left(situation.opportunities[path], situation.spaces_taken(path, released))
        for path, member in members.items()
        if member.capacity is not None
    }
    valid = [item for item in items if item.opportunity and item.opportunity.path in left and not item.errors]
    paths = [item.opportunity.path for item in valid if item.opportunity]
    excess = dict(zip((item.number for item in valid), excess_errors(situation, paths, released), strict=True))
    return tuple(_add_capacity_error(item, left, excess.get(item.number)) for item in items)


def _add_capacity_error(item: OrderItem, left: Mapping[str, int | None], error: ItemErrorType | None) -> OrderItem:
    if item.opportunity is None or item.opportunity.path not in left:
        return item
    item = replace(item, remaining=left[item.opportunity.path])
    return replace(item, errors=(_error(error),)) if error else item


def _add_prepayment_errors(items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """Return the items, with errors if some items require prepayment and others do not allow it (OB-PREP-09).

    Only these items have an error: free items and items with optional prepayment have none.
    """
    priced = {item.number: prepayment_of(item.offer) for item in items if item.offer and item.offer.price}
    opposed = {Availability.REQUIRED, Availability.UNAVAILABLE}
    if not opposed <= set(priced.values()):
        return items
    reason = "Items that require prepayment and items that do not allow it cannot be booked together."
    conflict = _error(ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, reason)
    return tuple(
        replace(item, errors=(conflict,)) if priced.get(item.number) in opposed and not item.errors else item
        for item in items
    )


def _add_currency_errors(items: tuple[OrderItem, ...]) -> tuple[OrderItem, ...]:
    """Return the items, with an error on each item whose currency differs from the first currency (OB-VAL-40)."""
    currency = next((item.offer.currency for item in items if item.offer and item.offer.currency), None)
    return tuple(
        replace(item, errors=(_error(ItemErrorType.OPPORTUNITY_IS_IN_CONFLICT, f"Not priced in {currency}."),))
        if item.offer and item.offer.currency not in (None, currency) and not item.errors
        else item
        for item in items
    )


def _add_detail_errors(item: OrderItem, request: ItemRequest) -> OrderItem:
    """Return the item with the errors in its attendee and answers, unless it has errors (OB-CUST-14, OB-FORM-09)."""
    if item.errors or item.offer is None:
        return item
    return replace(item, errors=detail_errors(item.offer, request))


def personal_data(request: OrderRequest, checkpoint: Checkpoint) -> PersonalData:
    """Return the personal data of the request. C1 reflects neither the Customer nor the answers (OB-C1-10)."""
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
