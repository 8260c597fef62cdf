"""`openbooking partner`: add, list and change Booking Partners, and the Sellers that they may book for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.accounts.credentials import Key, credentials
from openbooking.cli.accounts.grant_terms import (
    Activity,
    Clear,
    DynamicAccount,
    OfferName,
    OfferOverrides,
    OpenProposals,
    OpenQuotes,
    Venue,
)
from openbooking.cli.database import administrator, with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.identity.partner_administration import NewPartner
from openbooking.identity.partner_reports import describe_sellers
from openbooking.identity.partners.grants import GrantChange, allow_on_terms, give, resume, revoke, suspend
from openbooking.identity.partners.term_changes import TermChanges
from openbooking.identity.records import EVERY_SELLER
from openbooking.identity.scopes import Scope

if TYPE_CHECKING:
    from openbooking.system import System

partners = typer.Typer(
    help="Add, list and change Booking Partners, and the Sellers that they may book for.", no_args_is_help=True
)
partners.add_typer(credentials)

SellerKey = Annotated[str | None, typer.Argument(help="The key of the Seller.")]
OneSeller = Annotated[str | None, typer.Option("--seller", help="Only for this Seller.")]
EverySeller = Annotated[
    bool, typer.Option("--all-sellers", help="Allow bookings for all Sellers, also for Sellers that are added later.")
]
GrantForAllSellers = Annotated[
    bool, typer.Option("--all-sellers", help="Change the grant for all Sellers. Grants of single Sellers stay.")
]


@partners.command("add")
def add(  # noqa: PLR0913 - one parameter for each detail of a partner
    key: Key,
    *,
    name: Annotated[str, typer.Option(help="The name of the Booking Partner.")],
    seller: Annotated[
        list[str] | None, typer.Option(help="A Seller that the partner may book for; may be repeated.")
    ] = None,
    all_sellers: EverySeller = False,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="A URI of the partner to which people return after they decide about it; may be repeated."),
    ] = None,
    contact: Annotated[list[str] | None, typer.Option(help="How to reach the partner; may be repeated.")] = None,
    database: Database = None,
) -> None:
    """Add a Booking Partner and print its API key, or its client secret if there is a --redirect-uri.

    The key or secret cannot be printed again: the database has only its digest.
    """
    if (all_sellers and seller) or not (all_sellers or seller or redirect_uri):
        raise CommandError(
            "Name the Sellers that the Booking Partner may book for with --seller KEY or --all-sellers, "
            "or give a --redirect-uri, at which Sellers can allow it."
        )
    new = NewPartner(
        key=key,
        name=name,
        sellers=(EVERY_SELLER,) if all_sellers else tuple(seller or ()),
        redirect_uris=tuple(redirect_uri or ()),
        contacts=tuple(contact or ()),
    )
    secret = with_system(
        database,
        lambda system: system.identity.partner_administration.add(new, administrator("partner add")),
        makes_new=not seller,
    )
    show(secret)
    show_aside(f"Send this {'client secret' if redirect_uri else 'API key'} to {name}. It cannot be printed again.")


@partners.command("redirect-uris")
def set_redirect_uris(
    key: Key,
    redirect_uris: Annotated[list[str], typer.Argument(help="All redirect URIs of the partner.")],
    database: Database = None,
) -> None:
    """Replace the redirect URIs of a Booking Partner, to which people return after they decide about it."""
    partner = with_system(
        database, lambda system: system.identity.partner_administration.set_redirect_uris(key, redirect_uris)
    )
    show(f"People return to {' or '.join(redirect_uris)} after they decide about {key}.")
    if partner.secret_digest is None:
        show_aside("The partner has no client secret yet. To make one, run `openbooking partner new-secret`.")


@partners.command("show")
def show_partner(key: Key, database: Database = None) -> None:
    """Show a Booking Partner, one property a line. A line of a Seller has: key, state, since, by whom, scopes.

    The terms of the grant follow each Seller, one a line: key of the Seller, term, value.
    """
    for row in with_system(database, lambda system: system.identity.partner_reports.details(key)):
        show(*row)


@partners.command("list")
def list_partners(database: Database = None) -> None:
    """List the Booking Partners, one a line: key, name, Sellers (`*`: all), state, number of Orders, day of last use.

    The line ends with the former API key or client secret if it is still valid: its end, and its last use.
    """
    for row in with_system(database, lambda system: system.identity.partner_reports.overview()):
        show(*row)


@partners.command("grant")
def grant_seller(  # noqa: PLR0913 - one parameter for each of the terms
    key: Key,
    seller: SellerKey = None,
    *,
    all_sellers: EverySeller = False,
    offer_overrides: OfferOverrides = None,
    dynamic_account: DynamicAccount = None,
    venue: Venue = None,
    activity: Activity = None,
    offer: OfferName = None,
    open_quotes: OpenQuotes = None,
    open_proposals: OpenProposals = None,
    clear: Clear = None,
    database: Database = None,
) -> None:
    """Let a Booking Partner book for a Seller, and set the terms of the grant.

    An option replaces its term, and may be repeated for several values. Terms without an option do not change. A
    suspended partner stays suspended if only terms change.
    """
    terms = TermChanges(
        offer_overrides=offer_overrides,
        dynamic_accounts=dynamic_account or None,
        venues=venue or None,
        activities=activity or None,
        offers=offer or None,
        open_quotes=open_quotes,
        open_proposals=open_proposals,
        clear=clear or None,
    )

    def change(system: "System") -> GrantChange:
        return give(frozenset({Scope.OPENBOOKING})) if terms.is_empty else allow_on_terms(terms.on(system.ids))

    # A grant puts withheld Orders back into the Orders feed, with the address of the settings.
    _change("partner grant", database, key, _one_seller(seller, all_sellers=all_sellers), change, writes_feeds=True)


@partners.command("revoke")
def revoke_seller(
    key: Key, seller: SellerKey = None, *, all_sellers: GrantForAllSellers = False, database: Database = None
) -> None:
    """End the grant of a Seller to a Booking Partner. The Orders of the Seller leave the partner's Orders feed."""
    _change("partner revoke", database, key, _one_seller(seller, all_sellers=all_sellers), lambda _: revoke)


