"""`openbooking broker quote`, `book`, `orders` and `cancel`."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import typer

from openbooking.cli.broker.finding import show_rows, start_of
from openbooking.cli.broker.options import (
    CUSTOMER_KEY,
    DATABASE,
    Activity,
    ApiKeyOption,
    DatabaseFile,
    Day,
    IdOption,
    MostPrice,
    NearOption,
    PretendedPayment,
    Spaces,
    Text,
    Url,
    find_hits,
    opened,
    read_near,
)
from openbooking.cli.faults import MISUSE, CommandError
from openbooking.cli.listing import Json
from openbooking.cli.output import ask, can_ask, confirm, show, show_aside, show_json
from openbooking.cli.values import email_option, read_email

if TYPE_CHECKING:
    from openbooking.broker import Basket, Booking, Broker, Choice, Hit, Question, Quote

HitOption = Annotated[int, typer.Option("--hit", min=1, max=1_000, help="Which hit of the search.")]
OfferOption = Annotated[str, typer.Option(help="The @id of the Offer.", show_default="the first one")]
Email = Annotated[str | None, email_option("The e-mail address of the Customer.")]
GivenName = Annotated[str, typer.Option(help="The first name of the Customer.", show_default=False)]
FamilyName = Annotated[str, typer.Option(help="The last name of the Customer.", show_default=False)]
Answers = Annotated[
    list[str] | None,
    typer.Option(
        "--answer", metavar="POSITION.KEY=VALUE", help="An answer to a question that `quote` shows; may be repeated."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]


class _Wanted(NamedTuple):
    """What to book: one Opportunity or a hit of a search, an Offer of it, and the number of spaces."""

    id: str | None
    terms: Mapping[str, Any]
    hit: int
    offer: str
    spaces: int

    def find(self, broker: "Broker") -> "Hit":
        """Return the hit."""
        hits = find_hits(broker, self.id, **self.terms, spaces=self.spaces, limit=self.hit)
        if len(hits) < self.hit:
            hint = "`openbooking broker harvest` with the same URL reads what can be found."
            raise CommandError(f"The search has {len(hits)} hits. `openbooking broker search` shows them. {hint}")
        return hits[-1]

    def choices(self, hit: "Hit") -> "list[Choice]":
        """Return the choices of the spaces."""
        from openbooking.broker import Choice  # noqa: PLC0415 - slow to load

        offer = self.offer or hit.offer_id
        if offer not in {each.id for each in hit.offers}:
            raise CommandError(f"{hit.name} has no Offer {offer} that can be booked.")
        return [Choice(hit.id, offer, hit.seller_id)] * self.spaces


def quote(  # noqa: PLR0913 - one parameter for each option
    url: Url,
    *,
    api_key: ApiKeyOption = "",
    activity: Activity = None,
    text: Text = None,
    day: Day = None,
    near: NearOption = None,
    max_price: MostPrice = None,
    id_: IdOption = None,
    hit: HitOption = 1,
    offer: OfferOption = "",
    spaces: Spaces = 1,
    database: DatabaseFile = DATABASE,
    json: Json = False,
) -> None:
    """Ask for the price of a hit, and what must be asked (C1). Nothing is held or booked."""
    wanted = _Wanted(id_, _terms(activity, text, day, near, max_price), hit, offer, spaces)
    with opened(url, api_key, database) as broker:
        what = wanted.find(broker)
        basket = broker.basket(wanted.choices(what), customer_key=CUSTOMER_KEY)
        found = basket.quote()
    if json:
        show_json(msgspec.json.encode(found.reply).decode())
    else:
        show_rows(("What", "Value"), [("what", _named(what, spaces)), *_about(found)])
    if found.faults:
        raise typer.Exit(1)


def book(  # noqa: PLR0913 - one parameter for each option
    url: Url,
    *,
    api_key: ApiKeyOption = "",
    activity: Activity = None,
    text: Text = None,
    day: Day = None,
    near: NearOption = None,
    max_price: MostPrice = None,
    id_: IdOption = None,
    hit: HitOption = 1,
    offer: OfferOption = "",
    spaces: Spaces = 1,
    email: Email = None,
    given_name: GivenName = "",
    family_name: FamilyName = "",
    answer: Answers = None,
    pretend_payment: Annotated[
        bool, typer.Option("--pretend-payment", help="Tell the Seller that an amount was paid. No money is taken.")
    ] = False,
    yes: Yes = False,
    database: DatabaseFile = DATABASE,
    json: Json = False,
) -> None:
    """Book a hit for a Customer; asks for names that are not given, and before it books.

    An Order that costs something needs --pretend-payment, because this command takes no money. If the Seller must
    approve, the Order is proposed.
    """
    from openbooking.broker import Person  # noqa: PLC0415 - slow to load

    wanted = _Wanted(id_, _terms(activity, text, day, near, max_price), hit, offer, spaces)
    payments = PretendedPayment() if pretend_payment else None
    with opened(url, api_key, database, payments=payments) as broker:
        what = wanted.find(broker)
        basket = broker.basket(wanted.choices(what), customer_key=CUSTOMER_KEY)
        # C1 tells whether it costs something, before the Customer is asked for names.
        _check_payment(basket.quote(), pretends=pretend_payment)
        given = {"--email": email, "--given-name": given_name, "--family-name": family_name, "--yes": yes}
        with _instead_of_asking(option for option, value in given.items() if not value):
            customer = Person(
                email=email or ask("E-mail address", read_email),
                given_name=given_name or ask("First name"),
                family_name=family_name or ask("Last name"),
            )
        try:
            found = basket.set_customer(customer)
            if answer:
                found = basket.answer(_read_answers(answer, found.questions))
            _check(found)
            _check_payment(found, pretends=pretend_payment)
            _ask_to(f"Book {_named(what, spaces)} for {_price(found)}", yes=yes)
        except BaseException:
            # The spaces that C2 holds are given back.
            basket.delete()
            raise
        _book(basket, found, json=json)


def orders(url: Url, *, api_key: ApiKeyOption = "", database: DatabaseFile = DATABASE, json: Json = False) -> None:
    """Finish what was left unfinished, read the Orders feeds, and show what changed and all Orders."""
    with opened(url, api_key, database, payments=PretendedPayment()) as broker:
        broker.recover()
        _show_changes(broker)
        bookings = broker.bookings(CUSTOMER_KEY)
        if json:
            for booking in bookings:
                if version := broker.latest(booking.order, CUSTOMER_KEY):
                    show_json(msgspec.json.encode(version).decode())
    if not json:
        rows = [row for booking in bookings for row in _rows_of(booking)]
        show_rows(("Order", "Status", "What", "Start", "Price", "Paid", "Item"), rows)


def _rows_of(booking: "Booking") -> "Iterator[tuple[str, ...]]":
    """Yield a row for each item of a booking. A basket that was only quoted has none."""
    from openbooking.broker import BookingState, day_and_time, money_text  # noqa: PLC0415 - slow to load

    if booking.state is BookingState.BASKET:
        return
    paid = ""
    if booking.paid:
        left = booking.paid - booking.refunded
        paid = money_text(left, booking.currency) if left else "refunded"
    state = f"{booking.state}: {booking.under_way}" if booking.under_way else booking.state.value
    if not booking.items:
        yield str(booking.order), state, "", "", "", paid, ""
    for item in booking.items:
        # The status of an item says more than that of its Order.
        is_order = booking.state in {BookingState.BOOKED, BookingState.CANCELLED}
        status = item.status if is_order and item.status else state
        price = "" if item.price is None else money_text(item.price, item.currency)
        start = day_and_time(item.start) if item.start else ""
        yield str(booking.order), status, item.name, start, price, paid, item.key


def _show_changes(broker: "Broker") -> None:
    """Show what changed. Orders that another database of the Broker has made are counted only."""
    from openbooking.broker import UnknownOrder, change_text  # noqa: PLC0415 - slow to load

    unknown = 0
    for change in broker.changes():
        if isinstance(change, UnknownOrder):
            unknown += 1
        elif text := change_text(change) or (type(change).__name__ if change.is_serious else ""):
            show_aside(f"{change.order}: {text}")
    if unknown:
        show_aside(f"{unknown} Orders in the feeds of this Broker were not made with this database.")


def cancel(  # noqa: PLR0913 - one parameter for each option
    url: Url,
    order: Annotated[uuid.UUID, typer.Argument(help="The UUID of the Order.")],
    *,
    item: Annotated[list[str] | None, typer.Option(help="The @id of an item; may be repeated.")] = None,
    api_key: ApiKeyOption = "",
    yes: Yes = False,
    database: DatabaseFile = DATABASE,
) -> None:
    """Cancel items of an Order for its Customer, by default all of them; asks first. A proposal is rejected."""
    with opened(url, api_key, database, payments=PretendedPayment()) as broker:
        version = broker.latest(order, CUSTOMER_KEY)
        if version is None:
            raise CommandError(f"{order} is no Order that can be cancelled.")
        items = item or [each.id for each in version.ordered_item if each.id]
        is_proposal = version.type == "OrderProposal"
        what = "the OrderProposal" if is_proposal else f"{len(items)} items"
        _ask_to(f"Cancel {what} of {order}", yes=yes)
        if is_proposal:
            broker.reject_proposal(order, CUSTOMER_KEY)
        else:
            broker.cancel(order, CUSTOMER_KEY, items)
    show(f"Cancelled {what} of {order}.")


def _ask_to(action: str, *, yes: bool) -> None:
    """Ask before an action, unless --yes is given."""
    if yes:
        return
    with _instead_of_asking(["--yes"]):
        is_confirmed = confirm(f"{action}?")
    if not is_confirmed:
        raise typer.Abort


@contextmanager
def _instead_of_asking(options: Iterable[str]) -> Iterator[None]:
    """Name the options that are missing if a question of the block cannot be answered, because nobody is there."""
    try:
        yield
    except typer.Abort as fault:
        if can_ask():
            raise
        raise CommandError(f"There is no terminal to ask at: give {', '.join(options)}.", MISUSE) from fault


def _terms(activity: Any, text: Any, day: Any, near: str | None, max_price: Any) -> Mapping[str, Any]:
    place = read_near(near)
    sort = "distance" if place else "start"
    return {"activity": activity, "text": text, "day": day, "near": place, "max_price": max_price, "sort": sort}


def _named(hit: "Hit", spaces: int) -> str:
    """Return what is booked, such as `Yoga, 2026-12-03 10:00, 2 spaces`."""
    count = "1 space" if spaces == 1 else f"{spaces} spaces"
    return f"{hit.name}, {start_of(hit)}, {count}"


def _about(found: "Quote") -> Iterator[tuple[str, str]]:
    """Yield what people need to know of a quote."""
    yield "price", _price(found)
    if found.lease_expires:
        yield "held until", found.lease_expires.isoformat()
    if found.requires_approval:
        yield "approval", "The Seller must approve."
    for question in found.questions:
        yield "question", _asked(question)
    for fault in found.faults:
        yield f"error of item {fault.position}", fault.description or fault.type


def _asked(question: "Question") -> str:
    options = f" ({', '.join(question.options)})" if question.options else ""
    needed = "needed" if question.required else "optional"
    return f"{question.position}.{question.key}: {question.label}{options}, {question.kind.value}, {needed}"


def _price(found: "Quote") -> str:
    return "a price that is not stated" if found.total is None else f"{found.total:.2f} {found.currency}".strip()


def _read_answers(given: Iterable[str], questions: "Iterable[Question]") -> dict[int, dict[str, Any]]:
    """Return answers such as `0.givenName=Sam`, by position and key. A key may be the end of its URI."""
    from openbooking.broker import read_text  # noqa: PLC0415 - slow to load

    known = list(questions)
    answers: dict[int, dict[str, Any]] = {}
    for text in given:
        question, value = _find_question(text, known)
        answers.setdefault(question.position, {})[question.key] = read_text(question, value)
    return answers


def _find_question(text: str, questions: "Iterable[Question]") -> "tuple[Question, str]":
    for question in questions:
        for key in (question.key, question.key.rpartition("/")[2]):
            start = f"{question.position}.{key}="
            if text.startswith(start):
                return question, text.removeprefix(start)
    raise typer.BadParameter(
        f"{text!r} answers no question. `openbooking broker quote` shows the questions.", param_hint="'--answer'"
    )


def _check(found: "Quote") -> None:
    """Raise an error if a required answer is missing, or if the Booking System refuses an item."""
    missing = "; ".join(_asked(question) for question in found.unanswered)
    if missing:
        raise CommandError(f"Answer with --answer: {missing}.")
    if found.faults:
        faults = "; ".join(f"item {fault.position}: {fault.description or fault.type}" for fault in found.faults)
        raise CommandError(f"The Booking System refuses it: {faults}.")


def _check_payment(found: "Quote", *, pretends: bool) -> None:
    """Raise an error if an amount must be paid and no payment is pretended."""
    if found.needs_payment and not pretends:
        raise CommandError(f"It costs {_price(found)}, and this command takes no money. See --pretend-payment.")


def _book(basket: "Basket", found: "Quote", *, json: bool) -> None:
    done = basket.propose if found.requires_approval else basket.book
    booked = done(pays=found.needs_payment)
    if json:
        show_json(msgspec.json.encode(booked.reply).decode())
    elif found.requires_approval:
        show(f"Proposed as {booked.order}. `openbooking broker orders` shows whether the Seller has approved.")
    else:
        show(f"Booked as {booked.order} for {_price(found)}.")
