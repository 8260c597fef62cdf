"""The bookings of a Customer: what has changed, approval by the organiser, and cancellation."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from openbooking.broker import NotApprovedError, PaymentError, UnfinishedError, WrongStateError
from openbooking.openactive.messages import OrderFeedData, OrderProposalFeedData
from openbooking.openactive.terms import OrderProposalStatus

from .payments import Paid
from .storage import News
from .views import Line, Version, lines_of_order
from .visits import Visit
from .words import Problem, problem_of

_PROPOSALS = {
    OrderProposalStatus.AWAITING: "waiting for approval",
    OrderProposalStatus.ACCEPTED: "approved",
    OrderProposalStatus.SELLER_REJECTED: "rejected by the organiser",
    OrderProposalStatus.CUSTOMER_REJECTED: "withdrawn by you",
}


class Booking(NamedTuple):
    """An Order of a Customer.

    Attributes:
        order: The Order UUID.
        status: The status in words.
        lines: The items.
        news: What has happened, the latest first.
        paid: What was paid; None if nothing was.
        due: The total, and its currency.
        under_way: What is being found out, in words; empty if nothing is.
        proposal: The version of an OrderProposal; empty for an Order.
        can_book: Whether the organiser has approved.
        can_withdraw: Whether the Customer can withdraw the request.
        is_basket: Whether nothing was booked yet.
    """

    order: UUID
    status: str
    lines: tuple[Line, ...] = ()
    news: tuple[News, ...] = ()
    paid: Paid | None = None
    due: tuple[Decimal, str] = (Decimal(0), "")
    under_way: str = ""
    proposal: str = ""
    can_book: bool = False
    can_withdraw: bool = False
    is_basket: bool = False


async def list_bookings(visit: Visit) -> Response:
    """Show the bookings of the Customer, and what was begun."""
    orders = await visit.broker.orders_of(visit.customer)
    found = [(await _booking(visit, owned.order), owned) for owned in reversed(orders)]
    # A basket without content was deleted. The client may forget the content of a basket that was booked.
    shown = [booking for booking, owned in found if owned.basket or not booking.is_basket]
    return visit.page("bookings.html", bookings=shown)


async def show(visit: Visit) -> Response:
    """Show a booking."""
    return await _page(visit)


async def ask_to_cancel(visit: Visit) -> Response:
    """Ask whether to cancel an item, and show what is paid back."""
    line = await _line(visit, visit.request.query_params.get("item", ""))
    if line is None or not line.refund:
        return visit.go(f"/bookings/{visit.order}")
    return visit.page("cancel.html", order=visit.order, item=line)


async def cancel(visit: Visit) -> Response:
    """Cancel an item, and follow the Orders feed at once, so that the refund is begun."""
    item = visit.form.get("item", "")
    if await _line(visit, item) is None:
        return visit.go(f"/bookings/{visit.order}")
    await visit.broker.cancel(visit.order, visit.customer, [item])
    await visit.request.app.state.follower.follow()
    return visit.go(f"/bookings/{visit.order}")


async def book_approved(visit: Visit) -> Response:
    """Agree to the version of the OrderProposal that the Customer saw, book it and pay."""
    try:
        await visit.broker.agree(visit.order, visit.customer, visit.form.get("version", ""))
        await visit.broker.book_proposal(visit.order, visit.customer)
    except (UnfinishedError, WrongStateError):
        # The page of the booking says that the outcome is not known yet.
        pass
    except NotApprovedError:
        return await _page(visit, Problem("The organiser has changed the request. Please look at it again.", 409))
    except PaymentError as fault:
        return await _page(visit, problem_of(fault))
    return visit.go(f"/bookings/{visit.order}")


async def withdraw(visit: Visit) -> Response:
    """Reject an OrderProposal for the Customer."""
    await visit.broker.reject_proposal(visit.order, visit.customer)
    await visit.request.app.state.follower.follow()
    return visit.go(f"/bookings/{visit.order}")


async def _page(visit: Visit, problem: Problem | None = None) -> Response:
    # A basket of another Customer, and one that does not exist, are the same to this Customer.
    await visit.broker.latest(visit.order, visit.customer)
    booking = await _booking(visit, visit.order)
    if booking.is_basket:
        return visit.go(f"/basket/{visit.order}")
    return visit.page("booking.html", problem=problem, booking=booking)


async def _line(visit: Visit, item: str) -> Line | None:
    version = await visit.broker.latest(visit.order, visit.customer)
    lines = lines_of_order(version, visit.parts.storage.whole) if version else ()
    return next((line for line in lines if line.key == item), None)


async def _booking(visit: Visit, order: UUID) -> Booking:
    """Return an Order of the Customer, from what the client knows, without asking the Booking System."""
    version = await visit.broker.latest(order, visit.customer)
    under_way = next((each.words for each in await visit.broker.unfinished() if each.order == order), "")
    storage = visit.parts.storage
    booking = Booking(
        order, "", news=tuple(storage.news(order)), paid=visit.parts.payments.paid_for(order), under_way=under_way
    )
    if version is None:
        is_basket = not under_way and not booking.news
        status = "we are finding out" if under_way else "not booked yet" if is_basket else "no longer booked"
        return booking._replace(status=status, is_basket=is_basket)
    due = version.total_payment_due
    amount = (Decimal(str(due.price)), due.price_currency or "") if due else booking.due
    booking = booking._replace(lines=lines_of_order(version, storage.whole), due=amount)
    return _with_status(booking, version)


def _with_status(booking: Booking, version: Version) -> Booking:
    if isinstance(version, OrderFeedData):
        is_cancelled = all(line.is_cancelled for line in booking.lines)
        is_known = not booking.under_way
        status = "cancelled" if is_cancelled else "booked" if is_known else "we are finding out"
        return booking._replace(status=status)
    return _with_proposal(booking, version)


def _with_proposal(booking: Booking, version: OrderProposalFeedData) -> Booking:
    status = version.order_proposal_status
    return booking._replace(
        status="we are finding out" if booking.under_way else _PROPOSALS[status],
        proposal=version.order_proposal_version,
        can_book=status is OrderProposalStatus.ACCEPTED and not booking.under_way,
        can_withdraw=status in {OrderProposalStatus.AWAITING, OrderProposalStatus.ACCEPTED} and not booking.under_way,
    )
