"""Tests of the rules of the IdentityStore protocol, for store authors to inherit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from openbooking.identity.access_request_records import AccessRequest
from openbooking.identity.import_records import FollowedFeed, WaitingItems
from openbooking.identity.records import (
    EVERY_SELLER,
    Attempts,
    Authorization,
    Device,
    FeedPosition,
    FormerCredential,
    Grant,
    IdentityRecord,
    Partner,
    PendingSignIn,
    ProposalMail,
    RegistrationToken,
    Role,
    Session,
    SigningKey,
    User,
)
from openbooking.identity.scopes import Scope
from openbooking.identity.store import AccessRights, IdentityStore
from openbooking.testing.processes import Channel, kill_this_process, run_in_processes
from openbooking.testing.rules import rule
from openbooking.testing.samples import START

_PROCESSES = 3
_CHANGES = 20

R = TypeVar("R", bound=IdentityRecord)

LATER = START + timedelta(hours=1)
ALICE = Partner(key="alice", name="Alice", registered=START, registered_by="kit", api_key_digest="a")
BOB = Partner(key="bob", name="Bob", registered=START, registered_by="kit")
AUTHORIZATION = Authorization(
    id="1",
    partner="alice",
    seller="centre",
    user="ann",
    scopes=frozenset({Scope.OPENID}),
    issued=START,
    expires=LATER,
    refresh_digests=("x",),
)
RECORDS: tuple[IdentityRecord, ...] = (
    ALICE,
    AUTHORIZATION,
    User(name="ann", seller="centre", role=Role.MANAGER, link_digest="l", link_expires=LATER),
    Session(digest="s", username="ann", started=START, expires=LATER),
    Device(digest="d", username="ann", account="1", given=START, expires=LATER),
    PendingSignIn(digest="p", username="ann", account="1", expires=LATER),
    RegistrationToken(digest="r", name="kit", created=START, uses_left=3),
    SigningKey(kid="k", created=START, jwk={"kty": "RSA"}),
    Attempts(subject="account:ann", failures=1, blocked_until=START, expires=LATER),
    FeedPosition(partner="alice", feed="orders", position=7, read=START),
    ProposalMail(seller="centre", username="ann", account="u1", address="ann@example.com", next_attempt=START),
    FollowedFeed(source="https://provider.example.com/feed", since=START, cursor="https://provider.example.com/feed?2"),
    AccessRequest(
        id="q", name="Kit", email="kit@example.com", organisation="Kit", use_case="Book.", received=START, expires=LATER
    ),
    WaitingItems(feed="f", batch="1", parents=("session-series/1",), since=START, items=("{}",)),
)


def grant(seller: str, partner: str = "alice", **changes: Any) -> Grant:
    """Return a grant of that Seller, with these fields changed."""
    made = Grant(partner=partner, seller=seller, scopes=frozenset({Scope.OPENBOOKING}), changed=START, changed_by="kit")
    return replace(made, **changes)


def saved(record: R) -> R:
    """Return the record as `find` returns it after it was saved."""
    return replace(record, revision=record.revision + 1)


@rule("Identity stores")
class IdentityStoreTests:
    """Tests of any identity store. Inherit from this class, and define `open_store`."""

    def open_store(self, folder: Path) -> IdentityStore:
        """Open the identity store under test.

        Args:
            folder: A folder that belongs to the test. Stores that are opened with the same folder use the same
                database, also one after the other and in different processes.
        """
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncIterator[IdentityStore]:
        """Open the store, and close it afterwards."""
        store = self.open_store(folder)
        try:
            yield store
        finally:
            await store.close()

    def run(self, folder: Path, work: Callable[[IdentityStore], Coroutine[Any, Any, None]]) -> None:
        """Open the store, run `work` with it, and close it."""

        async def do() -> None:
            async with self.opened(folder) as store:
                await work(store)

        asyncio.run(do())

    def test_every_kind_of_record_is_saved_found_changed_and_removed(self, tmp_path: Path) -> None:
        """A saved record is found with all its fields and the next revision."""

        async def work(store: IdentityStore) -> None:
            for record in (*RECORDS, grant("centre")):
                kind = type(record)
                assert await store.save(record)
                assert await store.find(kind) == [saved(record)]
                assert await store.save(saved(record))
                assert await store.find(kind) == [saved(saved(record))]
                await store.remove(kind)
                assert await store.find(kind) == []

        self.run(tmp_path, work)

    def test_records_are_found_by_their_fields_in_the_order_of_their_keys(self, tmp_path: Path) -> None:
        """`find` accepts every field that the protocol names."""

        async def work(store: IdentityStore) -> None:
            unsettled = grant("studio", settled=False)
            assert await store.save(BOB, *RECORDS, unsettled, grant("centre"), grant("centre", "bob"))
            assert [partner.key for partner in await store.find(Partner)] == ["alice", "bob"]
            assert [found.seller for found in await store.find(Grant, partner="alice")] == ["centre", "studio"]
            assert [found.partner for found in await store.find(Grant, seller="centre")] == ["alice", "bob"]
            assert await store.find(Grant, settled=False) == [saved(unsettled)]
            assert await store.find(Grant, partner="alice", seller="nowhere") == []
            for kind, field, value in (
                (Partner, "api_key_digest", "a"),
                (Authorization, "id", "1"),
                (User, "name", "ann"),
                (User, "seller", "centre"),
                (User, "link_digest", "l"),
                (Session, "digest", "s"),
                (Session, "username", "ann"),
                (PendingSignIn, "digest", "p"),
                (PendingSignIn, "username", "ann"),
                (Device, "digest", "d"),
                (Device, "username", "ann"),
                (RegistrationToken, "digest", "r"),
                (SigningKey, "kid", "k"),
                (Attempts, "subject", "account:ann"),
            ):
                assert len(await store.find(kind, **{field: value})) == 1
                assert await store.find(kind, **{field: "nothing"}) == []
            await store.remove(Grant, partner="alice", seller="studio")
            await store.remove(Session, username="ann")
            await store.remove(Device, digest="d", username="ben")
            assert len(await store.find(Grant)) == 2
            assert await store.find(Session) == []
            assert len(await store.find(Device, digest="d", username="ann")) == 1

        self.run(tmp_path, work)

    def test_a_record_is_saved_only_over_the_revision_that_was_read(self, tmp_path: Path) -> None:
        """If one of several records has another revision, none of them is saved."""

        async def work(store: IdentityStore) -> None:
            assert await store.save(ALICE)
            assert not await store.save(ALICE)
            (read,) = await store.find(Partner)
            assert await store.save(replace(read, name="One"))
            assert not await store.save(replace(read, name="Other"))
            assert not await store.save(BOB, replace(read, name="Other"))
            assert not await store.save(replace(BOB, revision=3))
            assert [partner.name for partner in await store.find(Partner)] == ["One"]

        self.run(tmp_path, work)

    def test_records_are_saved_and_removed_in_one_transaction(self, tmp_path: Path) -> None:
        """If one of several records has another revision, nothing is saved and nothing is removed."""

        async def work(store: IdentityStore) -> None:
            assert not await store.save(removed=[ALICE])
            assert await store.save(ALICE, BOB, grant("centre"))
            assert not await store.save(replace(saved(BOB), name="Other"), removed=[replace(ALICE, revision=2)])
            assert not await store.save(replace(BOB, revision=2), removed=[saved(ALICE), saved(grant("centre"))])
            assert [partner.name for partner in await store.find(Partner)] == ["Alice", "Bob"]
            assert await store.save(replace(saved(BOB), name="Other"), removed=[saved(ALICE), saved(grant("centre"))])
            assert [partner.name for partner in await store.find(Partner)] == ["Other"]
            assert await store.find(Grant) == []
            assert not await store.save(removed=[saved(ALICE)])

        self.run(tmp_path, work)

    def test_of_callers_that_change_a_record_at_the_same_time_one_succeeds(self, tmp_path: Path) -> None:
        """Therefore a code or a refresh token is used once."""

        async def work(store: IdentityStore) -> None:
            outcomes = await asyncio.gather(*(store.save(replace(BOB, name=str(number))) for number in range(9)))
            assert sum(outcomes) == 1
            (read,) = await store.find(Partner)
            outcomes = await asyncio.gather(*(store.save(replace(read, name=f"{number}!")) for number in range(9)))
            assert sum(outcomes) == 1
            (kept,) = await store.find(Partner)
            assert kept.revision == 2
            assert kept.name == f"{outcomes.index(True)}!"

        self.run(tmp_path, work)

    def test_access_rights_of_a_partner(self, tmp_path: Path) -> None:
        """A token gives the rights for one Seller, an API key gives the rights for all Sellers."""

        async def work(store: IdentityStore) -> None:
            centre, studio, every = (grant(seller) for seller in ("centre", "studio", EVERY_SELLER))
            alice, authorization = saved(ALICE), saved(AUTHORIZATION)
            assert await store.access_rights("alice", "1", "centre") is None
            assert await store.access_rights_by_api_key("a") is None
            assert await store.save(ALICE, BOB, AUTHORIZATION, centre, studio, every, grant("centre", "bob"))
            for seller, expected in (("centre", {centre, every}), ("nowhere", {every}), ("", {every})):
                rights = await store.access_rights("alice", "1", seller)
                assert rights is not None
                assert set(rights.grants) == {saved(record) for record in expected}
                assert (rights.partner, rights.authorization) == (alice, authorization)
            assert await store.access_rights("bob", "2", "studio") == AccessRights(saved(BOB), ())
            rotated = replace(alice, api_key_digest="b", former_api_key=FormerCredential(digest="a", ends=LATER))
            assert await store.save(rotated)
            alice = saved(rotated)
            assert await store.access_rights_by_api_key("b") == await store.access_rights_by_api_key("a")
            rights = await store.access_rights_by_api_key("a")
            assert rights is not None
            assert rights.partner == alice
            assert set(rights.grants) == {saved(record) for record in (centre, studio, every)}

        self.run(tmp_path, work)

    def test_expired_records_are_removed(self, tmp_path: Path) -> None:
        """A record is removed from the moment of its expiry on. Other records stay."""

        async def work(store: IdentityStore) -> None:
            assert await store.save(*RECORDS)
            for moment, left in ((LATER - timedelta(microseconds=1), 1), (LATER, 0)):
                await store.remove_expired(moment)
                for kind in (Authorization, Session, PendingSignIn, Device, Attempts):
                    assert len(await store.find(kind)) == left
            for kept in (Partner, User, RegistrationToken, SigningKey):
                assert len(await store.find(kept)) == 1

        self.run(tmp_path, work)


@rule("Identity stores")
class DurableIdentityStoreTests(IdentityStoreTests):
    """Tests of an identity store on disk that several processes can open at the same time.

    Inherit from this class, and define `open_store`.
    """

    def test_a_revocation_is_visible_in_every_open_store_at_once(self, tmp_path: Path) -> None:
        """The stores do not cache access rights."""

        async def run() -> None:
            async with self.opened(tmp_path) as one, self.opened(tmp_path) as other:
                await one.save(ALICE, grant("centre"))
                (read,) = await other.find(Grant)
                assert await other.save(replace(read, period=1))
                rights = await one.access_rights("alice", "", "centre")
                assert rights is not None
                assert rights.grants[0].period == 1
                assert not await one.save(replace(read, period=2))

        asyncio.run(run())

    def test_records_outlive_the_store_that_saved_them(self, tmp_path: Path) -> None:
        """A store that is opened later finds the records."""

        async def run() -> None:
            async with self.opened(tmp_path) as store:
                await store.save(*RECORDS)
            async with self.opened(tmp_path) as store:
                for record in RECORDS:
                    assert await store.find(type(record)) == [saved(record)]

        asyncio.run(run())

    def test_of_processes_that_change_a_record_at_the_same_moment_one_succeeds(self, tmp_path: Path) -> None:
        """Therefore a code, a refresh token or a registration is used once, even by several processes."""
        outcomes = run_in_processes(self, *[partial(self.change_at_the_same_moment, tmp_path)] * _PROCESSES)
        for number, saved_by in enumerate(zip(*outcomes, strict=True)):
            assert sum(saved_by) == 1, f"{sum(saved_by)} of {_PROCESSES} processes saved change {number} of one record."

    async def change_at_the_same_moment(self, folder: Path, channel: Channel) -> None:
        """Add one record at the same moment as the other processes, then change it; send whether each was saved."""
        async with self.opened(folder) as store:
            record = BOB
            for _ in range(_CHANGES):
                await channel.wait_for_others()
                channel.send(await store.save(record))
                await channel.wait_for_others()
                (record,) = await store.find(Partner)

    def test_a_record_that_was_saved_outlives_a_killed_process(self, tmp_path: Path) -> None:
        """The process kills itself right after `save` has returned."""
        ((is_saved,),) = run_in_processes(self, partial(self.save_and_crash, tmp_path))
        assert is_saved

        async def work(store: IdentityStore) -> None:
            assert await store.find(Partner) == [saved(ALICE)], "The record was saved, and the store has lost it."

        self.run(tmp_path, work)

    async def save_and_crash(self, folder: Path, channel: Channel) -> None:
        """Save a record, send whether it was saved, and crash."""
        async with self.opened(folder) as store:
            channel.send(await store.save(ALICE))
            kill_this_process()
