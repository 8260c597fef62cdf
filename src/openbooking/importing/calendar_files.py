"""Reads a calendar from a file or from the web. Only an operator's command does so, never a page."""

from pathlib import Path

import httpx2

from openbooking import __version__
from openbooking.openactive.web_addresses import web_address_problem
from openbooking.timetable.calendars.components import MOST_BYTES
from openbooking.user_error import UserError

_TIMEOUT = httpx2.Timeout(30, connect=10)


def read_calendar_file(path_or_url: str) -> bytes:
    """Return a calendar, up to one byte more than `MOST_BYTES`.

    Args:
        path_or_url: A file, or a URL that begins with http, https or webcal.

    Raises:
        UserError: The file or the URL cannot be read.
    """
    scheme, separator, rest = path_or_url.partition("://")
    kind = scheme.strip().lower()
    if separator and kind in ("http", "https", "webcal"):
        return _fetch(f"https://{rest}" if kind == "webcal" else path_or_url)
    if separator:
        raise UserError(web_address_problem(path_or_url))
    try:
        with Path(path_or_url).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise UserError(f"{path_or_url} cannot be read: {fault.strerror}.") from fault


def _fetch(url: str) -> bytes:
    content = bytearray()
    headers = {"User-Agent": f"openbooking/{__version__}", "Accept": "text/calendar"}
    try:
        with (
            httpx2.Client(timeout=_TIMEOUT, headers=headers, follow_redirects=True, max_redirects=5) as client,
            client.stream("GET", url) as response,
        ):
            response.raise_for_status()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as fault:
        raise UserError(f"{url} cannot be read: {fault}") from fault
    return bytes(content)
