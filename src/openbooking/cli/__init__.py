"""The `openbooking` command.

Each package has the subcommands of one subject. `database` also has `migrate` and `settings`; the other modules have
what several subcommands use.
"""

from typing import Annotated

import typer

from openbooking.cli.about import show_version
from openbooking.cli.accounts.access_requests import access_requests
from openbooking.cli.accounts.partners import partners
from openbooking.cli.accounts.registration_tokens import registration_tokens
from openbooking.cli.accounts.sellers import sellers
from openbooking.cli.accounts.signing_keys import signing_keys
from openbooking.cli.accounts.users import users
from openbooking.cli.bookings.activity_log import log
from openbooking.cli.bookings.booking_imports import import_bookings
from openbooking.cli.bookings.occurrences import occurrences
from openbooking.cli.bookings.orders import orders
from openbooking.cli.bookings.persons import persons
from openbooking.cli.bookings.proposals import proposals
from openbooking.cli.bookings.sales import sales
from openbooking.cli.broker.commands import broker
from openbooking.cli.database import migrate, settings
from openbooking.cli.examples import add_examples
from openbooking.cli.faults import OneLineFaults
from openbooking.cli.operations.backup import backup
from openbooking.cli.operations.certificate import certificate
from openbooking.cli.operations.check import check
from openbooking.cli.operations.demo import demo
from openbooking.cli.operations.doctor import doctor
from openbooking.cli.operations.feeds import feeds
from openbooking.cli.operations.imports import import_
from openbooking.cli.operations.openapi import openapi
from openbooking.cli.operations.sandbox import sandbox
from openbooking.cli.operations.serve import serve
from openbooking.cli.timetable.commands import timetable

app = typer.Typer(
    cls=OneLineFaults,
    help="A Booking System for the OpenActive Open Booking API 1.0.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)
app.command()(demo)
app.command()(sandbox)
app.command("import")(import_)
app.command()(import_bookings)
app.command()(migrate)
app.command()(backup)
app.command()(certificate)
app.command()(check)
app.command()(doctor)
app.command()(settings)
app.command()(openapi)
app.command()(sales)
app.command()(log)
app.add_typer(orders, name="order")
app.add_typer(proposals, name="proposal")
app.add_typer(occurrences, name="occurrence")
app.add_typer(timetable, name="timetable")
app.add_typer(feeds, name="feed")
app.add_typer(sellers, name="seller")
app.add_typer(partners, name="partner")
app.add_typer(users, name="user")
app.add_typer(persons, name="person")
app.add_typer(access_requests, name="access-request")
app.add_typer(registration_tokens, name="registration-token")
app.add_typer(broker, name="broker")
app.add_typer(signing_keys, name="signing-key")
add_examples(app)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", help="With --version: also show what a report of a fault needs, with settings but no secrets."
        ),
    ] = False,
) -> None:
    """A Booking System for the OpenActive Open Booking API 1.0."""
    if version:
        show_version(verbose=verbose)
        raise typer.Exit
    if verbose:
        raise typer.BadParameter("It goes with --version only.", param_hint="'--verbose'")
    if context.invoked_subcommand is None:
        context.fail("Missing command.")
