"""The form of the public address of a site: scheme, host, and perhaps a port and the path of a mount."""

import re

# Segments of unreserved characters (RFC 3986 2.3), which no client encodes in two ways. None is "." or "..".
_SEGMENTS = r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?"
_HOST = r"(?:[^/?#@\s:\[\]\\]+|\[[0-9A-Fa-f:.]+\])"
# 1 to 65535, with leading zeros.
_PORT = r"0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_PATH = re.compile(_SEGMENTS)
_ADDRESS = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*://{_HOST}(?::{_PORT})?{_SEGMENTS}")


def is_site_address(text: str) -> bool:
    """Return whether the text is a URL of a scheme, a host, an optional port and an optional path, and nothing else."""
    return _ADDRESS.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Return whether the text is a path of unreserved characters, with or without a slash at either end."""
    return _PATH.fullmatch("/" + text.strip("/")) is not None
