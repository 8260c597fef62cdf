"""The form of the public address of a site: a scheme and a host, with a path below which the site may lie."""

import re

# Segments of unreserved characters (RFC 3986 2.3), which no client encodes in two ways. None is "." or "..".
_SEGMENTS = r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?"
_HOST = r"(?:[^/?#@\s:\[\]\\]+|\[[0-9A-Fa-f:.]+\])"
_PATH = re.compile(_SEGMENTS)
_ADDRESS = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*://{_HOST}(?::(?!0+(?:/|$))[0-9]{{1,5}})?{_SEGMENTS}")


def is_site_address(text: str) -> bool:
    """Return whether the text has a scheme and a host, at most a port and a path besides, and nothing else."""
    return _ADDRESS.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Return whether the text is a path of plain segments, with or without a slash at either end."""
    return _PATH.fullmatch("/" + text.strip("/")) is not None
