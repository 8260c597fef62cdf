"""`openbooking partner`: which Brokers may book, and for whom."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from openbooking.booking.order import Partnership
from openbooking.booking.store import Store
from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.identity.digests import Kind, digest, new_secret
from openbooking.identity.errors import InvalidRedirectUriError
from openbooking.identity.grants import Change, give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState, Partner
from openbooking.identity.registration import check_redirect_uri
from openbooking.identity.scopes import Scope
from openbooking.identity.store import IdentityStore
from openbooking.spec.ids import is_key

if TYPE_CHECKING:
    from openbooking.system import System

partners = typer.Typer(help="Which Booking Partners may book, and for which Sellers.", no_args_is_help=True)

ADMINISTRATOR = "administrator"

Key = Annotated[str, typer.Argument(help="The key of the Booking Partner.")]
SellerKey = Annotated[str, typer.Argument(help="The key of the Seller.")]
OneSeller = Annotated[str | None, typer.Option("--seller", help="For this Seller only; default for all.")]


@partners.command("add")
def add(  # noqa: PLR0913 - one parameter for each thing that is known of a partner
    key: Key,
    *,
    name: Annotated[str, typer.Option(help="The name of the Booking Partner.")],
    seller: Annotated[list[str] | None, typer.Option(help="A Seller it may book for; may be repeated.")] = None,
    all_sellers: Annotated[
        bool, typer.Option("--all-sellers", help="It may book for every Seller, and for those to come.")
    ] = False,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where Sellers return to when they have allowed it; may be repeated.")
    ] = None,
    contact: Annotated[list[str] | None, typer.Option(help="How to reach the people behind it.")] = None,
    database: Database = None,
) -> None:
    """Add a Booking Partner and print its API key, or with --redirect-uri its client secret; neither is kept."""
    if (all_sellers and seller) or not (all_sellers or seller or redirect_uri):
        raise CommandError(
            "Say whom the Booking Partner may book for: either --seller KEY or --all-sellers; "
            "or give a --redirect-uri, and Sellers will say."
        )
    if not is_key(key):
        raise CommandError(f"{key!r} cannot be a key: use letters, digits, and . _ ~ -")
    for uri in redirect_uri or ():
        _check_redirect_uri(uri)
    secret = new_secret(Kind.CLIENT_SECRET if redirect_uri else Kind.API_KEY)

    async def save(system: "System") -> None:
        for seller_key in seller or ():
            await _check_seller(system.store, seller_key)
        partner = Partner(
            key=key,
            name=name,
            registered=system.clock(),
            registered_by=ADMINISTRATOR,
            contacts=tuple(contact or ()),
            api_key_digest=None if redirect_uri else digest(secret),
            secret_digest=digest(secret) if redirect_uri else None,
            redirect_uris=tuple(redirect_uri or ()),
        )
        if not await system.identity.store.save(partner):
            raise CommandError(f"There is a Booking Partner {key} already; `partner new-key` gives it another API key.")
        for seller_key in (EVERY_SELLER,) if all_sellers else seller or ():
            await _change_grant(system, key, seller_key, give(frozenset({Scope.OPENBOOKING})))

    with_system(database, save)
    typer.echo(secret)


@partners.command("list")
def list_partners(database: Database = None) -> None:
    """List the Booking Partners, one a line: key, name, Sellers (`*`: every one), state, Orders, day last used."""

    async def load(system: "System") -> list[str]:
        orders = await system.store.order_counts()
        grants = await system.identity.store.find(Grant)
        return [
            _line(partner, [grant for grant in grants if grant.partner == partner.key], orders.items())
            for partner in await system.identity.store.find(Partner)
        ]

    for line in with_system(database, load):
        typer.echo(line)


@partners.command("grant")
def grant_seller(key: Key, seller: SellerKey, database: Database = None) -> None:
    """Let a Booking Partner book for a Seller."""
    _with_grant(database, key, seller, give(frozenset({Scope.OPENBOOKING})))
    typer.echo(f"{key} may book for {seller}.")


@partners.command("revoke")
def revoke_seller(key: Key, seller: SellerKey, database: Database = None) -> None:
    """Stop a Booking Partner from booking for a Seller for good; the Seller's Orders leave its Orders feed."""
    _with_grant(database, key, seller, revoke)
    typer.echo(f"{key} may not book for {seller}.")


