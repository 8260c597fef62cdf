"""Browsers of people who have signed in to the console, and bookings at the front desk."""

from collections.abc import Awaitable, Callable

from openbooking.booking.commands.orders.book_at_desk import BookAtDesk
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.order import MeansOfPayment, Payment, desk_caller
from openbooking.openactive.terms import BrokerRole
from support.browsers.form_browser import Visitor
from support.builders import PRICE, item, request
from support.http_system import World
from support.identity_provider import PASSWORD
from support.parties import CENTRE, MANAGER

DESK_PAYMENT = Payment(name=MeansOfPayment.CASH, identifier="slip 1")
SignIn = Callable[[str], Awaitable[Visitor]]


async def signed_in(world: World, name: str) -> Visitor:
    """Sign in with a new browser."""
    visitor = Visitor(world.client)
    await visitor.sign_in(name, PASSWORD)
    return visitor


def desk_booking(family: list[Opportunity], uuid: str, payment: Payment | None = DESK_PAYMENT) -> BookAtDesk:
    """Return the command that books one space at the front desk of the centre, without a name."""
    wanted = request(
        item(family),
        total_payment_due=PRICE,
        broker_role=BrokerRole.NO_BROKER,
        broker=None,
        customer=None,
        payment=payment,
    )
    return BookAtDesk(caller=desk_caller(CENTRE.key), uuid=uuid, request=wanted, actor=MANAGER)
