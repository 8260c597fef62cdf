"""The basket: what is in it, who comes, what must be asked, and the pretended payment."""

from collections.abc import Mapping

from starlette.responses import Response

from openbooking.broker import (
    PRICE_CHANGED,
    AnswersError,
    AsyncBasket,
    Explanation,
    ItemsRefusedError,
    PaymentError,
    Person,
    PriceChangedError,
    QuestionKind,
    Quote,
    UnfinishedError,
    WrongStateError,
    explain,
    faults_in,
    field_errors,
    form_fields,
    is_email,
    read_form,
)

from .payments import CARDS
from .visits import Visit

_DETAILS = {"given_name": "first name", "family_name": "last name", "email": "e-mail address"}
_WRONG = Explanation("Please correct what is marked below.", 422)
_REFUSED = Explanation("Your basket cannot be booked as it is. See below.", 409)


async def show(visit: Visit) -> Response:
    """Show the basket, with the price and the time until which the spaces are held."""
    basket = await _open(visit)
    try:
        return _page(visit, basket, await basket.current_quote())
    except WrongStateError:
        return visit.go(f"/bookings/{visit.order}")


async def renew(visit: Visit) -> Response:
    """Hold the spaces for longer."""
    await (await _open(visit)).quote()
    return visit.go(f"/basket/{visit.order}")


async def details(visit: Visit) -> Response:
    """Take the name and the e-mail address of the Customer."""
    basket = await _open(visit)
    typed = {name: visit.form.get(name, "").strip() for name in _DETAILS}
    errors = {name: f"Enter your {words}." for name, words in _DETAILS.items() if not typed[name]}
    if "email" not in errors and not is_email(typed["email"]):
        errors["email"] = "This is no e-mail address."
    if errors:
        return _page(visit, basket, await basket.current_quote(), errors)
    await basket.set_customer(_person(**typed))
    return visit.go(f"/basket/{basket.order}")


async def answers(visit: Visit) -> Response:
    """Take the answers to the questions about attendees and of intake forms."""
    basket = await _open(visit)
    questions = basket.contents.questions
    filled = read_form(questions, visit.form)
    try:
        quote = await basket.answer(filled.answers)
    except AnswersError as fault:
        errors = filled.missing | field_errors(questions, fault.faults)
        return _page(visit, basket, await basket.current_quote(), errors)
    if filled.missing:
        return _page(visit, basket, quote, filled.missing)
    return visit.go(f"/basket/{basket.order}{'/pay' if quote.is_bookable else ''}")


async def remove(visit: Visit) -> Response:
    """Remove an item. Without its last item the basket is deleted, which gives its spaces back at once."""
    basket = await _open(visit)
    position = visit.form.get("position", "")
    wanted = next((number for number in basket.contents.items if str(number) == position), None)
    if wanted is not None and len(basket.contents.items) > 1:
        await basket.remove(wanted)
        return visit.go(f"/basket/{basket.order}")
    await basket.delete()
    return visit.go("/")


async def pay(visit: Visit) -> Response:
    """Show the pretended payment page."""
    basket = await _open(visit)
    try:
        quote = await basket.current_quote()
    except WrongStateError:
        return visit.go(f"/bookings/{visit.order}")
    if not quote.is_bookable or basket.contents.customer is None:
        return visit.go(f"/basket/{basket.order}")
    return _pay_page(visit, basket, quote)


async def book(visit: Visit) -> Response:
    """Book and pay. If the organiser must approve, send the request, which costs nothing yet."""
    basket, card = await _open(visit), visit.form.get("card", "")
    try:
        quote = await basket.current_quote()
        due = quote.reply.total_payment_due
        if due and visit.form.get("total") != str(due.price):
            return _pay_page(visit, basket, quote, PRICE_CHANGED)
        if quote.needs_payment and card not in CARDS:
            return _pay_page(visit, basket, quote, errors={"card": "Choose a card."})
        send = basket.propose if quote.requires_approval else basket.book
        await send(card, pays=quote.needs_payment)
    except (UnfinishedError, WrongStateError):
        # The page of the booking says what has become of it, or that this is not known yet.
        pass
    except (PaymentError, PriceChangedError) as fault:
        errors = {"card": str(fault)} if isinstance(fault, PaymentError) else {}
        return _pay_page(visit, basket, await basket.quote(), explain(fault), errors)
    except (AnswersError, ItemsRefusedError) as fault:
        questions = basket.contents.questions
        found = fault.faults if isinstance(fault, AnswersError) else faults_in(fault, questions)
        return _page(visit, basket, await basket.quote(), field_errors(questions, found))
    return visit.go(f"/bookings/{basket.order}")


def _person(given_name: str, family_name: str, email: str) -> Person:
    return Person(given_name=given_name, family_name=family_name, email=email)


async def _open(visit: Visit) -> AsyncBasket:
    return await visit.broker.open_basket(visit.order, visit.customer)


def _page(visit: Visit, basket: AsyncBasket, quote: Quote, errors: Mapping[str, str] | None = None) -> Response:
    return visit.page(
        "basket.html",
        problem=_REFUSED if quote.refusals else _WRONG if errors else None,
        errors=errors or {},
        order=basket.order,
        quote=quote,
        customer=basket.contents.customer,
        typed={**dict.fromkeys(_DETAILS, ""), **visit.form},
        fields=form_fields(quote.questions, basket.contents.answers, visit.form),
        kinds=QuestionKind,
    )


def _pay_page(
    visit: Visit,
    basket: AsyncBasket,
    quote: Quote,
    problem: Explanation | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    return visit.page(
        "pay.html",
        problem=problem or (_WRONG if errors else None),
        errors=errors or {},
        order=basket.order,
        quote=quote,
        cards=CARDS,
        chosen=visit.form.get("card", ""),
    )