@partners.command("suspend")
def suspend_partner(key: Key, seller: OneSeller = None, database: Database = None) -> None:
    """Stop a Booking Partner from booking for a while; its Orders feed goes on."""
    if seller:
        _with_grant(database, key, seller, suspend)
    else:
        _with_partner(database, key, lambda partner: replace(partner, suspended=True))
    typer.echo(f"{key} may not book{f' for {seller}' if seller else ''} until it is resumed.")


@partners.command("resume")
def resume_partner(key: Key, seller: OneSeller = None, database: Database = None) -> None:
    """Let a Booking Partner that was suspended book again."""
    if seller:
        _with_grant(database, key, seller, resume)
    else:
        _with_partner(database, key, lambda partner: replace(partner, suspended=False))
    typer.echo(f"{key} may book{f' for {seller}' if seller else ''} again.")


@partners.command("new-key")
def new_key(key: Key, database: Database = None) -> None:
    """Give a Booking Partner a new API key and print it; the old one ends at once, its Orders stay."""
    api_key = new_secret(Kind.API_KEY)
    _with_partner(database, key, lambda partner: replace(partner, api_key_digest=digest(api_key)))
    typer.echo(api_key)


@partners.command("new-secret")
def new_client_secret(key: Key, database: Database = None) -> None:
    """Give a Booking Partner a new client secret and print it; the old one ends at once, its Orders stay."""
    secret = new_secret(Kind.CLIENT_SECRET)
    _with_partner(database, key, lambda partner: replace(partner, secret_digest=digest(secret)))
    typer.echo(secret)


def _line(partner: Partner, grants: Sequence[Grant], orders: Iterable[tuple[Partnership, int]]) -> str:
    sellers = ",".join(_of_grant(grant) for grant in grants if grant.state is not GrantState.REVOKED)
    barred = [grant.seller for grant in grants if grant.state is GrantState.REVOKED]
    if any(grant.seller == EVERY_SELLER for grant in grants):
        sellers += "".join(f",not {seller}" for seller in barred)
    made = sum(count for partnership, count in orders if partnership.partner == partner.key)
    state = "suspended" if partner.suspended else "active"
    last = f"{partner.last_used:%Y-%m-%d}" if partner.last_used else "never"
    return "\t".join((partner.key, partner.name, sellers, state, str(made), last))


def _of_grant(grant: Grant) -> str:
    return grant.seller if grant.state is GrantState.ACTIVE else f"{grant.seller} ({grant.state})"


def _with_grant(database: str | None, key: str, seller: str, change: Change) -> None:
    async def save(system: "System") -> None:
        await _partner(system.identity.store, key)
        await _check_seller(system.store, seller)
        await _change_grant(system, key, seller, change)

    with_system(database, save)


async def _change_grant(system: "System", key: str, seller: str, change: Change) -> None:
    await system.identity.grants.change(key, seller, change, ADMINISTRATOR)


def _with_partner(database: str | None, key: str, change: Callable[[Partner], Partner]) -> None:
    async def save(system: "System") -> None:
        while not await system.identity.store.save(change(await _partner(system.identity.store, key))):
            pass

    with_system(database, save)


async def _partner(identity: IdentityStore, key: str) -> Partner:
    found = await identity.find(Partner, key=key)
    if not found:
        raise CommandError(f"There is no Booking Partner {key}.")
    return found[0]


def _check_redirect_uri(uri: str) -> None:
    try:
        check_redirect_uri(uri)
    except InvalidRedirectUriError as fault:
        raise CommandError(fault.description) from fault


async def _check_seller(store: Store, key: str) -> None:
    if not any(seller.key == key for seller in await store.sellers()):
        raise CommandError(f"There is no Seller {key}.")
