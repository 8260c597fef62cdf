"""Where a database is: the path of an SQLite file, or the URL of a PostgreSQL database."""

from pathlib import Path
from urllib.parse import urlsplit

_POSTGRES = ("postgresql://", "postgres://")


def is_postgres(database: str) -> bool:
    """Whether this is the URL of a PostgreSQL database."""
    return database.startswith(_POSTGRES)


def without_password(database: str) -> str:
    """The path, or the URL as it may be shown."""
    if not is_postgres(database):
        return database
    url = urlsplit(database)
    user, _, host = url.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{host}" if user else host
    return url._replace(netloc=netloc, query="").geturl()


def full_name(database: str) -> str:
    """The full path, or the URL as it may be shown."""
    return without_password(database) if is_postgres(database) else str(Path(database).resolve())
