"""The first half of an import: pages are taken apart, and what their items hold is put into a spool."""

from collections.abc import AsyncIterator, Callable

import msgspec

from openbooking.importing.page_sources import Got
from openbooking.importing.reading.entries import Entry, read_entry
from openbooking.importing.reading.items import Reading, event_series_key, read_item
from openbooking.importing.reading.source import Source
from openbooking.importing.reading.values import UnreadableError, read_text, shown
from openbooking.importing.report import Line, Outcome, Report
from openbooking.importing.sellers import Sellers
from openbooking.importing.spool import GivenWay, Spool


class PageReader:
    """Reads pages into a spool."""

    def __init__(self, spool: Spool, sellers: Sellers, report: Report, source: Source) -> None:
        self._spool = spool
        self._sellers = sellers
        self._report = report
        self._source = source

    async def read(self, pages: AsyncIterator[Got]) -> None:
        """Read everything, reporting what cannot be read and what is there twice."""
        # While a feed is read, its pages are counted; items are counted from the first one on.
        first = await anext(pages, None)
        with self._report.counting("Read") as one_more:
            if first:
                self._read_page(first, one_more)
            async for got in pages:
                self._read_page(got, one_more)
        for event_series, content, where in self._spool.belonging():
            reading = read_item(read_entry(msgspec.Raw(content), self._source, where), event_series)
            self._tell_faults(reading, where)
            self._note_sellers(reading)
            self._spool.put_again(reading, where)
        self._spool.delete_by_id(self._source)
        for given_way in self._spool.duplicates():
            self._tell_given_way(given_way)

    def _read_page(self, got: Got, one_more: Callable[[], None]) -> None:
        if got.page is None:
            self._report.tell(Line(outcome=Outcome.UNREAD, item=shown(got.where), reason=got.fault))
            return
        for number, item in got.page.numbered():
            self._read_item(item, f"{shown(got.where)} item {number}")
            one_more()

    def _read_item(self, item: msgspec.Raw, where: str) -> None:
        try:
            entry = read_entry(item, self._source, where)
        except UnreadableError as fault:
            self._report.tell(Line(outcome=Outcome.FAILED, item=where, reason=str(fault)))
            return
        reading = read_item(entry)
        self._tell_faults(reading, where)
        if reading.event_series:
            self._keep_event_series(reading, entry)
            return
        if not reading.sources:
            return
        self._note_sellers(reading)
        given_way = self._spool.put(entry, reading, bytes(item))
        if given_way:
            self._tell_given_way(given_way)

    def _keep_event_series(self, reading: Reading, entry: Entry) -> None:
        """An EventSeries is not sold itself; it is kept for what belongs to it."""
        id_ = read_text(reading.event_series.get("@id"))
        if id_:
            self._spool.put_event_series(event_series_key(id_, entry), reading.event_series)
        reason = "what belongs to it takes over what it says" if id_ else "it has no @id by which others could name it"
        outcome = Outcome.PARENT if id_ else Outcome.FAILED
        self._report.tell(Line(outcome=outcome, item=reading.label, where=entry.where, reason=reason))

    def _note_sellers(self, reading: Reading) -> None:
        for draft in reading.drafts:
            self._sellers.note(draft.seller)

    def _tell_faults(self, reading: Reading, where: str) -> None:
        for label, reason in reading.faults:
            self._report.tell(Line(outcome=Outcome.FAILED, item=label, where=where, reason=reason))

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
