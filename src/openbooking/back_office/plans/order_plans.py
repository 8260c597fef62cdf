"""Plans of the Seller's decisions about one Order."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from openbooking.back_office.descriptions import opportunity_name, person_name
from openbooking.back_office.formats import format_short_date, format_time
from openbooking.back_office.office import NotFoundInOfficeError, Office, current_items
from openbooking.back_office.plans.plan import Plan
from openbooking.back_office.rows.order_items import ItemRow
from openbooking.back_office.rows.order_rows import order_reference
from openbooking.back_office.rows.tables import TableContext
from openbooking.booking.commands.orders.record_payment import RecordPayment
from openbooking.booking.commands.orders.replace import Replace
from openbooking.booking.commands.orders.seller_decisions import (
    Notify,
    RecordAttendance,
    RenewAccess,
    SellerCancel,
    UndoAttendance,
)
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity, applicable_offers
from openbooking.booking.model.order import MeansOfPayment
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.desk_account import due_at_desk
from openbooking.booking.views import Occurrence
from openbooking.openactive.ids import OfferRef

_LEARNS = "The partner learns of it from its feed."
_AT_DESK = "It was booked at the front desk: tell the customer yourself."


class OrderPlanner:
    """Plans decisions about one Order.

    Args:
        office: The bookings of the Seller.
        record: The Order.
        actor: The actor of the decisions.
    """

    def __init__(self, office: Office, record: OrderRecord, actor: Actor) -> None:
        self._office = office
        self._record = record
        self._actor = actor
        self._reference = order_reference(record.key)
        self._learns = _AT_DESK if record.is_of_desk else _LEARNS

    def cancel(self, numbers: Sequence[int], message: str) -> Plan:
        """Plan the cancellation of items; the message may be empty.

        Raises:
            NotFoundInOfficeError: The attendance of one of the items is recorded.
        """
        rows = current_items(self._record, numbers)
        recorded = next((row.item.number for row in rows if row.state.status.has_attendance), None)
        if recorded is not None:
            undo = f"openbooking order attend {self._reference} --item {recorded} --undo"
            told = f"Item {recorded} has a record of attendance. Cancel others, or undo it: `{undo}`."
            raise NotFoundInOfficeError(told)
        refund = " Give back what was paid for it." if self._record.is_of_desk else ""
        command = SellerCancel(
            order=self._record.key, numbers=_numbers(rows), message=message or None, actor=self._actor
        )
        customer = person_name(self._record.order.personal.customer if self._record.order.personal else None)
        what = f"{self._describe(rows)} for {customer or 'a customer without a name'}"
        return Plan(
            command=command,
            done=f"Cancelled {self._count(rows)}. {self._learns}{refund}",
            effect=f"Cancels {what}. This cannot be undone.",
            question="Cancel?",
        )

    def notify(self, numbers: Sequence[int], notice: str) -> Plan:
        """Plan a notice to the Customer about items; an empty one removes the last notice."""
        rows = current_items(self._record, numbers)
        command = Notify(order=self._record.key, numbers=_numbers(rows), notice=notice, actor=self._actor)
        verb = "Sent the notice about" if notice else "Removed the notice about"
        return Plan(command=command, done=f"{verb} {self._count(rows)}. {self._learns}")

    def record_attendance(self, numbers: Sequence[int], *, attended: bool) -> Plan:
        """Plan the record that the attendees of items came, or did not come. What has not begun needs a yes."""
        rows = current_items(self._record, numbers)
        command = RecordAttendance(order=self._record.key, numbers=_numbers(rows), attended=attended, actor=self._actor)
        now = self._office.context.now
        early = [row for row in rows if row.item.opportunity.start and row.item.opportunity.start > now]
        return Plan(
            command=command,
            done=f"Recorded {self._count(rows)} as {'attended' if attended else 'absent'}.",
            effect=f"Not begun yet: {self._describe(early)}." if early else "",
            question="Record the attendance all the same?" if early else "",
        )

    def undo_attendance(self, numbers: Sequence[int]) -> Plan:
        """Plan to undo the record of attendance of items.

        Raises:
            NotFoundInOfficeError: No attendance is recorded for any of the items.
        """
        rows = [row for row in current_items(self._record, numbers) if row.state.status.has_attendance]
        if not rows:
            raise NotFoundInOfficeError("No attendance of such an item of this Order is recorded.")
        command = UndoAttendance(order=self._record.key, numbers=_numbers(rows), actor=self._actor)
        return Plan(command=command, done=f"Undid the record of attendance of {self._count(rows)}.")

    def pay(self, means: MeansOfPayment, amount: Decimal | None, reference: str) -> Plan:
        """Plan the record of a payment at the front desk; without an amount, of all that is due."""
        due = due_at_desk(self._record)
        paid = due if amount is None else amount
        command = RecordPayment(
            order=self._record.key, amount=paid, means=means, reference=reference, due=due, actor=self._actor
        )
        return Plan(command=command, done=f"Recorded a payment of {paid:.2f} for {self._reference}.")

    def renew_access(self, numbers: Sequence[int], nonce: str) -> Plan:
        """Plan new codes, passes and channels for items that have some.

        Args:
            numbers: The numbers of the items; none for all.
            nonce: A fresh secret (`RenewAccess`).

        Raises:
            NotFoundInOfficeError: None of the items has a code, pass or channel.
        """
        rows = [row for row in current_items(self._record, numbers) if row.item.access]
        if not rows:
            raise NotFoundInOfficeError("No such item of this Order has an access code, pass or link.")
        command = RenewAccess(
            order=self._record.key,
            numbers=_numbers(rows),
            nonce=nonce,
            code=True,
            passes=True,
            channel=True,
            actor=self._actor,
        )
        return Plan(command=command, done=f"Renewed the access of {self._count(rows)}. {self._learns}")

    async def replace(self, number: int, path: str, offer: str, nonce: str) -> Plan:
        """Plan the replacement of an item.

        Args:
            number: The number of the item.
            path: The path of the Opportunity that replaces it.
            offer: The key of its Offer; empty for the only one.
            nonce: A fresh secret (`Replace`).

        Raises:
            NotFoundInOfficeError: The Seller has no such occurrence, or the occurrence has no such Offer.
        """
        occurrence = await self._office.views.occurrence(path)
        if occurrence is None:
            raise NotFoundInOfficeError(f"{self._office.seller.name} has no occurrence {path}.")
        command = Replace(
            order=self._record.key,
            number=number,
            opportunity=path,
            offer=_choose_offer(occurrence, offer),
            nonce=nonce,
            actor=self._actor,
        )
        new = describe_occurrence(occurrence.opportunity, occurrence.parents, self._office.context)
        return Plan(command=command, done=f"Replaced item {number} of {self._reference} by {new}. {self._learns}")

    def _count(self, rows: Sequence[ItemRow]) -> str:
        return f"{len(rows)} {'item' if len(rows) == 1 else 'items'} of {self._reference}"

    def _describe(self, rows: Sequence[ItemRow]) -> str:
        """Return the names and times of the items, such as `Yoga, Sat 5 Dec 2026 19:15 (2 items)`."""
        context = self._office.context
        names = Counter(describe_occurrence(row.item.opportunity, row.item.parents, context) for row in rows)
        return "; ".join(f"{name} ({count} items)" if count > 1 else name for name, count in names.items())


def describe_occurrence(opportunity: Opportunity, parents: tuple[Opportunity, ...], context: TableContext) -> str:
    """Return the name and the time of an Opportunity."""
    starts = context.local(opportunity.start)
    name = opportunity_name(opportunity, parents)
    return f"{name}, {format_short_date(starts)} {format_time(starts)}" if starts else name


def _numbers(rows: Sequence[ItemRow]) -> frozenset[int]:
    return frozenset(row.item.number for row in rows)


def _choose_offer(occurrence: Occurrence, key: str) -> OfferRef:
    offers = applicable_offers(occurrence.opportunity, occurrence.parents)
    found = [offer for offer in offers if offer.key == key or not key]
    if len(found) != 1:
        keys = ", ".join(offer.key for offer in offers) or "none"
        raise NotFoundInOfficeError(f"Name an Offer of {occurrence.path} with --offer; it has {keys}.")
    return found[0].ref
