"""`openbooking partner`: which Brokers may book, and for whom."""

from typing import Annotated

import typer
from msgspec.structs import replace

from openbooking.booking.store import Partner, Store
from openbooking.cli.database import with_store
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.identity.access import key_digest, new_api_key
from openbooking.spec.ids import is_key

partners = typer.Typer(help="Which Booking Partners may book, and for which Sellers.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="The key of the Booking Partner.")]
SellerKey = Annotated[str, typer.Argument(help="The key of the Seller.")]


@partners.command("add")
def add(
    key: Key,
    *,
    name: Annotated[str, typer.Option(help="The name of the Booking Partner.")],
    seller: Annotated[list[str] | None, typer.Option(help="A Seller it may book for; may be repeated.")] = None,
    all_sellers: Annotated[
        bool, typer.Option("--all-sellers", help="It may book for every Seller, and for those to come.")
    ] = False,
    database: Database = None,
) -> None:
    """Add a Booking Partner and print its API key, which is not kept and cannot be shown again."""
    if bool(seller) == all_sellers:
        raise CommandError("Say whom the Booking Partner may book for: either --seller KEY or --all-sellers.")
    if not is_key(key):
        raise CommandError(f"{key!r} cannot be a key: use letters, digits, and . _ ~ -")
    api_key = new_api_key()

    async def save(store: Store) -> None:
        if any(known.key == key for known in await store.partners()):
            raise CommandError(f"There is a Booking Partner {key} already; `partner new-key` gives it another API key.")
        for seller_key in seller or ():
            await _check_seller(store, seller_key)
        granted = None if all_sellers else frozenset(seller or ())
        await store.save_partner(Partner(key=key, name=name, key_digest=key_digest(api_key), sellers=granted))

    with_store(database, save)
    typer.echo(api_key)


@partners.command("list")
def list_partners(database: Database = None) -> None:
    """List the Booking Partners, one a line: key, name, Sellers (`*`: every one)."""

    async def load(store: Store) -> list[Partner]:
        return list(await store.partners())

    for partner in with_store(database, load):
        granted = "*" if partner.sellers is None else ",".join(sorted(partner.sellers))
        typer.echo(f"{partner.key}\t{partner.name}\t{granted}")


@partners.command("grant")
def grant(key: Key, seller: SellerKey, database: Database = None) -> None:
    """Let a Booking Partner book for a Seller."""

    async def save(store: Store) -> None:
        partner = await _partner(store, key)
        await _check_seller(store, seller)
        if partner.sellers is not None:
            await store.save_partner(replace(partner, sellers=partner.sellers | {seller}))

    with_store(database, save)
    typer.echo(f"{key} may book for {seller}.")


@partners.command("revoke")
def revoke(key: Key, seller: SellerKey, database: Database = None) -> None:
    """Stop a Booking Partner from booking for a Seller; one that could for every Seller still can for the others."""

    async def save(store: Store) -> None:
        partner = await _partner(store, key)
        await _check_seller(store, seller)
        granted = partner.sellers
        if granted is None:
            granted = frozenset(known.key for known in await store.sellers())
        await store.save_partner(replace(partner, sellers=granted - {seller}))

    with_store(database, save)
    typer.echo(f"{key} may not book for {seller}.")


@partners.command("new-key")
def new_key(key: Key, database: Database = None) -> None:
    """Give a Booking Partner a new API key and print it; the old one ends at once."""
    api_key = new_api_key()

    async def save(store: Store) -> None:
        await store.save_partner(replace(await _partner(store, key), key_digest=key_digest(api_key)))

    with_store(database, save)
    typer.echo(api_key)


async def _partner(store: Store, key: str) -> Partner:
    found = next((partner for partner in await store.partners() if partner.key == key), None)
    if found is None:
        raise CommandError(f"There is no Booking Partner {key}.")
    return found


async def _check_seller(store: Store, key: str) -> None:
    if not any(seller.key == key for seller in await store.sellers()):
        raise CommandError(f"There is no Seller {key}.")
