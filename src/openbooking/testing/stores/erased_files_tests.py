"""Tests of what a store leaves of erased personal data in the files of its database, to inherit."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.commands.orders.book import Book
from openbooking.booking.commands.orders.delete import DeleteOrder
from openbooking.booking.commands.orders.erase_personal_data import ErasePersonalData
from openbooking.booking.model.order import Order
from openbooking.booking.model.order_request import IntakeAnswer
from openbooking.testing.rules import rule
from openbooking.testing.samples import ALICE, MANAGER, START, Clock, book, fresh, session
from openbooking.testing.store_case import StoreTestCase

_UPKEEP_EVERY = timedelta(hours=1)
_LARGE_HEX_DIGITS = 4000


class Person:
    """A Customer with random personal data, so that each value can be found in a file and occurs nowhere else."""

    def __init__(self) -> None:
        self.values = [secrets.token_hex(16) for _ in range(5)]
        self.values.insert(2, str(secrets.randbits(128)))

    def booking(self, key: str) -> Book:
        """Return B of one space at this session. One of the values is at the end of a large text."""
        email, name, telephone, attendee, answer, end_of_note = self.values
        command = book(fresh(), key)
        note = secrets.token_hex(_LARGE_HEX_DIGITS) + end_of_note
        customer = {"@type": "Person", "email": f"{email}@customer.example.com", "givenName": name}
        item = replace(
            command.request.items[0],
            attendee={"@type": "Person", "email": attendee},
            intake_answers=(IntakeAnswer(sent={"@type": "PropertyValue", "value": answer}),),
        )
        customer |= {"telephone": telephone, "note": note}
        return replace(command, request=replace(command.request, customer=customer, items=(item,)), nonce=fresh())


@rule("Erasure")
class ErasedFilesTests(StoreTestCase):
    """Part of `DurableStoreTests`.

    Attributes:
        erased_within: The longest time that erased data may stay in the files if `forget_deleted` is called every hour.
    """

    erased_within = timedelta(hours=1)

    async def database_files(self, folder: Path) -> Iterable[Path]:
        """Return the files of the database; a folder stands for all files below it.

        Write data that the database has only in memory to the files first, for example by a checkpoint. Override this
        method if the database is not in `folder`.
        """
        return [folder]

    def test_erased_personal_data_is_in_no_file_of_the_database(self, tmp_path: Path) -> None:
        """One erased Order was deleted, one is over. After the erasure `forget_deleted` is called every hour."""

        async def run() -> None:
            clock, deleted, over, kept = Clock(), Person(), Person(), Person()
            async with self.stocked(tmp_path, clock, yoga=5) as store:
                series, later = session("later", 5)
                later = replace(later, start=START + timedelta(days=365), end=None)
                await store.execute(Publish((series, later), actor=MANAGER))
                booked = {deleted: deleted.booking("yoga"), over: over.booking("yoga"), kept: kept.booking("later")}
                for command in booked.values():
                    reply = await store.execute(command)
                    assert isinstance(reply, Order)
                    assert not reply.has_errors
                everything = {*deleted.values, *over.values, *kept.values}
                missing = everything - await self._found(tmp_path, everything)
                assert not missing, (
                    "Personal data was not in the files before it was erased, so the search proves nothing: "
                    "`database_files` must name all files, and the database must neither compress nor encrypt them."
                )
                clock.move(timedelta(days=11))
                await store.execute(DeleteOrder(caller=ALICE, uuid=booked[deleted].uuid))
                assert await store.execute(ErasePersonalData(over_before=clock())) == 1
                erased, deadline = {*deleted.values, *over.values}, clock() + self.erased_within
                while left := await self._found(tmp_path, erased):
                    assert clock() < deadline, (
                        f"{len(left)} of {len(erased)} values of personal data are still in the files of the database "
                        f"{self.erased_within} after their erasure."
                    )
                    await store.forget_deleted(clock() - timedelta(days=8))
                    clock.move(_UPKEEP_EVERY)
                assert await self._found(tmp_path, {*kept.values}) == {*kept.values}, (
                    "Data that was not erased is lost."
                )

        asyncio.run(run())

    async def _found(self, folder: Path, values: set[str]) -> set[str]:
        """Return the values that are in a file of the database."""
        found: set[str] = set()
        for data in _contents(await self.database_files(folder)):
            found |= {value for value in values - found if value.encode() in data}
        return found


def _contents(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else [path]:
            # The database may remove a file during the search.
            with suppress(FileNotFoundError):
                if file.is_file():
                    yield file.read_bytes()
