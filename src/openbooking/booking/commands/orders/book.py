"""B without an OrderProposal: book an Order (OB 9.2.6)."""

from typing import ClassVar

from msgspec.structs import replace

from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.model.order import BookedOrder, Order, PersonalData, to_booked_order
from openbooking.booking.model.order_request import OrderRequest
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.model.situation import Needs, Situation
from openbooking.booking.rules.opportunities.cancellation_effects import sell
from openbooking.booking.rules.orders import lifecycle
from openbooking.booking.rules.orders.access import grant_access
from openbooking.booking.rules.orders.dry_run import Checkpoint, dry_run, order_needs
from openbooking.booking.rules.orders.fingerprint import fingerprint_key, keyed_fingerprint, matches_fingerprint
from openbooking.booking.rules.orders.holding import guaranteed_terms
from openbooking.booking.rules.orders.payment import check_payment, check_total
from openbooking.openactive.errors import OrderCreationFailedError


class Book(OrderCommand, frozen=True, kw_only=True):
    """Book all items of a request, or none of them.

    Attributes:
        request: The request.
        nonce: A fresh secret, which is not stored. Access codes and the key of the fingerprint are derived from it.
    """

    stores_more: ClassVar[bool] = True

    request: OrderRequest
    nonce: str = ""

    @property
    def kept_note(self) -> str | None:
        """The note that the Order keeps: none, because only OrderProposals have notes of Brokers (OB 5.5.5.3)."""
        return None

    def needs(self) -> Needs:
        """Return the record behind the UUID, the requested Opportunities, and the OrderProposals for them."""
        needs = order_needs(super().needs(), self.request)
        return replace(needs, fills=needs.opportunities)

    def decide(self, situation: Situation) -> Decision[Order]:
        """Book the items, and return the Order. A repeat gets the reply of the first request (OB-B-10).

        If an item has an error, nothing is booked, and the reply shows the errors. Payment and total are not checked
        then, because an Order with errors has no total.

        Raises:
            OpenBookingError: The request as a whole is at fault.
        """
        record = situation.records.get(self.key)
        fingerprint = self.request.fingerprint()
        if isinstance(record, OrderRecord) and matches_fingerprint(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record.order)
        lifecycle.check_event(record, lifecycle.Event.BOOK)
        guaranteed = guaranteed_terms(situation, record, self.request.items, renews=False)
        order = dry_run(situation, Checkpoint.B, self.caller, self.uuid, self.request, guaranteed)
        if order.has_errors:
            return Decision(reply=order)
        self.check(order)
        key, stamp = fingerprint_key(self.nonce), self.stamp(situation)
        personal = replace(
            order.personal or PersonalData(),
            customer_note=self.kept_note,
            received_at=situation.now,
            fingerprint_key=key,
        )
        booked = replace(self._grant_access_to_items(to_booked_order(order)), personal=personal)
        record = lifecycle.new_order_record(self.key, booked, keyed_fingerprint(key, fingerprint), stamp)
        return Decision(reply=booked, changes=sell(situation, record))

    def check(self, order: Order) -> None:
        """Raise an error if the Order has to be approved, or if its payment or total is wrong."""
        if order.requires_approval:
            raise OrderCreationFailedError("The Seller has to approve this Order before it can be booked.")
        check_payment(self.request.payment, order.offers)
        check_total(self.request, order)

    def _grant_access_to_items(self, order: BookedOrder) -> BookedOrder:
        items = []
        for item, asked in zip(order.items, self.request.items, strict=True):
            access = grant_access(item.opportunity.access, self.nonce, item.number, asked.access_passes)
            items.append(replace(item, remaining=None, access=access))
        return replace(order, items=tuple(items))
