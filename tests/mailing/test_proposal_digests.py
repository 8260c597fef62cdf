"""Digests by e-mail, which tell staff that proposals wait."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.proposal_decisions import DecideProposal
from openbooking.booking.model.order import OrderKey
from openbooking.booking.views import StoreWithViews
from openbooking.identity.records import ProposalMail, User
from openbooking.mailing.proposal_digests import ProposalDigests
from openbooking.settings import SmtpSecurity
from support.approval_flow import PARTY, proposal_of
from support.builders import new_uuid
from support.http_system import YOGA, World, open_world
from support.parties import CUSTOMER, MANAGER
from support.servers.smtp_server import SmtpServer

pytestmark = pytest.mark.anyio

ANN = ProposalMail(seller="centre", username="ann", account="ann", address="ann@riverside.example.com")
CAT = replace(ANN, username="cat", account="cat", address="cat@riverside.example.com")
BEN = ProposalMail(seller="studio", username="ben", account="ben", address="ben@pine.example.com")


def digests(world: World, smtp: SmtpServer, **changes: Any) -> ProposalDigests:
    """Return the sender of digests of one process."""
    sender = {"smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_from": "desk@booking.example.com"}
    settings = replace(world.settings, **{**sender, "smtp_security": SmtpSecurity.NONE, **changes})
    assert isinstance(world.store, StoreWithViews)
    return ProposalDigests(settings, world.identity, world.store, world.store.views, world.clock)


async def propose(world: World) -> str:
    """Propose a space of the party, and return the Order UUID."""
    uuid = new_uuid()
    reply = await world.call("PUT", f"order-proposals/{uuid}", proposal_of(world, PARTY))
    assert reply.status_code == 201
    return uuid


async def test_each_user_who_wants_it_is_told_once(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(ANN, CAT, BEN)
    await propose(quiet_world)
    await propose(quiet_world)
    for _ in range(3):
        await digests(quiet_world, smtp).send_due()
        quiet_world.pass_time(hours=1)
    assert [mail.recipients for mail in smtp.mails] == [(ANN.address,), (CAT.address,)]
    message = smtp.mails[0].message
    assert message["Subject"] == "2 proposals wait at Riverside Centre"
    assert message["From"] == "desk@booking.example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "2 proposals wait for a decision of Riverside Centre. 2 of them are new." in text
    assert "Decide before Wednesday 3 March 2027 at 13:00, when the first one ends." in text
    assert "https://booking.example.com/console/proposals" in text


async def test_a_digest_has_no_personal_data_of_customers(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(ANN)
    uuid = await propose(quiet_world)
    await digests(quiet_world, smtp).send_due()
    sent = smtp.mails[0].message.as_string()
    for private in (*CUSTOMER.values(), uuid):
        assert private not in sent.replace("Person", "")


async def test_a_later_proposal_waits_until_the_pause_is_over(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(ANN)
    sender = digests(quiet_world, smtp, proposal_mail_minutes=30)
    await propose(quiet_world)
    await sender.send_due()
    await propose(quiet_world)
    quiet_world.pass_time(minutes=29)
    await sender.send_due()
    assert len(smtp.mails) == 1
    quiet_world.pass_time(minutes=1)
    await sender.send_due()
    assert "2 proposals wait for a decision of Riverside Centre. 1 of them is new." in (
        smtp.mails[1].message.get_content()
    )


async def test_no_mail_is_sent_if_no_proposal_waits(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(ANN)
    uuid = await propose(quiet_world)
    reject = DecideProposal(order=OrderKey("alice", uuid), accept=False, actor=MANAGER)
    await quiet_world.store.execute(reject)
    await digests(quiet_world, smtp).send_due()
    assert smtp.connections == 0


async def test_of_several_processes_one_sends(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(ANN)
    await propose(quiet_world)
    await asyncio.gather(*(digests(quiet_world, smtp).send_due() for _ in range(8)))
    assert len(smtp.mails) == 1


@pytest.mark.parametrize("refused", [{"RCPT": "550 no such user"}, {"MAIL": "451 try later"}, {"EHLO": "421 busy"}])
async def test_a_refused_digest_is_tried_again(quiet_world: World, smtp: SmtpServer, refused: dict[str, str]) -> None:
    await quiet_world.identity.save(ANN)
    await propose(quiet_world)
    smtp.refused = {**refused, **({"HELO": "421 busy"} if "EHLO" in refused else {})}
    await digests(quiet_world, smtp).send_due()
    smtp.refused = {}
    await digests(quiet_world, smtp).send_due()
    assert smtp.mails == []
    quiet_world.pass_time(minutes=5)
    await digests(quiet_world, smtp).send_due()
    assert len(smtp.mails) == 1


async def test_a_server_that_cannot_be_reached_does_not_keep_others_from_their_digest(
    quiet_world: World, smtp: SmtpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await quiet_world.identity.save(ANN, CAT)
    await propose(quiet_world)
    await digests(quiet_world, smtp, smtp_port=1).send_due()
    assert capsys.readouterr().out.count("proposal_mail.failed") == 2
    quiet_world.pass_time(minutes=5)
    await digests(quiet_world, smtp).send_due()
    assert len(smtp.mails) == 2


async def test_an_address_is_not_logged(
    quiet_world: World, smtp: SmtpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await quiet_world.identity.save(ANN)
    await propose(quiet_world)
    capsys.readouterr()
    smtp.refused = {"RCPT": "550 no such user"}
    await digests(quiet_world, smtp).send_due()
    logged = capsys.readouterr().out
    assert "SMTPRecipientsRefused" in logged
    assert ANN.address not in logged


@pytest.mark.parametrize("change", [{"seller": "studio"}, {"id": "another account of that name"}, None])
async def test_somebody_who_works_there_no_more_is_not_told(
    quiet_world: World, smtp: SmtpServer, change: dict[str, str] | None
) -> None:
    await quiet_world.identity.save(ANN)
    (ann,) = await quiet_world.identity.find(User, name="ann")
    await quiet_world.identity.remove(User, name="ann")
    if change:
        await quiet_world.identity.save(replace(ann, revision=0, **change))
    await propose(quiet_world)
    await digests(quiet_world, smtp).send_due()
    assert smtp.mails == []
    assert await quiet_world.identity.find(ProposalMail) == []


async def test_a_proposal_of_another_seller_is_not_told(quiet_world: World, smtp: SmtpServer) -> None:
    await quiet_world.identity.save(BEN)
    await propose(quiet_world)
    await digests(quiet_world, smtp).send_due()
    assert smtp.mails == []


async def test_a_running_system_sends_digests(tmp_path: Path, smtp: SmtpServer, quick_passwords: None) -> None:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": "none", "smtp_from": "a@example.com"}
    async with open_world("memory", tmp_path, **mail) as world:
        world.judged = False
        await world.store.execute(Publish(tuple(PARTY), actor=MANAGER))
        await world.identity.save(ANN)
        await propose(world)
        while not smtp.mails:
            world.pass_time(minutes=1)
            await anyio.sleep(0.05)


async def test_a_mail_server_that_hangs_does_not_delay_the_sweeper(
    tmp_path: Path, smtp: SmtpServer, quick_passwords: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbooking.mailing.smtp._TIMEOUT", 600)
    smtp.hangs = True
    mail = {"smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": "none", "smtp_from": "a@example.com"}
    async with open_world("memory", tmp_path, **mail) as world:
        world.judged = False
        await world.store.execute(Publish(tuple(PARTY), actor=MANAGER))
        await world.identity.save(ANN)
        await propose(world)
        quote = world.quote(world.item(YOGA), customer=CUSTOMER)
        assert (await world.call("PUT", f"order-quotes/{new_uuid()}", quote)).status_code == 200
        while not smtp.connections:
            world.pass_time(minutes=1)
            await anyio.sleep(0.02)
        world.pass_time(minutes=15)
        with anyio.fail_after(60):
            while (await yoga_left(world)) != 10:
                await anyio.sleep(0.02)


async def yoga_left(world: World) -> int:
    """Return how many spaces of yoga the open feed shows as left."""
    left: int = (await world.read_feed("/feeds/scheduled-sessions"))["yoga"]["data"]["remainingAttendeeCapacity"]
    return left
