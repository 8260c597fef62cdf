"""`openbooking access-request`: list, show, approve and refuse requests; `person` and `user administrator`."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from openbooking.cli.database import with_system
from openbooking.clock import SystemClock
from openbooking.identity.access_request_records import AccessRequest
from openbooking.system import System
from support.command_line import add_seller, fail, succeed

NOW = SystemClock()()


def ask(id_: str, redirect_uris: tuple[str, ...] = ()) -> None:
    """Store a request."""
    request = AccessRequest(
        id=id_,
        name="Dee",
        email="dee@fit.example.com",
        organisation="Fit",
        use_case="Book.",
        received=NOW,
        expires=NOW + timedelta(days=90),
        redirect_uris=redirect_uris,
    )

    async def save(system: System) -> None:
        assert await system.identity.store.save(request)

    with_system(None, save)


@pytest.fixture(autouse=True)
def requests(database: Path) -> None:
    add_seller("oak")
    ask("r1")


def test_a_request_is_listed_shown_and_approved() -> None:
    cells = succeed("access-request", "list").strip().split("\t")
    assert (cells[0], *cells[2:]) == ("r1", "open", "Fit", "Dee", "dee@fit.example.com")
    assert "use case\tBook." in succeed("access-request", "show", "r1")
    assert "Name the Sellers" in fail(1, "access-request", "approve", "r1", "--key", "fit")
    both = ("--seller", "oak", "--all-sellers")
    assert "Name the Sellers" in fail(1, "access-request", "approve", "r1", "--key", "fit", *both)
    assert "no Seller elm" in fail(1, "access-request", "approve", "r1", "--key", "fit", "--seller", "elm")
    secret = succeed("access-request", "approve", "r1", "--key", "fit", "--seller", "oak").splitlines()[0]
    assert secret.startswith("obk_")
    assert succeed("partner", "list").split("\t")[:3] == ["fit", "Fit", "oak"]
    shown = succeed("access-request", "show", "r1").splitlines()
    assert shown[-1].split("\t")[2:] == ["administrator", "fit"]
    assert "already" in fail(1, "access-request", "refuse", "r1")


def test_an_app_with_redirect_uris_gets_a_client_secret() -> None:
    ask("r2", redirect_uris=("https://fit.example.com/cb",))
    assert succeed("access-request", "approve", "r2", "--key", "fit").startswith("obs_")
    assert "redirect URI\thttps://fit.example.com/cb" in succeed("access-request", "show", "r2")


def test_a_request_is_refused() -> None:
    succeed("access-request", "refuse", "r1")
    assert "\trefused\t" in succeed("access-request", "list")
    assert "no access request r9" in fail(1, "access-request", "refuse", "r9")


def test_the_requests_of_a_person_are_exported_and_erased() -> None:
    exported = json.loads(succeed("person", "export", "dee@fit.example.com"))
    assert [each["organisation"] for each in exported["access_requests"]] == ["Fit"]
    assert "Erased 1 access requests" in succeed("person", "erase", "dee@fit.example.com", "--yes")
    assert succeed("access-request", "list") == ""


def test_a_user_becomes_an_administrator() -> None:
    succeed("user", "add", "ann", "--seller", "oak")
    told = succeed("user", "administrator", "ann")
    assert "ann is an administrator now." in told
    assert "link to set a password has ended" in told
    assert succeed("user", "list").strip().endswith("\tadministrator")
    assert "ann is no administrator now." in succeed("user", "administrator", "ann", "--end")
    assert succeed("user", "list").strip().endswith("\tmanager")
