"""The hosts to which the control of the sandbox answers."""

import httpx2
import pytest

from openbooking.sandbox.client import Sandbox
from openbooking.sandbox.control.app import is_own_host


@pytest.mark.parametrize("path", ["/sandbox", "/sandbox/api", "/sandbox/requests/1"])
def test_page_of_another_site_that_leads_to_this_machine_learns_nothing(
    openbooking_sandbox: Sandbox, path: str
) -> None:
    answer = httpx2.get(f"{openbooking_sandbox.url}{path}", headers={"host": "evil.example:8000"})
    assert answer.status_code == 421
    assert "sandbox." in answer.text
    assert "form_token" not in answer.text


def test_another_site_cannot_reset_the_sandbox(openbooking_sandbox: Sandbox) -> None:
    headers = {"host": "evil.example", "content-type": "application/json"}
    assert httpx2.post(f"{openbooking_sandbox.url}/sandbox/api/reset", headers=headers).status_code == 421


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("192.168.1.7:8000", True),
        ("[::1]:8000", True),
        ("sandbox:8000", True),
        ("try.example", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.", True),
        ("", False),
        ("[", False),
    ],
)
def test_names_that_another_site_may_have_are_not_those_of_the_sandbox(host: str, *, own: bool) -> None:
    assert is_own_host(host, "https://try.example/openbooking") is own
