"""API keys and client secrets: the commands of `openbooking partner` that replace, end and show them."""

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
    int | None, typer.Option(min=1, max=LONGEST_OVERLAP.days, help="How many days the old one stays good.")
]
Until = Annotated[datetime | None, typer.Option(help="The time, in UTC, until which the old one stays good.")]


@credentials.command("new-key")
def new_key(key: Key, *, overlap_days: OverlapDays = None, until: Until = None, database: Database = None) -> None:
    """Give a Booking Partner a new API key and print it; without an overlap the old one ends at once.

    The Orders of the Booking Partner stay.
    """
    _replace(database, key, CredentialKind.API_KEY, overlap_days, until)


@credentials.command("new-secret")
def new_client_secret(
    key: Key, *, overlap_days: OverlapDays = None, until: Until = None, database: Database = None
) -> None:
    """Give a Booking Partner a new client secret and print it; without an overlap the old one ends at once.

    The Orders of the Booking Partner stay.
    """
    _replace(database, key, CredentialKind.SECRET, overlap_days, until)


@credentials.command("end-former-key")
def end_former_key(key: Key, database: Database = None) -> None:
    """End the API key that was replaced with an overlap."""
    _end_former(database, key, CredentialKind.API_KEY)


@credentials.command("end-former-secret")
def end_former_secret(key: Key, database: Database = None) -> None:
    """End the client secret that was replaced with an overlap."""
    _end_former(database, key, CredentialKind.SECRET)


def _replace(
    database: str | None, key: str, kind: CredentialKind, overlap_days: int | None, until: datetime | None
) -> None:
    if overlap_days and until:
        raise CommandError("Give either --overlap-days or --until.")
    overlap = timedelta(days=overlap_days) if overlap_days else until and until.replace(tzinfo=UTC)
    secret, partner = with_system(
        database, lambda system: system.identity.partner_administration.replace_credential(key, kind, overlap)
    )
    show(secret)
    if former := former_credential(partner, kind):
        show_aside(f"The {kind.label} before stays good until {_minute(former.ends)}.")


def _end_former(database: str | None, key: str, kind: CredentialKind) -> None:
    with_system(database, lambda system: system.identity.partner_administration.end_former_credential(key, kind))
    show(f"{key} has one {kind.label} now.")


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
