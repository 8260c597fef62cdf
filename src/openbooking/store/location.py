"""How the location of a database, a path or a URL, is shown to people."""

from pathlib import Path
from urllib.parse import urlsplit

from openbooking.store.backends import BACKENDS, scheme_of


def without_password(database: str) -> str:
    """Return the path, or the URL without its password and its query, which may hold one."""
    scheme = scheme_of(database)
    if not scheme or scheme not in BACKENDS:
        return database
    url = urlsplit(database)
    user, _, host = url.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{host}" if user else host
    return f"{scheme}://{netloc}{url.path}"


def full_name(database: str) -> str:
    """Return the absolute path, or the URL as `without_password` does."""
    return without_password(database) if scheme_of(database) else str(Path(database).resolve())
