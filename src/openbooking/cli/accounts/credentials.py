"""The commands of `openbooking partner` that replace and end API keys and client secrets."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from openbooking.cli.database import with_system
from openbooking.cli.faults import CommandError
from openbooking.cli.options import Database
from openbooking.cli.output import show, show_aside
from openbooking.identity.partner_administration import LONGEST_OVERLAP
from openbooking.identity.partners.credentials import CredentialKind, former_credential

credentials = typer.Typer()

Key = Annotated[str, typer.Argument(help="The key of the Booking Partner.")]
OverlapDays = Annotated[
    int | None, typer.Option(min=1, max=LONGEST_OVERLAP.days, help="How many days the old one stays valid.")
]
Until = Annotated[datetime | None, typer.Option(help="The time, in UTC, until which the old one stays valid.")]


@credentials.command("new-key")
def new_key(key: Key, *, overlap_days: OverlapDays = None, until: Until = None, database: Database = None) -> None:
    """Give a Booking Partner a new API key and print the key. Without an overlap the old key ends at once.

    The Orders of the Booking Partner stay.
    """
    _replace(database, key, CredentialKind.API_KEY, overlap_days, until)


@credentials.command("new-secret")
def new_client_secret(
    key: Key, *, overlap_days: OverlapDays = None, until: Until = None, database: Database = None
) -> None:
    """Give a Booking Partner a new client secret and print the secret. Without an overlap the old secret ends at once.

    The Orders of the Booking Partner stay.
    """
    _replace(database, key, CredentialKind.SECRET, overlap_days, until)


@credentials.command("end-former-key")
def end_former_key(key: Key, database: Database = None) -> None:
    """End the former API key, which a new key replaced with an overlap."""
    _end_former(database, key, CredentialKind.API_KEY)


@credentials.command("end-former-secret")
def end_former_secret(key: Key, database: Database = None) -> None:
    """End the former client secret, which a new secret replaced with an overlap."""
    _end_former(database, key, CredentialKind.SECRET)


def _replace(
    database: str | None, key: str, kind: CredentialKind, overlap_days: int | None, until: datetime | None
) -> None:
    """Replace a credential, print the new one, and report how long the old one stays valid."""
    if overlap_days and until:
        raise CommandError("Give either --overlap-days or --until.")
    overlap = timedelta(days=overlap_days) if overlap_days else until and until.replace(tzinfo=UTC)
    secret, partner = with_system(
        database, lambda system: system.identity.partner_administration.replace_credential(key, kind, overlap)
    )
    show(secret)
    if former := former_credential(partner, kind):
        show_aside(f"The former {kind.label} stays valid until {_minute(former.ends)}.")


def _end_former(database: str | None, key: str, kind: CredentialKind) -> None:
    """End the former credential of a Booking Partner, and report that."""
    with_system(database, lambda system: system.identity.partner_administration.end_former_credential(key, kind))
    show(f"Ended the former {kind.label} of {key}.")


def _minute(instant: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
