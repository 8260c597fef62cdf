"""Reads public documents of the web: dataset sites, Data Catalogs and descriptions of OpenID providers."""

from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec

from openbooking.broker.api.retries import Retries, repeat
from openbooking.broker.errors import DiscoveryError, retry_of_document
from openbooking.broker.flow import Answer, Flow, NoAnswerError, Request, send
from openbooking.harvest.urls import LinkError, split_credentials
from openbooking.openactive.web_addresses import is_web_address

MOST_REDIRECTS = 5

_REDIRECTS = (301, 302, 303, 307, 308)
_OK = 200


class Document(NamedTuple):
    """A document: the URL after redirects, the media type, and the text."""

    url: str
    media_type: str
    text: str


def read_document(url: str, accept: str, retries: Retries | None = None) -> Flow[Document]:
    """Return a document, following redirects.

    Raises:
        DiscoveryError: The document cannot be read.
    """
    if not is_web_address(url):
        raise DiscoveryError(f"{url[:200]} is no web address: it begins with neither https:// nor http://.")
    for _ in range(MOST_REDIRECTS + 1):
        answer = yield from _get(url, accept, retries or Retries())
        if answer.status in _REDIRECTS and answer.headers.get("location"):
            target = join(url, answer.headers["location"])
            if is_encrypted(url) and not is_safe_for_secrets(target):
                raise DiscoveryError(f"{url} redirects to {target}, which is not encrypted.")
            url = target
        elif answer.status != _OK:
            retry = retry_of_document(answer.status)
            raise DiscoveryError(f"{url} was answered with status {answer.status}.", retry=retry)
        else:
            media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Document(url, media_type, answer.content.decode("utf-8-sig", "replace"))
    raise DiscoveryError(f"{url} redirects more than {MOST_REDIRECTS} times.")


def read_json(text: str, url: str) -> Any:
    """Return the JSON of a document.

    Raises:
        DiscoveryError: The text is no JSON.
    """
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.MsgspecError, ValueError, RecursionError) as fault:
        raise DiscoveryError(f"{url} has no valid JSON: {fault}.") from fault


def join(url: str, link: str) -> str:
    """Return the web address to which a link in a document leads.

    Raises:
        DiscoveryError: The link is no web address.
    """
    try:
        joined = urljoin(url, link.strip())
        split_credentials(joined)
    except (ValueError, LinkError) as fault:
        raise DiscoveryError(f"{url} leads to {link[:200]!a}, which is no web address.") from fault
    return joined


def is_encrypted(url: str) -> bool:
    """Return whether a URL is encrypted."""
    return url.lower().startswith("https://")


def is_safe_for_secrets(url: str) -> bool:
    """Return whether a URL is encrypted, or leads to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "https" or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _get(url: str, accept: str, retries: Retries) -> Flow[Answer]:
    try:
        return (yield from repeat(lambda: send(Request("GET", url, {"accept": accept})), retries))
    except NoAnswerError as fault:
        raise DiscoveryError(f"{url} does not answer: {fault}", retry=fault.retry) from fault
