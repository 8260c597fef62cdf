"""SQLite files of stores: how tests open them, and search what is on the disk."""

from pathlib import Path

from openbooking.booking.model.policy import Policy
from openbooking.store.migrate import prepare
from openbooking.store.sqlite.store import SqliteStore
from openbooking.testing.samples import Clock
from openbooking.testing.store_case import feed_writer


def open_at(path: Path, clock: Clock | None = None) -> SqliteStore:
    """Return an open store in the file at `path`, which is made if it is missing."""
    prepare(str(path))
    return SqliteStore(path, policy=Policy(), writer=feed_writer(), clock=clock or Clock())


def on_disk(folder: Path) -> bytes:
    """Return the contents of all files in a folder, joined."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
