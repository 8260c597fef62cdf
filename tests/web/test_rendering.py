"""Templates are compiled once in a process, and rendered with the settings of each Booking System."""

import pytest
from jinja2 import Environment

from openbooking.settings import Settings
from openbooking.web.rendering import Renderer


def test_renderers_share_compiled_templates_and_keep_their_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (Renderer(Settings(name=name, site_url=f"https://{name}.example.com")) for name in ("One", "Two"))
    for renderer in (first, second):
        renderer.add_filters(day=str)
    values = {"status": 404}
    assert b"One" in bytes(first.page("error.html", values).body)
    monkeypatch.delattr(Environment, "_compile")
    body = bytes(second.page("error.html", values).body)
    assert b"Two" in body
    assert b"One" not in body
