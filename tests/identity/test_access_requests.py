"""Requests for access: their bounds, the decision about them, and their erasure."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.keys import InvalidKeyError
from openbooking.identity import access_requests
from openbooking.identity.access_request_records import AccessRequest, AccessRequestState
from openbooking.identity.access_requests import (
    NewAccessRequest,
    RequestDecidedError,
    TooManyOpenRequestsError,
    UnknownRequestError,
)
from openbooking.identity.digests import digest
from openbooking.identity.partner_administration import PartnerExistsError
from openbooking.identity.records import EVERY_SELLER, Grant, Partner, Role, User
from openbooking.identity.sellers import UnknownSellerError
from openbooking.identity.sign_in.attempt_limiter import TooManyAttemptsError
from openbooking.identity.staff_administration import SharedAccountError
from support.identity_provider import Desk
from support.parties import CENTRE

pytestmark = pytest.mark.anyio

ADDRESS = "192.0.2.7"
ADMINISTRATOR = Actor(ActorKind.ADMINISTRATOR, "test")
ASKED = NewAccessRequest(
    name="Dee Veloper",
    email="Dee@fit.example.com",
    organisation="MyFitnessApp",
    phone="+44 20 7946 0000",
    site="https://fit.example.com/",
    use_case="People book classes.\nIn our app.",
)


async def received(desk: Desk, **changes: Any) -> AccessRequest:
    """Store a request, and return the latest one."""
    desk.clock.move(timedelta(seconds=1))
    await desk.provider.access_requests.receive(replace(ASKED, **changes), ADDRESS)
    return (await desk.provider.access_requests.requests())[0]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["", " ", "a\nb", "x" * 201, "a\u202eb"]),
        ("email", ["", "dee", "dee @fit.example.com", "d@" + "x" * 200 + ".example"]),
        ("organisation", ["", "x" * 201]),
        ("phone", ["1\n2", "9" * 201]),
        ("site", ["javascript:alert(1)", "fit.example.com"]),
        ("use_case", ["", "x" * 2_001]),
        ("redirect_uris", [("http://fit.example.com/cb",), ("https://fit.example.com/cb",) * 11]),
    ],
)
async def test_a_faulty_request_is_told_and_not_stored(desk: Desk, field: str, values: list[Any]) -> None:
    for value in values:
        faulty = replace(ASKED, **{field: value})
        assert [fault.field for fault in faulty.faults()] == [field]
        with pytest.raises(ValueError, match="faults"):
            await desk.provider.access_requests.receive(faulty, ADDRESS)
    assert await desk.store.find(AccessRequest) == []


async def test_an_address_waits_after_five_requests(desk: Desk) -> None:
    for _ in range(5):
        await received(desk)
    with pytest.raises(TooManyAttemptsError):
        await received(desk)
    await desk.provider.access_requests.receive(ASKED, "192.0.2.8")
    desk.clock.move(timedelta(hours=2))
    await received(desk)
    assert len(await desk.store.find(AccessRequest)) == 7


async def test_only_so_many_requests_may_wait_for_a_decision(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_requests, "MOST_OPEN", 2)
    decided, _ = await received(desk), await received(desk)
    with pytest.raises(TooManyOpenRequestsError):
        await received(desk)
    await desk.provider.access_requests.refuse(decided.id, ADMINISTRATOR)
    await received(desk)
    with pytest.raises(TooManyOpenRequestsError):
        await received(desk)
    desk.clock.move(timedelta(days=91))
    await received(desk)


@pytest.mark.parametrize("redirect_uris", [(), ("https://fit.example.com/cb",)])
async def test_an_approved_request_becomes_a_partner(desk: Desk, redirect_uris: tuple[str, ...]) -> None:
    request = await received(desk, redirect_uris=redirect_uris)
    requests = desk.provider.access_requests
    secret = (await requests.approve(request.id, "fit", [CENTRE.key], ADMINISTRATOR)).secret
    (partner,) = await desk.store.find(Partner, key="fit")
    assert (partner.name, partner.contacts) == ("MyFitnessApp", ("Dee@fit.example.com",))
    assert digest(secret) == (partner.secret_digest if redirect_uris else partner.api_key_digest)
    assert [grant.seller for grant in await desk.store.find(Grant, partner="fit")] == [CENTRE.key]
    kept = await requests.request(request.id)
    assert (kept.state, kept.partner, kept.decided_by) == (AccessRequestState.APPROVED, "fit", "administrator")
    with pytest.raises(RequestDecidedError):
        await requests.approve(request.id, "other", [CENTRE.key], ADMINISTRATOR)
    with pytest.raises(RequestDecidedError):
        await requests.refuse(request.id, ADMINISTRATOR)
    assert await desk.store.find(Partner, key="other") == []


async def test_a_request_that_cannot_be_approved_stays_open(desk: Desk) -> None:
    request = await received(desk)
    requests = desk.provider.access_requests
    for key, seller, refusal in (
        ("a b", EVERY_SELLER, InvalidKeyError),
        ("alice", EVERY_SELLER, PartnerExistsError),
        ("fit", "nobody", UnknownSellerError),
    ):
        with pytest.raises(refusal):
            await requests.approve(request.id, key, [seller], ADMINISTRATOR)
        assert await requests.request(request.id) == request
    await requests.refuse(request.id, ADMINISTRATOR)
    assert (await requests.request(request.id)).state is AccessRequestState.REFUSED


async def test_two_administrators_add_one_partner(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one has read the request before the first one decided."""
    request = await received(desk)
    requests = desk.provider.access_requests
    stale = [request]

    async def read_late(id_: str) -> AccessRequest:
        return stale.pop() if stale else await type(requests)._open_request(requests, id_)

    await requests.approve(request.id, "fit", [EVERY_SELLER], ADMINISTRATOR)
    monkeypatch.setattr(requests, "_open_request", read_late)
    with pytest.raises(RequestDecidedError):
        await requests.approve(request.id, "second", [EVERY_SELLER], ADMINISTRATOR)
    assert await desk.store.find(Partner, key="second") == []


