"""The checks of the public address and of the mail server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openbooking.serving.start_checks.finding import Finding, Result
from openbooking.serving.start_checks.network import check_mail, check_port, check_site
from openbooking.settings import Settings
from support.feeds.answers import Answer
from support.feeds.server import serving
from support.servers.smtp_server import running_smtp_server

EVERYWHERE = "0.0.0.0"  # noqa: S104 - as containers do
MAIL: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_from": "desk@example.com", "smtp_security": "none"}


def of_site(**values: Any) -> Finding:
    (finding,) = check_site(Settings(**values))
    return finding


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Answer(b'{"status":"ok"}', headers=(("X-Request-ID", "1"),)), Result.WARNING),
        (Answer(b'{"status":"ok"}'), Result.FAILED),
        (Answer(b"", status=404), Result.FAILED),
    ],
)
def test_a_port_is_free_or_used_by_this_system_or_by_another_program(answer: Answer, result: Result) -> None:
    with serving(lambda _: answer) as site:
        (found,) = check_port(Settings(port=int(site.url.rpartition(":")[2])))
        assert (found.result, [path for path, _ in site.asked]) == (result, ["/healthz"])


def test_a_trusted_certificate_is_ok_and_another_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: Answer(b""), tmp_path) as site:
        found = of_site(site_url=site.url)
        assert (found.result, "no valid certificate" in found.message) == (Result.WARNING, True)
        monkeypatch.setenv("SSL_CERT_FILE", str(site.certificate))
        assert of_site(site_url=site.url).result is Result.OK


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Only this machine"),
        ({"host": EVERYWHERE, "site_url": "http://localhost:8000"}, "without TLS"),
        ({"site_url": "https://127.0.0.1:1"}, "does not answer"),
        ({"site_url": "https://nowhere.invalid"}, "nowhere.invalid"),
        (
            {"site_url": "http://desk.example.com", "access": "headers", "trusted_partner_header": "X-Partner"},
            "has no TLS",
        ),
    ],
)
def test_an_address_that_brokers_cannot_use_is_told(values: dict[str, Any], message: str) -> None:
    found = of_site(**values)
    assert found.result is Result.WARNING
    assert message in found.message


@pytest.mark.anyio
async def test_a_mail_server_is_asked_without_sending() -> None:
    async with running_smtp_server() as server:
        (found,) = await asyncio.to_thread(lambda: list(check_mail(Settings(**MAIL, smtp_port=server.port))))
        assert found.result is Result.OK
        assert (server.connections, server.mails) == (1, [])


def test_a_mail_server_that_does_not_answer_is_told() -> None:
    (found,) = check_mail(Settings(**MAIL, smtp_port=1))
    assert (found.result, "cannot be used" in found.message) == (Result.WARNING, True)


def test_without_a_mail_server_there_is_nothing_to_check() -> None:
    assert list(check_mail(Settings())) == []
