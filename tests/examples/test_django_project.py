"""The example of a Django project, served by uvicorn: Django's pages and admin, the Booking System, and the hook."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from msgspec.structs import replace

from openbooking.settings import Settings
from support.builders import session
from support.embedded_apps import Gateway, made_settings, stock, wait_for

pytestmark = pytest.mark.anyio
EXAMPLE = Path(__file__).parents[2] / "examples" / "django_project"
START = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
YOGA = [
    replace(member, start=START, end=START + timedelta(hours=1)) if member.start else member for member in session()
]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def serving(port: int, settings: Settings, folder: Path) -> Iterator[None]:
    """Migrate the club's database, and serve the project."""
    environment = {
        **os.environ,
        "CLUB_DATABASE": str(folder / "club.sqlite3"),
        "OPENBOOKING_DATABASE": settings.database,
        "OPENBOOKING_SITE_URL": settings.site_url,
        "OPENBOOKING_ACCESS": "headers",
        "OPENBOOKING_TRUSTED_PARTNER_HEADER": settings.trusted_partner_header,
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=EXAMPLE, env=environment, check=True)
    uvicorn = [sys.executable, "-m", "uvicorn", "--log-level", "warning", "--port", str(port)]
    with subprocess.Popen([*uvicorn, "clubsite.asgi:application"], cwd=EXAMPLE, env=environment) as server:
        try:
            yield
        finally:
            server.terminate()


async def test_django_shows_what_apps_have_booked(tmp_path: Path) -> None:
    site = f"http://127.0.0.1:{(port := free_port())}"
    settings = made_settings(str(tmp_path / "booking.sqlite3"), f"{site}/booking")
    await stock(settings, *YOGA)
    async with httpx2.AsyncClient(base_url=site) as client:
        with serving(port, settings, tmp_path):

            async def shows(text: str) -> bool:
                try:
                    return text in (await client.get("/")).text
                except httpx2.TransportError:
                    return False

            await wait_for(lambda: shows("Booked by apps: 0"))
            gateway = Gateway(client, settings)
            uuid = await gateway.book(YOGA)
            await wait_for(lambda: shows("Booked by apps: 1"))
            assert (await client.get("/booking")).headers["location"] == f"{settings.site_path}/"
            admin = await client.get("/admin/club/appbooking/")
            assert (admin.status_code, admin.headers["location"].partition("?")[0]) == (302, "/admin/login/")
            assert (await gateway.send("DELETE", f"orders/{uuid}")).status_code == 204
            await wait_for(lambda: shows("Booked by apps: 0"))
