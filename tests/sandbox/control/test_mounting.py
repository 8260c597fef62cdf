"""No setting of a real Booking System turns the sandbox on."""

from pathlib import Path

import httpx2
import pytest
from starlette.routing import Route

from openbooking.sandbox.control.api import API_PATH
from openbooking.sandbox.control.page import PAGE_PATH
from openbooking.settings import AccessMode, Settings, describe_settings
from openbooking.web.app import create_app

SOURCES = Path(__file__).parents[3] / "src" / "openbooking"

pytestmark = pytest.mark.anyio


def test_no_setting_names_the_sandbox_or_a_fault() -> None:
    described = [" ".join(each).lower() for each in describe_settings(Settings())]
    assert len(described) > 50
    assert not [text for text in described for word in ("sandbox", "turned clock", "faults") if word in text]


@pytest.mark.parametrize("access", [AccessMode.API_KEY, AccessMode.OPENID])
async def test_an_application_with_all_settings_on_has_no_route_of_the_sandbox(
    tmp_path: Path, access: AccessMode
) -> None:
    settings = Settings(
        database=str(tmp_path / "x.sqlite3"), access=access, test_interface=True, metrics_token="m" * 32
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        paths = [route.path for route in app.router.routes if isinstance(route, Route)]
        assert len(paths) > 50
        assert not [path for path in paths if "sandbox" in path]
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=settings.site) as client:
            for path in (PAGE_PATH, API_PATH):
                assert (await client.get(path)).status_code == 404


def test_nothing_but_commands_and_the_sandbox_itself_names_the_control() -> None:
    named = {
        str(file.relative_to(SOURCES)).partition("/")[0]
        for file in SOURCES.rglob("*.py")
        if any(f"openbooking.sandbox.{room}" in file.read_text(encoding="utf-8") for room in ("control", "faults"))
    }
    assert named == {"cli", "sandbox"}
