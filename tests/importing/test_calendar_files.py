"""A calendar is read from a file or a URL, up to a limit."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from openbooking.importing.calendar_files import read_calendar_file
from openbooking.timetable.calendars.components import MOST_BYTES
from openbooking.user_error import UserError


class Site(BaseHTTPRequestHandler):
    """A web site with a calendar, a redirect to it, and a document without end."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/calendar.ics")
            self.end_headers()
            return
        self.send_response(200 if self.path in ("/calendar.ics", "/endless") else 404)
        self.end_headers()
        try:
            for _ in range(10_000 if self.path == "/endless" else 1):
                self.wfile.write(b"x" * 10_000)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server has
        """Write no log."""


@pytest.fixture
def site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/calendar.ics", "/moved"])
def test_a_url_is_read_and_redirects_are_followed(site: str, path: str) -> None:
    assert read_calendar_file(site + path) == b"x" * 10_000


def test_a_document_without_end_is_read_up_to_the_limit(site: str) -> None:
    assert MOST_BYTES < len(read_calendar_file(f"{site}/endless")) < 2 * MOST_BYTES


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "calendar.ics"
    file.write_bytes(b"x" * (MOST_BYTES + 100))
    assert len(read_calendar_file(str(file))) == MOST_BYTES + 1


@pytest.mark.parametrize("name", ["/missing", "webcal://127.0.0.1:1/calendar.ics", "http://[", "https://"])
def test_what_cannot_be_read_is_reported(site: str, name: str) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_calendar_file(site + name if name.startswith("/") else name)


def test_a_url_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(UserError, match=r"'ftp://example.com/a.ics' is no web address"):
        read_calendar_file("ftp://example.com/a.ics")
