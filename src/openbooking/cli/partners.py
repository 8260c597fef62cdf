"""`openbooking partner`: which Brokers may book, and for whom."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from openbooking.booking.model.order import Partnership
from openbooking.booking.store import Store
from openbooking.cli.credentials import FORMER, Key, credentials, describe_credentials, find_partner, with_partner
from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.grant_terms import (
    Activity,
    Clear,
    DynamicAccount,
    OfferName,
    OfferOverrides,
    OpenProposals,
    OpenQuotes,
    TermOptions,
    Venue,
    describe_terms,
)
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.oauth.errors import InvalidRedirectUriError
from openbooking.identity.oauth.registration import check_redirect_uri
from openbooking.identity.partners.credentials import CredentialKind, current_digest
from openbooking.identity.partners.grants import Change, agree, current_grant, give, resume, revoke, suspend
from openbooking.identity.records import EVERY_SELLER, Grant, GrantState, Partner
from openbooking.identity.scopes import Scope, write_scopes
from openbooking.openactive.ids import is_key

if TYPE_CHECKING:
    from openbooking.system import System

partners = typer.Typer(help="Which Booking Partners may book, and for which Sellers.", no_args_is_help=True)
partners.add_typer(credentials)

ADMINISTRATOR = "administrator"

SellerKey = Annotated[str | None, typer.Argument(help="The key of the Seller.")]
OneSeller = Annotated[str | None, typer.Option("--seller", help="For this Seller only.")]
EverySeller = Annotated[
    bool, typer.Option("--all-sellers", help="It may book for every Seller, and for those to come.")
]
GivenByAll = Annotated[
    bool, typer.Option("--all-sellers", help="What was given with --all-sellers; what was given by Seller stays.")
]


@partners.command("add")
def add(  # noqa: PLR0913 - one parameter for each thing that is known of a partner
    key: Key,
    *,
    name: Annotated[str, typer.Option(help="The name of the Booking Partner.")],
    seller: Annotated[list[str] | None, typer.Option(help="A Seller it may book for; may be repeated.")] = None,
    all_sellers: EverySeller = False,
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
    secret = new_secret(SecretKind.CLIENT_SECRET if redirect_uri else SecretKind.API_KEY)

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

    with_system(database, save, makes_new=not seller)
    show(secret)


@partners.command("redirect-uris")
def set_redirect_uris(
    key: Key,
    redirect_uris: Annotated[list[str], typer.Argument(help="All of them; those that are there already are replaced.")],
    database: Database = None,
) -> None:
    """Say where Sellers return to when they have allowed a Booking Partner, in place of what was said before."""
    for uri in redirect_uris:
        _check_redirect_uri(uri)
    partner = with_partner(database, key, lambda partner, _: replace(partner, redirect_uris=tuple(redirect_uris)))
    show(f"Sellers who have decided about {key} return to {' or '.join(redirect_uris)}.")
    if partner.secret_digest is None:
        show_aside("It has no client secret yet: `openbooking partner new-secret` gives it one.")


@partners.command("show")
def show_partner(key: Key, database: Database = None) -> None:
    """Show all that is known of a Booking Partner, one thing a line; of Sellers: key, state, since, by whom, scopes.

    After each Seller come the terms that are agreed on with it: its key, what about, and on what.
    """

    async def load(system: "System") -> list[tuple[str, ...]]:
        partner = await find_partner(system.identity.store, key)
        orders = await system.store.order_counts()
        return _described(partner, await system.identity.store.find(Grant, partner=key), orders.items(), system.clock())

    for line in with_system(database, load):
        show(*line)


@partners.command("list")
def list_partners(database: Database = None) -> None:
    """List the Booking Partners, one a line: key, name, Sellers (`*`: every one), state, Orders, day last used.

    After that come a former API key and client secret that are still good: until when, and when they were last used.
    """

    async def load(system: "System") -> list[tuple[str, ...]]:
        orders = await system.store.order_counts()
        grants = await system.identity.store.find(Grant)
        return [
            _line(partner, [grant for grant in grants if grant.partner == partner.key], orders.items(), system.clock())
            for partner in await system.identity.store.find(Partner)
        ]

    for line in with_system(database, load):
        show(*line)


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
    """Let a Booking Partner book for a Seller, and say on which terms.

    Terms that are not named stay as they are; those that are named are replaced, and may be repeated to name several.
    Where only terms are changed, a partner that was suspended stays so.
    """
    options = TermOptions(
        offer_overrides=offer_overrides,
        dynamic_accounts=dynamic_account or None,
        venues=venue or None,
        activities=activity or None,
        offers=offer or None,
        open_quotes=open_quotes,
        open_proposals=open_proposals,
        clear=clear or None,
    )
    whose = _whose(seller, all_sellers=all_sellers)
    # Orders that were withheld come back to the Orders feed, at the address that is set.
    _with_grant(database, key, whose, lambda system: _granted(options, system), writes_feeds=True)


@partners.command("revoke")
def revoke_seller(
    key: Key, seller: SellerKey = None, *, all_sellers: GivenByAll = False, database: Database = None
) -> None:
    """Stop a Booking Partner from booking for a Seller for good; the Seller's Orders leave its Orders feed."""
    _with_grant(database, key, _whose(seller, all_sellers=all_sellers), lambda _: revoke)


@partners.command("suspend")
def suspend_partner(
    key: Key, *, seller: OneSeller = None, all_sellers: GivenByAll = False, database: Database = None
) -> None:
    """Stop a Booking Partner from booking for a while, whoever let it; its Orders feed goes on."""
    if seller or all_sellers:
        _with_grant(database, key, _whose(seller, all_sellers=all_sellers), lambda _: suspend)
    else:
        _set_suspended(database, key, suspended=True)


