"""The group of commands `openbooking broker`."""

import typer

from openbooking.cli.broker.booking import book, cancel, orders, quote
from openbooking.cli.broker.finding import discover, harvest, search

broker = typer.Typer(help="Find and book at any Booking System, as a Broker does.", no_args_is_help=True)
broker.command()(discover)
broker.command()(harvest)
broker.command()(search)
broker.command()(quote)
broker.command()(book)
broker.command()(orders)
broker.command()(cancel)