async def test_a_request_is_erased_after_its_time(desk: Desk) -> None:
    request = await received(desk)
    desk.clock.move(timedelta(days=90))
    assert await desk.provider.access_requests.requests() == []
    with pytest.raises(UnknownRequestError):
        await desk.provider.access_requests.request(request.id)
    await desk.store.remove_expired(desk.clock())
    assert await desk.store.find(AccessRequest) == []


@pytest.mark.parametrize("contact", ["dee@FIT.example.com ", "020 7946 0000", "+44 (20) 7946-0000"])
async def test_the_requests_of_a_person_are_found_and_erased(desk: Desk, contact: str) -> None:
    await received(desk)
    other = await received(desk, email="sam@fit.example.com", phone="")
    requests = desk.provider.access_requests
    assert [each.email for each in await requests.of_person(contact)] == ["Dee@fit.example.com"]
    assert await requests.erase(contact) == 1
    assert await requests.requests() == [other]


@pytest.mark.parametrize("contact", ["", "fit.example.com", "0", "7946 0000"])
async def test_a_part_of_a_contact_finds_nobody(desk: Desk, contact: str) -> None:
    await received(desk)
    await received(desk, phone="")
    assert await desk.provider.access_requests.of_person(contact) == []


async def test_only_the_operator_makes_a_link_for_an_administrator(desk: Desk) -> None:
    """A manager could otherwise set the password of an administrator."""
    provider = desk.provider
    await provider.staff_administration.add(CENTRE.key, "dot", Role.STAFF, ADMINISTRATOR)
    assert await provider.user_administration.set_administrator("dot", is_administrator=True)
    (dot,) = await desk.store.find(User, name="dot")
    assert (dot.is_administrator, dot.link_digest) == (True, None)
    with pytest.raises(SharedAccountError):
        await provider.staff_administration.issue_link(CENTRE.key, "dot", ADMINISTRATOR)
    await provider.user_administration.issue_link("dot", ADMINISTRATOR)
    await provider.user_administration.set_administrator("dot", is_administrator=False)
    await provider.staff_administration.issue_link(CENTRE.key, "dot", ADMINISTRATOR)
