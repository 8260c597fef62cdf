"""The times when Booking Partners and their credentials were last used."""

import asyncio
from datetime import timedelta
from unittest.mock import AsyncMock

import pytest

from openbooking.booking.store import StoreUnavailableError
from openbooking.identity.digests import digest
from openbooking.identity.partners.last_use import LastUseRecorder
from openbooking.identity.records import IdentityRecord, Partner
from openbooking.identity.scopes import Scope
from support.identity_provider import Desk, partner

pytestmark = pytest.mark.anyio


async def test_the_last_use_of_a_partner_is_accurate_to_a_quarter_of_an_hour(desk: Desk) -> None:
    await desk.store.save(partner("carol"))
    for minutes, noted in ((0, 0), (10, 0), (6, 16)):
        desk.clock.move(timedelta(minutes=minutes))
        await desk.caller("obk_carol", Scope.ORDERS_FEED)
        await desk.provider.last_use_recorder.wait_until_written()
        (carol,) = await desk.store.find(Partner, key="carol")
        assert carol.last_used
        assert carol.last_used == carol.registered + timedelta(minutes=noted)


async def test_one_of_several_concurrent_requests_records_the_use(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.store.save(partner("carol"))
    saved: list[IdentityRecord] = []
    all_ask, save = asyncio.Event(), desk.store.save

    async def slowly(*records: IdentityRecord) -> bool:
        saved.extend(records)
        await all_ask.wait()
        return await save(*records)

    monkeypatch.setattr(desk.store, "save", slowly)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(desk.caller("obk_carol", Scope.ORDERS_FEED))
    all_ask.set()
    await desk.provider.last_use_recorder.wait_until_written()
    assert len(saved) == 1


async def test_a_use_that_was_not_written_is_written_by_the_next_request(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = partner("carol")
    await desk.store.save(carol)
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "save", AsyncMock(return_value=False))
        await desk.caller("obk_carol", Scope.ORDERS_FEED)
        await desk.provider.last_use_recorder.wait_until_written()
    await desk.caller("obk_carol", Scope.ORDERS_FEED)
    await desk.provider.last_use_recorder.wait_until_written()
    (found,) = await desk.store.find(Partner, key="carol")
    assert found.last_used == carol.registered


async def find_alice(desk: Desk) -> Partner:
    await desk.provider.last_use_recorder.wait_until_written()
    (found,) = await desk.store.find(Partner, key="alice")
    return found


@pytest.mark.spec("OB-AUTH-08")
async def test_no_request_waits_until_its_use_is_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written = asyncio.Event()

    async def never(*records: IdentityRecord) -> bool:
        del records
        await written.wait()
        return True

    monkeypatch.setattr(desk.store, "save", never)
    assert (await asyncio.wait_for(desk.caller("obk_alice"), 10)).partner == "alice"
    written.set()
    await desk.provider.last_use_recorder.wait_until_written()


@pytest.mark.spec("OB-AUTH-08")
async def test_no_request_fails_because_its_use_cannot_be_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    save = AsyncMock(side_effect=StoreUnavailableError("The disk is full."))
    monkeypatch.setattr(desk.store, "save", save)
    for _ in range(3):
        assert (await desk.caller("obk_alice")).partner == "alice"
        await desk.provider.last_use_recorder.wait_until_written()
    assert save.await_count == 1


@pytest.mark.spec("OB-AUTH-08")
async def test_several_processes_may_record_the_same_use(desk: Desk) -> None:
    """A process does not overwrite the newer record of another process."""
    read, others = await find_alice(desk), [LastUseRecorder(desk.store, desk.clock) for _ in range(3)]
    for uses in others:
        uses.record(read, digest("obk_alice"))
    for uses in others:
        await uses.wait_until_written()
    found = await find_alice(desk)
    assert (found.revision, found.api_key_last_used) == (read.revision + 1, desk.clock())
    others[1].record(found, digest("obk_alice"))
    await others[1].wait_until_written()
    assert (await find_alice(desk)).revision == found.revision
