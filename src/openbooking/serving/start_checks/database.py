"""The checks of the database: whether it answers, its schema, its folder, its clock and its content."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.store import StoreUnavailableError
from openbooking.clock import Clock
from openbooking.openactive.ids import Identifiers
from openbooking.serving.addresses import find_another_address
from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.settings import Settings
from openbooking.store.backends import MissingDatabaseError, SchemaError, backend_of, scheme_of
from openbooking.store.location import full_name, redact_password
from openbooking.store.migrate import prepare
from openbooking.store.sql import SqlStore
from openbooking.system import use_store
from openbooking.user_error import UserError

# A new database with its reserve for a full disk, and space to begin.
_LEAST_FREE_BYTES = 100 * 2**20
_MOST_SECONDS_BEHIND = 60
_ANOTHER = "Name another database with --database or OPENBOOKING_DATABASE."
_OR_ANOTHER = "Or name another database with --database or OPENBOOKING_DATABASE."
_MIGRATE = f"Back the database up, and run `openbooking migrate` of this version or of a newer one. {_OR_ANOTHER}"
_START = f"Start the database server, or correct the address, the user and the password. {_OR_ANOTHER}"


def check_database(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Yield what is found of the database, of its replica and of the clock."""
    folder = list(_check_folder(settings.database))
    yield from folder
    if any(finding.result is Result.FAILED for finding in folder):
        return
    try:
        prepare(settings.database, makes_new=False)
    except MissingDatabaseError:
        message = f"There is no database {full_name(settings.database)} yet. The server will make it."
        yield Finding("database", Result.OK, message)
    except StoreUnavailableError as fault:
        yield Finding("database", Result.FAILED, str(fault), _START)
    except SchemaError as fault:
        yield Finding("database", Result.FAILED, str(fault), _MIGRATE)
    except UserError as fault:
        yield Finding("database", Result.FAILED, str(fault), _ANOTHER)
    else:
        yield Finding("database", Result.OK, f"{full_name(settings.database)} has the schema of this version.")
        yield from asyncio.run(_check_content(settings, clock))
        yield from _check_replica(settings)


def _check_folder(database: str) -> Iterator[Finding]:
    """Yield what is found of the folder of an SQLite file; a database server has no folder here."""
    if scheme_of(database):
        return
    file = Path(database).resolve()
    folder = file.parent
    if not folder.is_dir():
        remedy = "Make the folder, or name another file with --database or OPENBOOKING_DATABASE."
        yield Finding("data folder", Result.FAILED, f"There is no folder {folder}.", remedy)
        return
    if file.exists() and not file.is_file():
        remedy = "Name a file with --database or OPENBOOKING_DATABASE."
        yield Finding("data folder", Result.FAILED, f"{file} is no file, as the database must be.", remedy)
        return
    closed = [path for path in (folder, file) if path.exists() and not os.access(path, os.W_OK)]
    if closed:
        remedy = "Give the user of the server the right to write there, or name another file with OPENBOOKING_DATABASE."
        yield Finding("data folder", Result.FAILED, f"{closed[0]} cannot be written.", remedy)
        return
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        message = f"The disk of {folder} has {free // 2**20} MiB free."
        yield Finding("data folder", Result.WARNING, message, "Free at least 100 MiB: a full disk refuses bookings.")
    else:
        yield Finding("data folder", Result.OK, f"{folder} can be written.")


async def _check_content(settings: Settings, clock: Clock) -> list[Finding]:
    """Return what is found in the database with the schema of this version."""
    # Without the replica, which has a check of its own.
    async with use_store(replace(settings, replica="")) as store:
        found = [_check_clock(clock(), await store.noted_time())]
        for about, wrong in await store.server_findings():
            remedy = "Change the setting of the database server: an acknowledged booking can be lost."
            found.append(Finding("durability", Result.WARNING, f"{about} {wrong}.", remedy))
        found.append(await _check_address(settings, store))
        found.append(_check_sellers(len(await store.sellers())))
    return found


def _check_clock(now: datetime, noted: datetime | None) -> Finding:
    """Compare the clock of this machine with the time that a server has noted last."""
    if noted and (noted - now).total_seconds() > _MOST_SECONDS_BEHIND:
        message = f"The clock says {now:%Y-%m-%d %H:%M} UTC, but the database was used at {noted:%Y-%m-%d %H:%M} UTC."
        return Finding("clock", Result.WARNING, message, "Set the clock of this machine, for example by NTP.")
    return Finding("clock", Result.OK, f"The clock says {now:%Y-%m-%d %H:%M} UTC.")


async def _check_address(settings: Settings, store: SqlStore) -> Finding:
    """Compare the address of the settings with the address in the open feeds."""
    found = await find_another_address(store, Identifiers(settings.base_uri))
    if found is None:
        return Finding("feeds", Result.OK, f"The open feeds have the address {settings.base_uri}, or are empty.")
    remedy = "Set OPENBOOKING_SITE_URL to the former address, or run `openbooking feed republish`."
    message = f"Published items cannot be booked: {found.published} would now be {found.now}."
    return Finding("feeds", Result.WARNING, message, remedy)


def _check_sellers(number: int) -> Finding:
    if number:
        return Finding("Sellers", Result.OK, f"There {'is 1 Seller' if number == 1 else f'are {number} Sellers'}.")
    return Finding("Sellers", Result.WARNING, "There are no Sellers yet.", "Run `openbooking seller add --help`.")


def _check_replica(settings: Settings) -> Iterator[Finding]:
    if not settings.replica:
        return
    name = redact_password(settings.replica)
    if backend_of(settings.replica).is_prepared(settings.replica):
        yield Finding("replica", Result.OK, f"{name} has the schema of this version.")
    else:
        remedy = "Start the replica, or leave OPENBOOKING_REPLICA out."
        yield Finding("replica", Result.WARNING, f"{name} does not answer, or has another schema.", remedy)
