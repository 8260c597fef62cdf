"""`openbooking seller`: add, list and change Sellers."""

from enum import StrEnum
from typing import Annotated

import typer

from openbooking.booking.commands.opportunities.add_seller import SellerDetails, add_seller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.cli.database import with_system
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.cli.values import email_option, read_colour, read_country, read_vat_number, web_address_option
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import TaxMode

sellers = typer.Typer(help="Add, list and change Sellers.", no_args_is_help=True)


class TaxModeOption(StrEnum):
    """The names of tax modes on the command line."""

    NET = "net"
    GROSS = "gross"


_TAX_MODES = {TaxModeOption.NET: TaxMode.NET, TaxModeOption.GROSS: TaxMode.GROSS}
ADMINISTRATOR = Actor(ActorKind.ADMINISTRATOR, "seller add")


@sellers.command("add")
def add(  # noqa: PLR0913 - one parameter for each detail that Orders must show of a Seller
    key: Annotated[str, typer.Argument(help="The last part of the Seller's @id.")],
    *,
    name: Annotated[str, typer.Option(help="The name that Customers know.")],
    legal_name: Annotated[str, typer.Option(help="The legal name.")],
    tax_mode: Annotated[TaxModeOption, typer.Option(help="Whether prices are without tax (net) or with tax (gross).")],
    email: Annotated[str, email_option("The e-mail address for Customers.")],
    url: Annotated[str, web_address_option("The Seller's own site.")],
    street: Annotated[str, typer.Option(help="Street and number.")],
    locality: Annotated[str, typer.Option(help="Town.")],
    region: Annotated[str, typer.Option(help="County.")],
    postcode: Annotated[str, typer.Option(help="Postcode.")],
    country: Annotated[
        str, typer.Option(parser=read_country, metavar="CODE", help="The country, by its two letters in ISO 3166.")
    ] = "GB",
    telephone: Annotated[str | None, typer.Option(help="The telephone number for Customers.")] = None,
    vat_id: Annotated[
        str | None,
        typer.Option(parser=read_vat_number, metavar="NUMBER", help="The VAT number, such as GB123456789."),
    ] = None,
    vat: Annotated[
        VatTreatment | None,
        typer.Option(
            help="The VAT treatment of the Offers that are imported for the Seller.",
            show_default="standard with --vat-id, else outside-scope",
        ),
    ] = None,
    logo: Annotated[str | None, web_address_option("The web address of a picture.")] = None,
    terms: Annotated[str | None, web_address_option("The web address of the terms of service.")] = None,
    colour: Annotated[
        str | None,
        typer.Option(
            parser=read_colour,
            metavar="COLOUR",
            help="The colour of the pages for its staff, such as #0b5d4e.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the Seller with this key. A detail that is not given is removed.")
    ] = False,
    database: Database = None,
) -> None:
    """Add a Seller, or replace one and rewrite the feed items that show it.

    If the command is interrupted while it replaces a Seller, run it again.
    """
    details = SellerDetails(
        key=key,
        name=name,
        legal_name=legal_name,
        tax_mode=_TAX_MODES[tax_mode],
        email=email,
        url=url,
        street=street,
        locality=locality,
        region=region,
        postcode=postcode,
        country=country,
        telephone=telephone,
        vat_id=vat_id,
        vat=vat,
        logo=logo,
        terms=terms,
        colour=colour,
    )
    shown = with_system(
        database,
        lambda system: add_seller(system.store, details, ADMINISTRATOR, replaces=replace),
        writes_feeds=replace,
        makes_new=not replace,
    )
    if shown is None:
        show(f"Added Seller {key}.")
        show_aside(f"Add its manager with `openbooking user add NAME --seller {key}`.")
    else:
        show(f"Replaced Seller {key}, and wrote {shown:,} feed items that show the Seller again.")


@sellers.command("list")
def list_sellers(database: Database = None) -> None:
    """List the Sellers, one a line: key, name, tax mode."""
    names = {mode: option for option, mode in _TAX_MODES.items()}
    for seller in with_system(database, lambda system: system.store.sellers()):
        show(seller.key, seller.name, names[seller.tax_mode])