@partners.command("resume")
def resume_partner(
    key: Key, *, seller: OneSeller = None, all_sellers: GivenByAll = False, database: Database = None
) -> None:
    """Let a Booking Partner that was suspended book again."""
    if seller or all_sellers:
        _with_grant(database, key, _whose(seller, all_sellers=all_sellers), lambda _: resume)
    else:
        _set_suspended(database, key, suspended=False)


def _described(
    partner: Partner, grants: Sequence[Grant], orders: Iterable[tuple[Partnership, int]], now: datetime
) -> list[tuple[str, ...]]:
    """What to call each thing, and what it is."""
    given = [kind.words for kind in CredentialKind if current_digest(partner, kind)]
    return [
        ("key", partner.key),
        ("name", partner.name),
        *(("web site, as it says", site) for site in (partner.site,) if site),
        *(("contact", contact) for contact in partner.contacts),
        *(("redirect URI", uri) for uri in partner.redirect_uris),
        ("credentials", ", ".join(given) or "none"),
        *describe_credentials(partner, now),
        ("registered", f"{partner.registered:%Y-%m-%d %H:%M %Z}, by {partner.registered_by}"),
        ("state", _state(partner)),
        ("last used", _last_used(partner)),
        ("Orders", str(_orders_of(partner, orders))),
        *(line for grant in grants for line in _described_grant(grant)),
    ]


def _described_grant(grant: Grant) -> list[tuple[str, ...]]:
    day, scopes = f"{grant.changed:%Y-%m-%d}", write_scopes(grant.scopes)
    return [
        ("Seller", grant.seller, grant.state, day, grant.changed_by, scopes),
        *describe_terms(grant.seller, grant.terms),
    ]


def _line(
    partner: Partner, grants: Sequence[Grant], orders: Iterable[tuple[Partnership, int]], now: datetime
) -> tuple[str, ...]:
    return (
        partner.key,
        partner.name,
        _sellers_of(grants),
        _state(partner),
        str(_orders_of(partner, orders)),
        _last_used(partner),
        *(" ".join(line) for line in describe_credentials(partner, now) if line[0].startswith(FORMER)),
    )


def _sellers_of(grants: Sequence[Grant]) -> str:
    """Whom it may book for, separated by commas."""
    sellers = ",".join(_of_grant(grant) for grant in grants if grant.state is not GrantState.REVOKED)
    barred = [grant.seller for grant in grants if grant.state is GrantState.REVOKED]
    if EVERY_SELLER not in barred and any(grant.seller == EVERY_SELLER for grant in grants):
        sellers += "".join(f",not {seller}" for seller in barred)
    return sellers


def _state(partner: Partner) -> str:
    return "suspended" if partner.suspended else "active"


def _last_used(partner: Partner) -> str:
    return f"{partner.last_used:%Y-%m-%d}" if partner.last_used else "never"


def _orders_of(partner: Partner, orders: Iterable[tuple[Partnership, int]]) -> int:
    return sum(count for partnership, count in orders if partnership.partner == partner.key)


def _of_grant(grant: Grant) -> str:
    return grant.seller if grant.state is GrantState.ACTIVE else f"{grant.seller} ({grant.state})"


def _whose(seller: str | None, *, all_sellers: bool) -> str:
    """The Seller whose grant is meant."""
    if all_sellers == bool(seller):
        raise CommandError("Say which Seller: either its key or --all-sellers.")
    return seller or EVERY_SELLER


def _granted(options: TermOptions, system: "System") -> Change:
    """Let it book; or where it is let already and terms are named, change these and nothing else."""
    allow = give(frozenset({Scope.OPENBOOKING}))
    if not options.given:
        return allow
    on_terms = agree(options.change(system.ids))

    def change(grant: Grant) -> Grant:
        allowed = grant.state is not GrantState.REVOKED and Scope.OPENBOOKING in grant.scopes
        return on_terms(grant if allowed else allow(grant))

    return change


def _with_grant(
    database: str | None, key: str, seller: str, change: Callable[["System"], Change], *, writes_feeds: bool = False
) -> None:
    """Change it, and tell what the partner is left with."""

    async def save(system: "System") -> str:
        await find_partner(system.identity.store, key)
        if seller != EVERY_SELLER:
            await _check_seller(system.store, seller)
        await _change_grant(system, key, seller, change(system))
        grants = await system.identity.store.find(Grant, partner=key)
        if current_grant(grants, seller) is None:
            raise CommandError(f"{key} was not given {'--all-sellers' if seller == EVERY_SELLER else seller}.")
        return _sellers_of(grants)

    sellers = with_system(database, save, writes_feeds=writes_feeds)
    show(f"Sellers of {key} now: {sellers or 'none'}")


async def _change_grant(system: "System", key: str, seller: str, change: Change) -> None:
    await system.identity.grants.change(key, seller, change, ADMINISTRATOR)


def _set_suspended(database: str | None, key: str, *, suspended: bool) -> None:
    """Let the partner book or not, whoever has let it."""
    with_partner(database, key, lambda partner, _: replace(partner, suspended=suspended))
    show(f"{key} may not book until it is resumed." if suspended else f"{key} may book again.")


def _check_redirect_uri(uri: str) -> None:
    try:
        check_redirect_uri(uri)
    except InvalidRedirectUriError as fault:
        raise CommandError(fault.description) from fault


async def _check_seller(store: Store, key: str) -> None:
    if not any(seller.key == key for seller in await store.sellers()):
        raise CommandError(f"There is no Seller {key}.")
