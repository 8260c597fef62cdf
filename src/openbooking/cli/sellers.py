"""`openbooking seller`: who sells."""

from enum import StrEnum
from typing import Annotated

import typer

from openbooking.booking.commands.republish import publish_seller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.store import Store
from openbooking.cli.database import with_store
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show
from openbooking.openactive.ids import is_key
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.terms import TaxMode
from openbooking.openactive.web_addresses import is_web_address

sellers = typer.Typer(help="Who sells.", no_args_is_help=True)


class TaxModeOption(StrEnum):
    """How tax modes are called on the command line."""

    NET = "net"
    GROSS = "gross"


_TAX_MODES = {TaxModeOption.NET: TaxMode.NET, TaxModeOption.GROSS: TaxMode.GROSS}
ADMINISTRATOR = Actor(ActorKind.ADMINISTRATOR, "seller add")


@sellers.command("add")
def add(  # noqa: PLR0913 - one parameter for each thing that Orders must tell about a Seller
    key: Annotated[str, typer.Argument(help="The last part of the Seller's @id.")],
    *,
    name: Annotated[str, typer.Option(help="The name Customers know.")],
    legal_name: Annotated[str, typer.Option(help="The name in law.")],
    tax_mode: Annotated[TaxModeOption, typer.Option(help="Whether prices are net of tax, or gross.")],
    email: Annotated[str, typer.Option(help="How Customers reach the Seller.")],
    url: Annotated[str, typer.Option(help="The Seller's own site.")],
    street: Annotated[str, typer.Option(help="Street and number.")],
    locality: Annotated[str, typer.Option(help="Town.")],
    region: Annotated[str, typer.Option(help="County.")],
    postcode: Annotated[str, typer.Option(help="Postcode.")],
    country: Annotated[str, typer.Option(help="Country, as two letters.")] = "GB",
    telephone: Annotated[str | None, typer.Option(help="A number for Customers.")] = None,
    vat_id: Annotated[str | None, typer.Option(help="VAT registration number.")] = None,
    vat: Annotated[
        VatTreatment | None,
        typer.Option(
            help="The VAT treatment of the Offers that are imported for the Seller.",
            show_default="standard with --vat-id, else outside-scope",
        ),
    ] = None,
    logo: Annotated[str | None, typer.Option(help="The web address of a picture.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the Seller with this key.")] = False,
    database: Database = None,
) -> None:
    """Add a Seller, or replace it and renew the feed items that show it.

    If it is stopped while it replaces a Seller, run it again.
    """
    if not is_key(key):
        raise CommandError(f"{key!r} cannot be a key: use letters, digits, and . _ ~ -")
    for address in (url, logo or url):
        if not is_web_address(address):
            raise CommandError(f"{address!r} is no web address: it begins with https:// or http://.")
    picture = {"@type": "ImageObject", "url": logo} if logo else None
    optional = {"telephone": telephone, "vatID": vat_id, "logo": picture}
    seller = Seller(
        key=key,
        name=name,
        legal_name=legal_name,
        tax_mode=_TAX_MODES[tax_mode],
        vat=vat,
        properties={
            "url": url,
            "email": email,
            "address": {
                "@type": "PostalAddress",
                "streetAddress": street,
                "addressLocality": locality,
                "addressRegion": region,
                "postalCode": postcode,
                "addressCountry": country,
            },
            **{name: value for name, value in optional.items() if value},
        },
    )

    async def save(store: Store) -> int | None:
        """How many feed items show the Seller now; None if it is new."""
        known = any(known.key == key for known in await store.sellers())
        if known and not replace:
            raise CommandError(f"There is a Seller {key} already; --replace replaces it.")
        shown = await publish_seller(store, seller, ADMINISTRATOR)
        return shown if known else None

    shown = with_store(database, save, writes_feeds=replace, makes_new=not replace)
    if shown is None:
        show(f"Added Seller {key}.")
    else:
        show(f"Replaced Seller {key}; feed items that show it and are renewed: {shown:,}.")


@sellers.command("list")
def list_sellers(database: Database = None) -> None:
    """List the Sellers, one a line: key, name, tax mode."""

    async def load(store: Store) -> list[Seller]:
        return list(await store.sellers())

    names = {mode: option for option, mode in _TAX_MODES.items()}
    for seller in with_store(database, load):
        show(seller.key, seller.name, names[seller.tax_mode])
