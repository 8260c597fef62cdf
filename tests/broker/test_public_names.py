"""The public names of the client: they are documented, and their import loads no server."""

import re
import subprocess
import sys
from pathlib import Path

import openbooking.broker

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "broker.md"
# The libraries of the server, and those that only some Brokers install.
NOT_LOADED = {
    "alembic",
    "argon2",
    "asyncpg",
    "icalendar",
    "jinja2",
    "joserfc",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "sqlalchemy",
    "starlette",
    "structlog",
    "typer",
    "uvicorn",
}


def test_import_of_the_client_loads_no_server() -> None:
    script = "import sys, openbooking.broker; print(*sorted(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ended.stdout.split())
    assert {name.partition(".")[0] for name in loaded} & NOT_LOADED == set()
    ours = {".".join(name.split(".")[:2]) for name in loaded if name.startswith("openbooking.")}
    assert ours <= {"openbooking.broker", "openbooking.harvest", "openbooking.openactive"}


def test_the_page_documents_each_public_name() -> None:
    documented = re.findall(r"^\| `(\w+)` \| .*\S.* \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(openbooking.broker.__all__)
