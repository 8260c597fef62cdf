"""URLs of feeds: links that may be followed, and digests that identify a page."""

import hashlib
import re
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit, urlunsplit

MAX_URL_CHARACTERS = 8_000

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class LinkError(Exception):
    """A link must not be followed. The message is a noun that names the target, such as "another host"."""


def resolve_link(url: str, link: str) -> str:
    """Return the URL of a link on a page, without credentials.

    On a page that was read by HTTPS, an `http://` link to the same host becomes an `https://` link. Servers behind a
    proxy often write such links, because they do not know that clients use HTTPS.

    Args:
        url: The URL of the page.
        link: The link, absolute or relative.

    Raises:
        LinkError: The link is no web address, or leads to another host. That host may be one in a private network.
    """
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, link.strip()))
        here_port, there_port = (part.port or _PORTS.get(part.scheme) for part in (here, there))
    except ValueError as fault:
        raise LinkError("no valid URL") from fault
    if _CONTROL.search(link.strip()) or len(link) > MAX_URL_CHARACTERS:
        raise LinkError("no valid URL")
    if there.scheme not in _PORTS or not there.hostname:
        raise LinkError("no web page")
    downgrade = (here.scheme, there.scheme) == ("https", "http") and there_port in (_PORTS["http"], here_port)
    upgrade = (here.scheme, there.scheme) == ("http", "https") and (here_port, there_port) == (80, 443)
    same_origin = (here.scheme, here_port) == (there.scheme, there_port)
    if here.hostname != there.hostname or not (same_origin or downgrade or upgrade):
        raise LinkError("another host")
    origin = here if downgrade else there
    return urlunsplit((origin.scheme, _host(origin.netloc), there.path, there.query, ""))


def split_credentials(url: str) -> tuple[str, str, str]:
    """Return a URL without credentials and fragment, and its user name and password, which may be empty.

    Raises:
        LinkError: The URL is no valid web address.
    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError as fault:
        raise LinkError("no valid URL") from fault
    if not valid or _CONTROL.search(url.strip()):
        raise LinkError("no valid URL")
    bare = urlunsplit((parts.scheme, _host(parts.netloc), parts.path, parts.query, ""))
    return bare, unquote(parts.username or ""), unquote(parts.password or "")


def page_key(url: str) -> str:
    """Return a digest that all spellings of a URL share. The order and encoding of the query do not matter."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme)
    query = parse_qsl(_ascii(parts.query), keep_blank_values=True, encoding="latin-1", max_num_fields=None)
    # The sort is stable, so that repeated parameters keep their order.
    query.sort(key=lambda pair: pair[0])
    same = repr((parts.scheme, host, port, _ESCAPE.sub(_decode_unreserved, _ascii(parts.path)) or "/", query))
    return hashlib.blake2b(same.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _ascii(text: str) -> str:
    return quote(text, safe=_PRINTABLE, errors="surrogatepass")


def _decode_unreserved(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if character in _UNRESERVED else escape[0].upper()
