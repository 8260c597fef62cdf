"""The bookings of a Customer: what has changed, approval by the organiser, and cancellation."""

from starlette.responses import Response

from openbooking.broker import (
    BookingState,
    DescribedItem,
    Explanation,
    NotApprovedError,
    OrderAccessError,
    PaymentError,
    UnfinishedError,
    WrongStateError,
    explain,
)

from .visits import Visit


async def list_bookings(visit: Visit) -> Response:
    """Show the bookings of the Customer, and what was begun."""
    bookings = await visit.broker.bookings(visit.customer)
    told = [visit.parts.news.of_order(booking.order) for booking in bookings]
    return visit.page("bookings.html", bookings=list(zip(bookings, told, strict=True)))


async def show(visit: Visit, problem: Explanation | None = None) -> Response:
    """Show a booking."""
    # The news come first: a booking that is read later has at least the state of which they tell.
    news = visit.parts.news.of_order(visit.order)
    booking = await visit.broker.booking(visit.order, visit.customer)
    if booking is None:
        raise OrderAccessError("This basket was deleted.")
    if booking.state is BookingState.BASKET:
        return visit.go(f"/basket/{visit.order}")
    return visit.page("booking.html", problem=problem, booking=booking, news=news)


async def ask_to_cancel(visit: Visit) -> Response:
    """Ask whether to cancel an item, and show what is paid back."""
    item = await _item(visit, visit.request.query_params.get("item", ""))
    if item is None or not item.can_cancel:
        return visit.go(f"/bookings/{visit.order}")
    return visit.page("cancel.html", order=visit.order, item=item)


async def cancel(visit: Visit) -> Response:
    """Cancel an item, and follow the Orders feed at once, so that the refund is begun."""
    if item := await _item(visit, visit.form.get("item", "")):
        await visit.broker.cancel(visit.order, visit.customer, [item.key])
        await visit.parts.follower.follow()
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
        text = "The organiser has changed the request. Please look at it again."
        return await show(visit, Explanation(text, 409))
    except PaymentError as fault:
        return await show(visit, explain(fault))
    return visit.go(f"/bookings/{visit.order}")


async def withdraw(visit: Visit) -> Response:
    """Reject an OrderProposal for the Customer."""
    await visit.broker.reject_proposal(visit.order, visit.customer)
    await visit.parts.follower.follow()
    return visit.go(f"/bookings/{visit.order}")


async def _item(visit: Visit, key: str) -> DescribedItem | None:
    booking = await visit.broker.booking(visit.order, visit.customer)
    if booking is None or booking.state is BookingState.BASKET:
        return None
    return next((item for item in booking.items if item.key == key), None)
