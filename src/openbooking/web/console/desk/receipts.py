"""The receipt of an Order that was booked at the front desk, with VAT, to be printed."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.back_office.descriptions import PAYMENTS, opportunity_name
from openbooking.booking.model.keys import DESK
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.order import OrderKey, PersonalData
from openbooking.booking.model.record import OrderRecord
from openbooking.booking.rules.orders.desk_account import desk_account, due_at_desk
from openbooking.booking.rules.orders.pricing import amount_due, pricing_of
from openbooking.web.console.addresses import OpportunityPage
from openbooking.web.console.bookings.orders import order_path
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError

_ADDRESS = ("streetAddress", "addressLocality", "addressRegion", "postalCode")


class ReceiptLine(NamedTuple):
    """Equal items as they were booked: `price` is that of one of them, and `end` says how they ended, if they have."""

    name: str
    starts: datetime | None
    offer: str
    price: Decimal
    currency: str | None
    vat: str
    end: str


class ReceiptPages:
    """The receipt, which staff prints or reads out."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[Route]:
        """Return the route of the receipt."""
        return [self._console.route("/desk/receipt/{uuid}", self._receipt)]

    async def _receipt(self, visit: ConsoleVisit) -> Response:
        record = await visit.views.order(OrderKey(DESK, visit.request.path_params["uuid"]))
        if not isinstance(record, OrderRecord):
            raise NotFoundOnConsoleError
        seller, personal = record.order.seller, record.order.personal or PersonalData()
        return visit.page(
            "desk/receipt.html",
            record=record,
            issuer=seller,
            address=_address(seller),
            vat_number=seller.properties.get("vatID"),
            customer=personal.customer,
            lines=receipt_lines(record).items(),
            codes=[item.access.code for item, _ in record.items() if item.access and item.access.code],
            account=[(PAYMENTS.get(moved.means, moved.means), moved) for moved in desk_account(record)],
            due=due_at_desk(record),
            pay_path=pay_path(record.uuid),
            order_path=order_path(record.key),
            desk_path=OpportunityPage.DESK.path(record.order.items[0].opportunity.path),
        )


def receipt_path(uuid: str) -> str:
    """Return the path of the receipt of the Order with this UUID, below the address of the site."""
    return f"{CONSOLE_PATH}/desk/receipt/{uuid}"


def pay_path(uuid: str) -> str:
    """Return the path of the form for a later payment of that Order, below the address of the site."""
    return f"{CONSOLE_PATH}/desk/pay/{uuid}"


def receipt_lines(record: OrderRecord) -> dict[ReceiptLine, int]:
    """Return the lines of the receipt, each with its number of items."""
    pricing = pricing_of(record.order)
    return Counter(
        ReceiptLine(
            name=opportunity_name(item.opportunity, item.parents),
            starts=item.opportunity.start,
            offer=item.offer.name or "",
            price=amount_due(item.offer, pricing),
            currency=item.offer.currency,
            vat=", ".join(charge.name for charge in item.tax),
            end="cancelled" if state.status.cancelled else "replaced" if state.replaced else "",
        )
        for item, state in zip(record.order.items, record.states, strict=True)
    )


def _address(seller: Seller) -> list[str]:
    """Return the lines of the Seller's published address."""
    address: Any = seller.properties.get("address")
    found = (address.get(name) for name in _ADDRESS) if isinstance(address, Mapping) else ()
    return [str(line) for line in found if line]
