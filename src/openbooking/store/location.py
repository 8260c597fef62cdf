"""The location of a database, a path or a URL, as messages and logs show it: without passwords."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from openbooking.store.backends import scheme_of


def redact_password(database: str) -> str:
    """Return a path as it is, and a URL without its password and without its query, which may hold a password."""
    scheme, separator, _ = database.partition("://")
    if not separator:
        # The words of a PostgreSQL connection, which are no location here.
        return re.sub(r"(password\s*=\s*)('[^']*'|\S+)", r"\1…", database, flags=re.IGNORECASE)
    url = urlsplit(database)
    user, _, host = url.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{host}" if user else host
    return f"{scheme}://{netloc}{url.path}"


def full_name(database: str) -> str:
    """Return the absolute path of a file, or a URL as `redact_password` returns it."""
    return redact_password(database) if scheme_of(database) else str(Path(database).resolve())
