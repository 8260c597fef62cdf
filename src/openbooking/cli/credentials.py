"""API keys and client secrets: the commands of `openbooking partner` that replace, end and show them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.identity.digests import SecretKind, digest, new_secret
from openbooking.identity.partners.credentials import (
    BothCredentialsInUseError,
    CredentialKind,
    current_digest,
    current_last_used,
    end_former_credential,
    former_credential,
    replace_credential,
)
from openbooking.identity.records import Partner
from openbooking.identity.store import IdentityStore

if TYPE_CHECKING:
    from openbooking.system import System

credentials = typer.Typer()

FORMER = "former"
_LONGEST_OVERLAP = timedelta(days=366)

Key = Annotated[str, typer.Argument(help="The key of the Booking Partner.")]
OverlapDays = Annotated[
    int | None, typer.Option(min=1, max=_LONGEST_OVERLAP.days, help="For how many days the old one stays good.")
]
Until = Annotated[datetime | None, typer.Option(help="Until when, in UTC, the old one stays good.")]


@credentials.command("new-key")
def new_key(key: Key, *, overlap_days: OverlapDays = None, until: Until = None, database: Database = None) -> None:
    """Give a Booking Partner a new API key and print it; without an overlap the old one ends at once.

    Its Orders stay.
    """
    _renew(database, key, CredentialKind.API_KEY, overlap_days, until)


@credentials.command("new-secret")
def new_client_secret(
    key: Key, *, overlap_days: OverlapDays = None, until: Until = None, database: Database = None
) -> None:
    """Give a Booking Partner a new client secret and print it; without an overlap the old one ends at once.

    Its Orders stay.
    """
    _renew(database, key, CredentialKind.SECRET, overlap_days, until)


@credentials.command("end-former-key")
def end_former_key(key: Key, database: Database = None) -> None:
    """End the API key that was replaced with an overlap."""
    _end_former(database, key, CredentialKind.API_KEY)


@credentials.command("end-former-secret")
def end_former_secret(key: Key, database: Database = None) -> None:
    """End the client secret that was replaced with an overlap."""
    _end_former(database, key, CredentialKind.SECRET)


def describe_credentials(partner: Partner, now: datetime) -> list[tuple[str, ...]]:
    """Of each credential what it is and when it was last used, of a former one that is good also until when."""
    described: list[tuple[str, ...]] = []
    for kind in CredentialKind:
        before = former_credential(partner, kind)
        if current_digest(partner, kind):
            described.append((kind.words, _used(current_last_used(partner, kind))))
        if before and now < before.ends:
            described.append((f"{FORMER} {kind.words}", f"until {_minute(before.ends)}", _used(before.last_used)))
    return described


def with_partner(database: str | None, key: str, change: Callable[[Partner, "System"], Partner]) -> Partner:
    """Change a Booking Partner, whoever else changes it; raise CommandError if there is none with this key."""

    async def save(system: "System") -> Partner:
        store = system.identity.store
        while not await store.save(changed := change(await find_partner(store, key), system)):
            pass
        return changed

    return with_system(database, save)


async def find_partner(identity: IdentityStore, key: str) -> Partner:
    """The Booking Partner with this key; raise CommandError if there is none."""
    found = await identity.find(Partner, key=key)
    if not found:
        raise CommandError(f"There is no Booking Partner {key}.")
    return found[0]


def _renew(
    database: str | None, key: str, kind: CredentialKind, overlap_days: int | None, until: datetime | None
) -> None:
    if overlap_days and until:
        raise CommandError("Give either --overlap-days or --until.")
    secret = new_secret(SecretKind.API_KEY if kind is CredentialKind.API_KEY else SecretKind.CLIENT_SECRET)

    def change(partner: Partner, system: "System") -> Partner:
        now = system.clock()
        ends = now + timedelta(days=overlap_days) if overlap_days else until and until.replace(tzinfo=UTC)
        if ends and not now < ends <= now + _LONGEST_OVERLAP:
            raise CommandError(f"--until must be within the next {_LONGEST_OVERLAP.days} days.")
        try:
            return replace_credential(partner, kind, digest(secret), now, ends)
        except BothCredentialsInUseError as fault:
            command = "end-former-key" if kind is CredentialKind.API_KEY else "end-former-secret"
            raise CommandError(
                f"{key} uses its {kind.words}, and a former one is good until {_minute(fault.former.ends)}: "
                f"end that first with `openbooking partner {command} {key}`."
            ) from fault

    kept = former_credential(with_partner(database, key, change), kind)
    show(secret)
    if kept:
        show_aside(f"The {kind.words} before stays good until {_minute(kept.ends)}.")


def _end_former(database: str | None, key: str, kind: CredentialKind) -> None:
    def change(partner: Partner, system: "System") -> Partner:
        del system
        if former_credential(partner, kind) is None:
            raise CommandError(f"{key} has no former {kind.words}.")
        return end_former_credential(partner, kind)

    with_partner(database, key, change)
    show(f"{key} has one {kind.words} now.")


def _used(instant: datetime | None) -> str:
    return f"last used {_minute(instant)}" if instant else "last used never"


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