@partners.command("suspend")
def suspend_partner(
    key: Key, *, seller: OneSeller = None, all_sellers: GrantForAllSellers = False, database: Database = None
) -> None:
    """Stop a Booking Partner from booking until it is resumed, for all Sellers or one. Its Orders feed continues."""
    if seller or all_sellers:
        _change("partner suspend", database, key, _one_seller(seller, all_sellers=all_sellers), lambda _: suspend)
    else:
        _set_suspended("partner suspend", database, key, suspended=True)
        show(f"{key} may not book until it is resumed.")


@partners.command("resume")
def resume_partner(
    key: Key, *, seller: OneSeller = None, all_sellers: GrantForAllSellers = False, database: Database = None
) -> None:
    """Let a suspended Booking Partner book again, for all Sellers or for one."""
    if seller or all_sellers:
        _change("partner resume", database, key, _one_seller(seller, all_sellers=all_sellers), lambda _: resume)
    else:
        _set_suspended("partner resume", database, key, suspended=False)
        show(f"{key} may book again.")


def _one_seller(seller: str | None, *, all_sellers: bool) -> str:
    """Return the key of the Seller that the options name, or EVERY_SELLER."""
    if all_sellers == bool(seller):
        raise CommandError("Name the Seller: either its key or --all-sellers.")
    return seller or EVERY_SELLER


def _change(  # noqa: PLR0913 - the parts of a change
    command: str,
    database: str | None,
    key: str,
    seller: str,
    change: Callable[["System"], GrantChange],
    *,
    writes_feeds: bool = False,
) -> None:
    """Change the grant of a Seller to a partner, and print the Sellers that the partner may still book for."""
    grants = with_system(
        database,
        lambda system: system.identity.partner_administration.change_grant(
            key, seller, change(system), administrator(command)
        ),
        writes_feeds=writes_feeds,
    )
    show(f"Sellers of {key} now: {describe_sellers(grants) or 'none'}")


def _set_suspended(command: str, database: str | None, key: str, *, suspended: bool) -> None:
    """Suspend or resume a Booking Partner for all Sellers."""
    by = administrator(command)
    with_system(
        database,
        lambda system: system.identity.partner_administration.set_suspended(key, suspended=suspended, by=by),
    )
