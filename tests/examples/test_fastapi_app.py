"""The example of a FastAPI application: its own pages, the Booking System below a path, and the hook."""

import importlib.util
from pathlib import Path
from typing import Any

import httpx2
import pytest

from openbooking.testing.samples import Clock
from support.builders import session
from support.embedded_apps import Gateway, made_settings, stock, wait_for

pytestmark = pytest.mark.anyio
EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app" / "club.py"
SITE = "https://club.example.com"
YOGA = session("yoga")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("example_club", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_register_of_the_club_follows_bookings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    club = load()
    settings = made_settings(str(tmp_path / "booking.sqlite3"), f"{SITE}/booking")
    await stock(settings, *YOGA)
    app = club.make_app(settings, club.Register(str(tmp_path / "club.sqlite3")), Clock())
    transport = httpx2.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url=SITE) as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/register")).status_code == 401
        monkeypatch.setenv("CLUB_REGISTER_IS_PUBLIC", "yes")
        gateway = Gateway(client, settings)
        uuids = [await gateway.book(YOGA) for _ in range(2)]

        async def shows(text: str) -> bool:
            return text in (await client.get("/register")).text

        await wait_for(lambda: shows("scheduled-sessions/yoga: 2"))
        assert (await gateway.send("DELETE", f"orders/{uuids[0]}")).status_code == 204
        await wait_for(lambda: shows("scheduled-sessions/yoga: 1"))


def test_an_event_that_is_told_twice_is_counted_once(tmp_path: Path) -> None:
    register = load().Register(str(tmp_path / "club.sqlite3"))
    for event in ("one", "one", "two"):
        register.add(event, ["scheduled-sessions/yoga"], 1)
    assert register.sessions() == {"scheduled-sessions/yoga": 2}
