"""The flow of an import: everything is read, what can be is published, what is gone is withdrawn."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from openbooking.booking.store import Store
from openbooking.importing.pages import Got
from openbooking.importing.publish import Publisher
from openbooking.importing.read_items import read_item
from openbooking.importing.read_pages import read_entry
from openbooking.importing.read_values import UnreadableError, shown
from openbooking.importing.report import Line, Outcome, Report
from openbooking.importing.sellers import Sellers
from openbooking.importing.spool import GivenWay, Spool


class ImportOptions(NamedTuple):
    """The name of all that is imported, the key of who sells it (None: whom the items name), and the time it is.

    With `hand_over` it becomes that Seller's even if it was another's.
    """

    source: str
    seller: str | None
    now: datetime
    hand_over: bool = False


async def run_import(store: Store, pages: AsyncIterator[Got], report: Report, options: ImportOptions) -> bool:
    """Import the pages; return whether everything could be."""
    known = {known.key: known for known in await store.sellers()}
    sellers = Sellers(store, report, known, options.seller)
    with Spool() as spool:
        await _Reader(spool, sellers, report, options.source).read(pages)
        publisher = Publisher(store, report, spool, sellers, options.now)
        if options.hand_over:
            await publisher.let_go()
        with report.counting("Published", spool.count()) as one_more:
            await publisher.publish(one_more)
        await publisher.withdraw()
        for label, where in spool.deleted():
            report.tell(Line(outcome=Outcome.WITHDRAWN, item=label, where=where))
    return report.complete


class _Reader:
    """The first half of an import: pages are taken apart, and what their items hold is put into a spool."""

    def __init__(self, spool: Spool, sellers: Sellers, report: Report, source: str) -> None:
        self._spool = spool
        self._sellers = sellers
        self._report = report
        self._source = source

    async def read(self, pages: AsyncIterator[Got]) -> None:
        """Read everything, telling of what cannot be read and of what is there twice."""
        with self._report.counting("Read") as one_more:
            async for where, page, fault in pages:
                if page is None:
                    self._report.tell(Line(outcome=Outcome.FAILED, item=shown(where), reason=fault))
                    continue
                for number, item in page.numbered():
                    self._read_item(item, f"{shown(where)} item {number}")
                    one_more()
        for given_way in self._spool.duplicates():
            self._tell_given_way(given_way)

    def _read_item(self, item: msgspec.Raw, where: str) -> None:
        try:
            entry = read_entry(item, self._source, where)
        except UnreadableError as fault:
            self._report.tell(Line(outcome=Outcome.FAILED, item=where, reason=str(fault)))
            return
        reading = read_item(entry)
        for label, reason in reading.faults:
            self._report.tell(Line(outcome=Outcome.FAILED, item=label, where=where, reason=reason))
        if not reading.source:
            return
        for draft in reading.drafts:
            self._sellers.note(draft.seller)
        given_way = self._spool.put(entry, reading, bytes(item))
        if given_way:
            self._tell_given_way(given_way)

    def _tell_given_way(self, given_way: GivenWay) -> None:
        reason = f"a later version is {given_way.other}"
        if not given_way.superseded:
            reason = f"duplicate id: {given_way.other} was taken instead"
        self._report.tell(
            Line(
                outcome=Outcome.SUPERSEDED if given_way.superseded else Outcome.FAILED,
                item=given_way.label,
                where=given_way.place,
                reason=reason,
            )
        )
