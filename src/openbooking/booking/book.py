"""B: the booking (OB 9.2.6)."""

from msgspec.structs import replace

from openbooking.booking import lifecycle
from openbooking.booking.access import grant_access
from openbooking.booking.command import Decision, OrderCommand
from openbooking.booking.dry_run import Checkpoint, dry_run, order_needs
from openbooking.booking.fingerprint import fingerprint_key, is_known_by, keyed
from openbooking.booking.order import ItemState, Order, OrderKey, OrderRequest, PersonalData, Record, RecordKind
from openbooking.booking.payment import check_payment, check_total
from openbooking.booking.policy import Policy
from openbooking.booking.situation import Needs, RecordSet, Situation
from openbooking.spec.errors import OrderCreationFailedError


class Book(OrderCommand, frozen=True, kw_only=True):
    """B: all items are booked, or none.

    `nonce` is a fresh secret, of which access codes and the key of the fingerprint are made; it is not kept.
    """

    request: OrderRequest
    nonce: str = ""

    def needs(self, policy: Policy) -> Needs:
        """The record behind the UUID, and what the items name."""
        return order_needs(super().needs(policy), self.request)

    def decide(self, situation: Situation) -> Decision:
        """Answer a repeat from the record (OB-B-10), else book what the dry run finds bookable.

        Items at fault are answered before payment and total, which only a sound Order has.
        """
        record = situation.records.get(self.key)
        fingerprint = self.request.fingerprint()
        if record and record.kind is RecordKind.ORDER and is_known_by(record, fingerprint):
            self.caller.check_may_act_for(record.seller)
            return Decision(reply=record.order)
        lifecycle.after(record, lifecycle.Event.BOOK)
        order = dry_run(situation, Checkpoint.B, self.caller, self.uuid, self.request)
        if order.has_errors:
            return Decision(reply=order)
        if order.requires_approval:
            raise OrderCreationFailedError("The Seller has to approve this Order before it can be booked.")
        check_payment(self.request.payment, order.offers)
        check_total(self.request, order)
        key = fingerprint_key(self.nonce)
        personal = replace(order.personal or PersonalData(), told_at=situation.now, fingerprint_key=key)
        order = replace(self._with_access(order), personal=personal)
        return _booked(self.key, order, keyed(key, fingerprint))

    def _with_access(self, order: Order) -> Order:
        items = []
        for item, asked in zip(order.items, self.request.items, strict=True):
            rules = item.opportunity.access if item.opportunity else None
            access = grant_access(rules, self.nonce, item.number, asked.access_passes)
            items.append(replace(item, remaining=None, access=access))
        return replace(order, items=tuple(items))


def _booked(key: OrderKey, order: Order, fingerprint: str) -> Decision:
    record = Record(
        partner=key.partner,
        uuid=key.uuid,
        kind=RecordKind.ORDER,
        seller=order.seller.key,
        order=order,
        fingerprint=fingerprint,
        states=tuple(ItemState() for _ in order.items),
    )
    return Decision(reply=order, changes=(RecordSet(key, record),))
