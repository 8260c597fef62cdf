"""E-mail that tells the administrator of requests for access."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.identity.access_request_records import AccessRequest, AccessRequestState
from openbooking.mailing.access_request_mail import AccessRequestMail
from openbooking.settings import SmtpSecurity
from support.builders import NOW
from support.http_system import World
from support.servers.smtp_server import SmtpServer

pytestmark = pytest.mark.anyio

ASKED = AccessRequest(
    id="r1",
    name="Dee Veloper",
    email="dee@example.com",
    organisation="MyFitnessApp",
    use_case="Buy this!",
    received=NOW,
    expires=NOW + timedelta(days=90),
)


def sender(world: World, smtp: SmtpServer, **changes: Any) -> AccessRequestMail:
    """Return the sender of one process."""
    server: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": SmtpSecurity.NONE}
    made = server | {
        "smtp_from": "desk@booking.example.com",
        "administrator_email": "ops@booking.example.com",
        **changes,
    }
    return AccessRequestMail(replace(world.settings, **made), world.identity, world.clock)


async def test_the_administrator_is_told_once_of_new_requests(quiet_world: World, smtp: SmtpServer) -> None:
    refused = replace(ASKED, id="r2", state=AccessRequestState.REFUSED)
    await quiet_world.identity.save(ASKED, refused, replace(ASKED, id="r3"))
    for _ in range(3):
        await sender(quiet_world, smtp).send_due()
        quiet_world.pass_time(hours=2)
    (mail,) = smtp.mails
    assert mail.recipients == ("ops@booking.example.com",)
    assert mail.message["Subject"] == "2 new requests for access"
    text = mail.message.get_content()
    assert "https://booking.example.com/console/access-requests" in text
    assert [word for word in (ASKED.name, ASKED.email, ASKED.organisation, ASKED.use_case) if word in text] == []


async def test_one_mail_an_hour_is_sent_at_most(quiet_world: World, smtp: SmtpServer) -> None:
    for number in range(4):
        await quiet_world.identity.save(replace(ASKED, id=f"r{number}"))
        await sender(quiet_world, smtp).send_due()
        quiet_world.pass_time(minutes=25)
    assert [mail.message["Subject"] for mail in smtp.mails] == [
        "1 new request for access",
        "3 new requests for access",
    ]


async def test_a_failed_mail_is_sent_again(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(ASKED)
    await sender(quiet_world, smtp, smtp_port=1).send_due()
    assert smtp.mails == []
    await sender(quiet_world, smtp, administrator_email="", publisher_email="data@example.com").send_due()
    assert [mail.recipients for mail in smtp.mails] == [("data@example.com",)]
