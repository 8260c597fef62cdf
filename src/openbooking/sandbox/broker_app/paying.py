"""The basket: what is in it, who comes, what must be asked, and the pretended payment."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from openbooking.broker import (
    AnswersError,
    AsyncBasket,
    ItemsRefusedError,
    PaymentError,
    Person,
    PriceChangedError,
    Question,
    QuestionKind,
    Quote,
    UnfinishedError,
    WrongStateError,
    faults_in,
    read_text,
)
from openbooking.openactive.contact_details import is_email

from .payments import CARDS
from .views import lines_of_quote
from .visits import Visit
from .words import PRICE_CHANGED, Problem, problem_of, refusals

_DETAILS = {"given_name": "first name", "family_name": "last name", "email": "e-mail address"}


async def show(visit: Visit) -> Response:
    """Show the basket, with the price and the time until which the spaces are held."""
    if await _is_over(visit):
        return visit.go(f"/bookings/{visit.order}")
    basket = await visit.broker.open_basket(visit.order, visit.customer)
    return _page(visit, basket, await _quote(visit, basket))


async def details(visit: Visit) -> Response:
    """Take the name and the e-mail address of the Customer."""
    basket = await visit.broker.open_basket(visit.order, visit.customer)
    typed = {name: visit.form.get(name, "").strip() for name in _DETAILS}
    errors = {name: f"Enter your {words}." for name, words in _DETAILS.items() if not typed[name]}
    if "email" not in errors and not is_email(typed["email"]):
        errors["email"] = "This is no e-mail address."
    if errors:
        return _page(visit, basket, await _quote(visit, basket), errors=errors, typed=typed)
    await basket.set_customer(_person(typed))
    return visit.go(f"/basket/{basket.order}")


async def answers(visit: Visit) -> Response:
    """Take the answers to the questions about attendees and of intake forms."""
    basket = await visit.broker.open_basket(visit.order, visit.customer)
    given: dict[int, dict[str, Any]] = {}
    missing = {}
    for number, question in enumerate(basket.contents.questions):
        answer = read_text(question, visit.form.get(f"q{number}", ""))
        given.setdefault(question.position, {})[question.key] = answer
        if question.required and answer is None:
            missing[f"q{number}"] = "An answer is needed."
    try:
        quote = await basket.answer(given)
    except AnswersError as fault:
        wrong = {_field(basket, each.question): each.message for each in fault.faults}
        return _page(visit, basket, await _quote(visit, basket), errors={**missing, **wrong}, typed=visit.form)
    if missing:
        return _page(visit, basket, quote, errors=missing, typed=visit.form)
    return visit.go(f"/basket/{basket.order}{'/pay' if quote.is_bookable else ''}")


async def remove(visit: Visit) -> Response:
    """Remove an item. Without its last item the basket is deleted, which gives its spaces back at once."""
    basket = await visit.broker.open_basket(visit.order, visit.customer)
    position = visit.form.get("position", "")
    wanted = int(position) if position.isdecimal() and len(position) < len("1000") else -1
    if wanted in basket.contents.items and len(basket.contents.items) > 1:
        await basket.remove(wanted)
        return visit.go(f"/basket/{basket.order}")
    await basket.delete()
    return visit.go("/")


async def pay(visit: Visit) -> Response:
    """Show the pretended payment page."""
    if await _is_over(visit):
        return visit.go(f"/bookings/{visit.order}")
    basket = await visit.broker.open_basket(visit.order, visit.customer)
    quote = await _quote(visit, basket)
    if not quote.is_bookable or basket.contents.customer is None:
        return visit.go(f"/basket/{basket.order}")
    return _pay_page(visit, quote)


async def book(visit: Visit) -> Response:
    """Book and pay. If the organiser must approve, send the request, which costs nothing yet."""
    if await _is_over(visit):
        return visit.go(f"/bookings/{visit.order}")
    basket = await visit.broker.open_basket(visit.order, visit.customer)
    quote, card = await _quote(visit, basket), visit.form.get("card", "")
    if again := _ask_again(visit, quote, card):
        return again
    send = basket.propose if quote.requires_approval else basket.book
    try:
        await send(card, pays=quote.needs_payment)
    except (UnfinishedError, WrongStateError):
        # The page of the booking says that the outcome is not known yet.
        return visit.go(f"/bookings/{basket.order}")
    except (PaymentError, PriceChangedError) as fault:
        errors = {"card": str(fault)} if isinstance(fault, PaymentError) else {}
        return _pay_page(visit, await _quote(visit, basket), problem_of(fault), errors)
    except (AnswersError, ItemsRefusedError) as fault:
        return await _refused(visit, basket, fault)
    return visit.go(f"/bookings/{basket.order}")


def _ask_again(visit: Visit, quote: Quote, card: str) -> Response | None:
    """Return the payment page if the Customer has seen another price, or has chosen no card."""
    due = quote.reply.total_payment_due
    if due and visit.form.get("total") != str(due.price):
        return _pay_page(visit, quote, PRICE_CHANGED)
    if quote.needs_payment and card not in CARDS:
        return _pay_page(visit, quote, errors={"card": "Choose a card."})
    return None


async def _refused(visit: Visit, basket: AsyncBasket, fault: AnswersError | ItemsRefusedError) -> Response:
    """Show the basket with what is wrong with its answers and its items."""
    found = fault.faults if isinstance(fault, AnswersError) else faults_in(fault, basket.contents.questions)
    errors = {_field(basket, each.question): each.message for each in found}
    return _page(visit, basket, await _quote(visit, basket), errors=errors)


def _person(typed: Mapping[str, str]) -> Person:
    return Person(given_name=typed["given_name"], family_name=typed["family_name"], email=typed["email"])


async def _quote(visit: Visit, basket: AsyncBasket) -> Quote:
    """Return a quote, and remember what it describes."""
    quote = await basket.quote()
    items = quote.reply.ordered_item
    visit.parts.storage.remember(thing for item in items for thing in (item.ordered_item, item.accepted_offer))
    return quote


async def _is_over(visit: Visit) -> bool:
    """Return whether the basket was booked, proposed or is being booked."""
    if any(each.order == visit.order for each in await visit.broker.unfinished()):
        return True
    return await visit.broker.latest(visit.order, visit.customer) is not None


def _page(  # noqa: PLR0913 - the parts of a page
    visit: Visit,
    basket: AsyncBasket,
    quote: Quote,
    problem: Problem | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    customer = basket.contents.customer
    faults = refusals(quote.faults)
    if faults and problem is None:
        problem = Problem("A part of your basket cannot be booked. See below.", 409)
    if errors and problem is None:
        problem = Problem("Please correct what is marked below.", 422)
    questions = [
        (f"q{number}", question, _shown(question, basket, typed)) for number, question in enumerate(quote.questions)
    ]
    return visit.page(
        "basket.html",
        problem=problem,
        errors=dict(errors or {}),
        order=basket.order,
        quote=quote,
        lines=lines_of_quote(quote.reply.ordered_item, faults, visit.parts.storage.whole),
        customer=customer,
        typed={**dict.fromkeys(_DETAILS, ""), **(typed or {})},
        questions=questions,
        kinds=QuestionKind,
    )


def _pay_page(
    visit: Visit, quote: Quote, problem: Problem | None = None, errors: Mapping[str, str] | None = None
) -> Response:
    if errors and problem is None:
        problem = Problem("Please correct what is marked below.", 422)
    return visit.page(
        "pay.html",
        problem=problem,
        errors=dict(errors or {}),
        order=visit.order,
        quote=quote,
        cards=CARDS,
        chosen=visit.form.get("card", ""),
    )


def _field(basket: AsyncBasket, question: Question) -> str:
    """Return the name of the field of a question."""
    return f"q{basket.contents.questions.index(question)}" if question in basket.contents.questions else ""


def _shown(question: Question, basket: AsyncBasket, typed: Mapping[str, str] | None) -> str:
    """Return what stands in the field of a question: what was typed, or the known answer."""
    index = _field(basket, question)
    known = basket.contents.answers.get(question.position, {}).get(question.key)
    if typed is not None and index in typed:
        return typed[index]
    return {True: "yes", False: "no", None: ""}.get(known, str(known))
