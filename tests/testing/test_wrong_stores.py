"""The store test kit passes a right store, and finds the fault of each store that is wrong on purpose.

A wrong store must pass the tests of the kit that have nothing to do with its fault. `make fire` runs them too.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg
import pytest

from openbooking.booking.model.policy import Policy
from openbooking.booking.store import FeedWriter
from openbooking.store.postgres.store import PostgresStore
from openbooking.testing import DurableStoreTests
from openbooking.testing.postgres import PostgresServer
from openbooking.testing.samples import Clock
from support.databases.wrong_stores import (
    NUMBERS,
    FileStore,
    StoreThatCommitsLate,
    StoreThatKeepsOldFiles,
    StoreThatNumbersEarly,
    StoreWithItsOwnState,
    StoreWithoutLock,
)

RACE = "test_processes_that_race_for_the_last_spaces_sell_no_space_twice"
CRASH = "test_a_killed_process_loses_no_booking_that_it_acknowledged"
FOLLOWER = "test_a_follower_of_a_feed_misses_nothing_while_several_processes_write"
REPEAT = "test_a_repeat_in_another_process_gets_the_same_answer"
ERASURE = "test_erased_personal_data_is_in_no_file_of_the_database"


class KitForFileStore(DurableStoreTests):
    rounds = 1
    store: type[FileStore] = FileStore

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> FileStore:
        return self.store(folder, policy=policy, writer=writer, clock=clock)


class KitForStoreWithoutLock(KitForFileStore):
    rounds = 3
    store = StoreWithoutLock


class KitForStoreWithItsOwnState(KitForFileStore):
    store = StoreWithItsOwnState


class KitForStoreThatCommitsLate(KitForFileStore):
    store = StoreThatCommitsLate


class KitForStoreThatKeepsOldFiles(KitForFileStore):
    store = StoreThatKeepsOldFiles


class KitForStoreThatNumbersEarly(DurableStoreTests):
    rounds = 2

    def __init__(self, url: str) -> None:
        self.url = url

    def open_store(self, folder: Path, *, policy: Policy, writer: FeedWriter, clock: Clock) -> PostgresStore:
        return StoreThatNumbersEarly(self.url, policy=policy, writer=writer, clock=clock)


@pytest.fixture
def in_long_runs(is_long_run: bool) -> Callable[..., Sequence[str]]:
    """Return a function that returns its arguments in `make fire`, and nothing in `make test`."""
    return lambda *names: names if is_long_run else ()


def failures(kit: Callable[[], DurableStoreTests], folder: Path, *names: str) -> dict[str, str]:
    """Return the messages of those of these tests of the kit that fail."""
    found = {}
    for name in names:
        (folder / name).mkdir()
        try:
            getattr(kit(), name)(folder / name)
        except AssertionError as failure:
            found[name] = "\n".join([str(failure), *failure.__notes__])
    return found


def test_a_right_store_passes(tmp_path: Path) -> None:
    assert failures(KitForFileStore, tmp_path, RACE, CRASH, FOLLOWER, REPEAT, ERASURE) == {}


@pytest.mark.parametrize("kit", [KitForStoreWithoutLock, KitForStoreWithItsOwnState])
def test_a_store_without_a_transaction_between_processes_fails_the_race(
    tmp_path: Path, kit: type[DurableStoreTests], in_long_runs: Callable[..., Sequence[str]]
) -> None:
    found = failures(kit, tmp_path, RACE, *in_long_runs(REPEAT, ERASURE))
    assert found.keys() == {RACE}
    assert "spaces of session" in found[RACE]
    assert "were sold, and its capacity is 2" in found[RACE]
    assert 'docs/how-to/write-a-store.md, section "Several processes"' in found[RACE]


def test_a_store_that_commits_after_its_reply_fails_the_crash(
    tmp_path: Path, in_long_runs: Callable[..., Sequence[str]]
) -> None:
    found = failures(KitForStoreThatCommitsLate, tmp_path, CRASH, *in_long_runs(RACE, FOLLOWER, REPEAT))
    assert found.keys() == {CRASH}
    assert "was acknowledged, and the store has lost it" in found[CRASH]
    assert 'docs/how-to/write-a-store.md, section "Crashes"' in found[CRASH]


def test_a_store_that_takes_numbers_inside_the_transaction_fails_a_follower(
    tmp_path: Path, postgres: PostgresServer, in_long_runs: Callable[..., Sequence[str]]
) -> None:
    async def add_sequence(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(NUMBERS)
        await connection.close()

    def kit() -> DurableStoreTests:
        url = postgres.new_database()
        asyncio.run(add_sequence(url))
        return KitForStoreThatNumbersEarly(url)

    found = failures(kit, tmp_path, FOLLOWER, *in_long_runs(RACE, CRASH, REPEAT))
    assert found.keys() == {FOLLOWER}
    assert "became visible after a higher change number had been read" in found[FOLLOWER]
    assert 'docs/how-to/write-a-store.md, section "Change numbers"' in found[FOLLOWER]


def test_a_store_that_keeps_erased_data_in_old_files_fails_the_search_of_files(tmp_path: Path) -> None:
    found = failures(KitForStoreThatKeepsOldFiles, tmp_path, REPEAT, ERASURE)
    assert found.keys() == {ERASURE}
    assert "values of personal data are still in the files of the database" in found[ERASURE]
    assert 'docs/how-to/write-a-store.md, section "Erasure"' in found[ERASURE]
