"""The options that the commands of a Broker share, and the client that they use."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbooking.cli.faults import CommandError
from openbooking.cli.output import show_aside
from openbooking.cli.values import amount_option, day_option
from openbooking.openactive.errors import BrokerError, OpenBookingError, Retry
from openbooking.openactive.terms import FlowRequirement

if TYPE_CHECKING:
    from openbooking.broker import Broker, Charge, Hit, Near, Pause, Payments

# All baskets and Orders of the commands belong to one Customer.
CUSTOMER_KEY = "command line"

Url = Annotated[
    str, typer.Argument(help="The URL of the dataset site, such as https://booking.example.com/openactive.")
]
ApiKeyOption = Annotated[
    str, typer.Option(envvar="BROKER_API_KEY", show_default=False, help="The API key, which the Booking System gives.")
]
DatabaseFile = Annotated[str, typer.Option("--database", help="The SQLite file, or the postgresql:// URL.")]
DATABASE = "broker.sqlite3"

Activity = Annotated[str | None, typer.Option(help="The name or the URI of an activity or facility type.")]
Text = Annotated[str | None, typer.Option(help="Words in the name.")]
Day = Annotated[date | None, day_option("The day of the start.")]
NearOption = Annotated[
    str | None, typer.Option("--near", metavar="LAT,LON,KM", help="A place and the greatest distance from it.")
]
Spaces = Annotated[int, typer.Option(min=1, max=50, help="The number of spaces.")]
MostPrice = Annotated[Decimal | None, amount_option("The highest price.")]

IdOption = Annotated[str | None, typer.Option("--id", help="The @id of one Opportunity, in place of a search.")]
# All flows of the specification.
REQUIREMENTS = frozenset(requirement.value for requirement in FlowRequirement)

_RETRIES = {
    Retry.NEVER: "The same request will fail again.",
    Retry.SAME_UUID: "The same command can succeed later.",
    Retry.NEW_UUID: "The command can succeed if it begins again with another Order.",
}


@contextmanager
def opened(url: str, api_key: str, database: str, *, payments: "Payments | None" = None) -> Iterator["Broker"]:
    """Open a Broker, and report its errors in one line, with the id of the request and whether a repeat can help.

    Each pause before something is tried again is told on standard error.

    Args:
        url: The URL of the dataset site.
        api_key: The API key; empty for requests that need none.
        database: The location of the Broker's database.
        payments: The hooks of payment.
    """
    from openbooking.broker import (  # noqa: PLC0415 - slow to load
        ApiKey,
        Broker,
        BrokerOptions,
        FixedHeaders,
        Organization,
    )

    access = ApiKey(api_key) if api_key else FixedHeaders()
    try:
        with Broker(
            url,
            access=access,
            database=database,
            organization=Organization(name="openbooking broker"),
            payments=payments,
            options=BrokerOptions(on_pause=_tell),
        ) as broker:
            yield broker
    except BrokerError as fault:
        raise CommandError(" ".join((in_words(fault), *_advice(fault, api_key)))) from fault


def _tell(pause: "Pause") -> None:
    """Tell why a command waits."""
    show_aside(f"{pause.reason} Trying again in {pause.seconds:.0f} s.")


def _advice(fault: Exception, api_key: str) -> Iterator[str]:
    """Yield what the caller can do."""
    from openbooking.broker import DiscoveryError, FeedError, NoAnswerError  # noqa: PLC0415 - slow to load

    if isinstance(fault, DiscoveryError) and not isinstance(fault.__cause__, NoAnswerError):
        yield "The URL must be that of a dataset site, such as https://booking.example.com/openactive."
    elif not api_key and isinstance(fault, (FeedError, OpenBookingError)):
        yield "No API key was given: see --api-key."


def in_words(fault: Exception) -> str:
    """Return an error with the id of its request, and whether a repeat can help."""
    parts = [str(fault)]
    if isinstance(fault, BrokerError) and fault.request_id:
        parts.append(f"The request was {fault.request_id}.")
    if isinstance(fault, BrokerError) and fault.reply_status:
        parts.append(_RETRIES[fault.retry])
    return " ".join(parts)


def read_near(text: str | None) -> "Near | None":
    """Return the circle that a text such as `51.75,-1.25,5` names."""
    if text is None:
        return None
    from openbooking.broker import Near  # noqa: PLC0415 - slow to load

    try:
        latitude, longitude, km = map(float, text.split(","))
    except ValueError:
        latitude = longitude = km = float("nan")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and 0 < km <= 20_000):  # noqa: PLR2004 - degrees
        raise typer.BadParameter(
            f"{text!r} is no place with a distance in km, such as 51.75,-1.25,5.", param_hint="'--near'"
        )
    return Near(latitude, longitude, km)


def find_hits(broker: "Broker", id_: str | None = None, **terms: Any) -> "list[Hit]":
    """Return what can be booked by all flows of the specification: one Opportunity, or by terms of a search.

    Args:
        broker: The client.
        id_: The `@id` of the Opportunity; None for a search.
        terms: The terms of the search.
    """
    if id_ is None:
        return broker.search(**{"bookable": True, "requirements": REQUIREMENTS, **terms})
    hit = broker.find(id_, REQUIREMENTS)
    if hit is None:
        raise CommandError(
            f"{id_} was not found. `openbooking broker harvest` with the same URL reads what can be found."
        )
    if not hit.offers:
        raise CommandError(f"{hit.name or id_} cannot be booked now: it is full, over, or not open for booking.")
    return [hit]


class PretendedPayment:
    """Hooks of payment that take no money, for `--pretend-payment`."""

    def authorise(self, charge: "Charge") -> str:
        """Return an id by which people see that nothing was paid."""
        return f"pretended-{charge.payment}"

    def capture(self, charge: "Charge") -> None:
        """Take no money."""

    def void(self, charge: "Charge") -> None:
        """Release nothing."""

    def refund(self, charge: "Charge") -> None:
        """Pay nothing back."""
