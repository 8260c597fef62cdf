"""A Seller's bookings, as the commands read and change them."""

from collections.abc import Sequence
from typing import NamedTuple

from openbooking.back_office.history import history_rows
from openbooking.back_office.rows.order_items import ItemRow, item_rows
from openbooking.back_office.rows.order_rows import OrderDetails, order_details, order_reference, parse_order_reference
from openbooking.back_office.rows.tables import TableContext
from openbooking.booking.command import Command
from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunity
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.opportunity import Opportunity, Seller
from openbooking.booking.model.record import OrderRecord, ProposalRecord, Record
from openbooking.booking.store import Reply, Store
from openbooking.booking.views import SellerViews
from openbooking.user_error import UserError


class NotFoundInOfficeError(UserError):
    """The Seller has no such Order, OrderProposal, item or Opportunity; those of other Sellers do not exist for it."""


class Office(NamedTuple):
    """The bookings of one Seller.

    Attributes:
        store: The store.
        seller: The Seller.
        views: The views of the Seller.
        context: The context of tables.
    """

    store: Store
    seller: Seller
    views: SellerViews
    context: TableContext

    async def execute(self, command: Command[Reply]) -> Reply:
        """Execute a command."""
        return await self.store.execute(command)

    async def record(self, reference: str) -> Record:
        """Return the Order or OrderProposal with a reference (`order_rows.order_reference`).

        Raises:
            NotFoundInOfficeError: The text is no reference, or the Seller has no such Order or OrderProposal.
        """
        key = parse_order_reference(reference)
        if key is None:
            raise NotFoundInOfficeError(
                f"{reference} is no reference of an Order, which is PARTNER/UUID. "
                f"`openbooking order list --search {reference}` shows it."
            )
        record = await self.views.order(key)
        if record is None:
            raise NotFoundInOfficeError(f"{self.seller.name} has no Order {order_reference(key)}.")
        return record

    async def details(self, reference: str) -> OrderDetails:
        """Return the Order or OrderProposal with a reference, with its items and its history.

        Raises:
            NotFoundInOfficeError: The Seller has no such Order or OrderProposal, or it was deleted.
        """
        record = await self.record(reference)
        if not isinstance(record, OrderRecord | ProposalRecord):
            raise NotFoundInOfficeError(f"{reference} was deleted.")
        history = await history_rows(self.views, record, self.context.partners)
        return order_details(record, history, self.context)

    async def order(self, reference: str) -> OrderRecord:
        """Return the booked Order with a reference.

        Raises:
            NotFoundInOfficeError: The Seller has no such Order, or it is not booked, or was deleted.
        """
        record = await self.record(reference)
        if not isinstance(record, OrderRecord):
            raise NotFoundInOfficeError(f"{reference} is not a booked Order.")
        return record

    async def proposal(self, reference: str) -> ProposalRecord:
        """Return the OrderProposal with a reference.

        Raises:
            NotFoundInOfficeError: The Seller has no such OrderProposal, or it was booked or deleted.
        """
        record = await self.record(reference)
        if not isinstance(record, ProposalRecord):
            raise NotFoundInOfficeError(f"{reference} is no OrderProposal, or it was booked or deleted.")
        return record

    async def opportunity(self, path: str, actor: Actor) -> Opportunity:
        """Return the Opportunity with a path, on sale or not.

        Raises:
            NotFoundInOfficeError: The Seller has no such Opportunity.
            NotFoundError: No Seller has one.
        """
        opportunity = await self.execute(GetOpportunity(path, actor=actor))
        if opportunity.seller != self.seller.key:
            raise NotFoundInOfficeError(f"There is no Opportunity {path}.")
        return opportunity


def current_items(record: OrderRecord | ProposalRecord, numbers: Sequence[int]) -> list[ItemRow]:
    """Return the items with some numbers, or else all items that are not cancelled.

    Raises:
        NotFoundInOfficeError: There is no item with one of the numbers, or it is cancelled; or all items are cancelled.
    """
    rows = {row.item.number: row for row in item_rows(record) if not row.state.status.cancelled}
    if not rows:
        raise NotFoundInOfficeError("All items of this Order are cancelled already.")
    unknown = [number for number in numbers if number not in rows]
    if unknown:
        raise NotFoundInOfficeError(f"The Order has no item {unknown[0]} that is not cancelled.")
    return [rows[number] for number in sorted(set(numbers) or rows)]
