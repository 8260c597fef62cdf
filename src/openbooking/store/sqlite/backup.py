"""Makes a copy of an SQLite database while processes use the database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from openbooking.booking.store import StoreUnavailableError
from openbooking.store.sqlite.connections import connect, create
from openbooking.store.sqlite.disk import flush
from openbooking.user_error import UserError


def back_up(database: Path, copy: Path) -> None:
    """Write a snapshot of a database to a new file that only its owner can read; other processes go on meanwhile.

    The copy holds no erased data. The file gets its name when it is complete and on disk.

    Raises:
        UserError: A file with that name exists already.
        StoreUnavailableError: The database cannot be read, or the file cannot be written.
    """
    if copy.exists():
        raise UserError(f"{copy} exists already; name a new file.")
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        create(unfinished)
        with closing(connect(database)) as connection:
            connection.execute("VACUUM INTO ?", (str(unfinished),))
        flush(unfinished)
        unfinished.rename(copy)
        flush(copy.parent)
    except (OSError, sqlite3.DatabaseError) as fault:
        unfinished.unlink(missing_ok=True)
        reason = (isinstance(fault, OSError) and fault.strerror) or fault
        raise StoreUnavailableError(f"{database} cannot be copied to {copy}: {reason}.") from fault
