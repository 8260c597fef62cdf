"""The links of the documentation to other hosts, and whether the hosts answer them."""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import httpx2

from docs_site.pages import find_pages

# Links to this machine are those of a tutorial, which starts the server.
_LINK = re.compile(r"(?:\]\(|<)(https?://(?!127\.0\.0\.1|localhost)[^)>\s#]+)")
_SECONDS = 20
_AT_ONCE = 8
# Statuses of hosts that refuse programs although the page exists.
_REFUSED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


def external_links(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the pages that link to each address of another host.

    Args:
        texts: The text of each page by its path.
    """
    found: dict[str, list[str]] = {}
    for page, text in sorted(texts.items()):
        for link in sorted(set(_LINK.findall(text))):
            found.setdefault(link, []).append(page)
    return found


def broken_links(links: Iterable[str]) -> dict[str, str]:
    """Return the reason why each broken link is broken. Links are asked for at the same time.

    Args:
        links: The addresses.
    """
    with (
        httpx2.Client(follow_redirects=True, timeout=_SECONDS, headers={"User-Agent": "openbooking-docs"}) as client,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):
        asked = list(links)
        reasons = threads.map(lambda link: _reason(client, link), asked)
        return {link: reason for link, reason in zip(asked, reasons, strict=True) if reason}


def _reason(client: httpx2.Client, link: str) -> str:
    """Return why a link is broken; an empty text if it is not."""
    try:
        with client.stream("GET", link) as reply:
            answers = reply.is_success or reply.status_code in _REFUSED
            return "" if answers else f"{reply.status_code} {HTTPStatus(reply.status_code).phrase}"
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as fault:
        return f"{type(fault).__name__}: {fault}"


def check_links() -> str:
    """Return a line for each broken link of the documentation, with its pages."""
    links = external_links(find_pages())
    return "\n".join(f"{link} ({reason}): {', '.join(links[link])}" for link, reason in broken_links(links).items())
