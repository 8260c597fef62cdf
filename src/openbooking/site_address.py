"""The form of the public address of a site: scheme, host, and perhaps a port and the path of a mount."""

import re
from urllib.parse import SplitResult

# The names of this machine. An address on them needs no TLS, because nothing that is sent leaves the machine.
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

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


def is_https_or_local(url: SplitResult) -> bool:
    """Return whether a URL has the scheme https, or the scheme http and a host on this machine, as in a trial."""
    return bool(url.hostname) and (url.scheme == "https" or is_local(url))


def is_local(url: SplitResult) -> bool:
    """Return whether a URL has the scheme http and a host on this machine."""
    return url.scheme == "http" and url.hostname in LOCAL_HOSTS
