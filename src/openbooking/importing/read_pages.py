"""The first half of an import: the items of all pages are read and put into a spool.

An import continues after a bad page: `PageReader` reports a page that could not be read as "not read", and goes on with
the next page. An item that is not understood is reported as "not imported". If it can be identified, it goes into the
spool with the result `NOT_UNDERSTOOD`, and `withdraw` takes the Opportunities of its earlier versions off sale.
"""

from collections.abc import AsyncIterator, Callable

import msgspec

from openbooking.importing.page_sources import ReceivedPage
from openbooking.importing.reading.entries import Entry, read_entry
from openbooking.importing.reading.items import ReadItem, event_series_key, read_item
from openbooking.importing.reading.schedules import Horizon
from openbooking.importing.reading.source import Source
from openbooking.importing.report import Line, Outcome, Report
from openbooking.importing.sellers import Sellers
from openbooking.importing.spool import DroppedVersion, Spool
from openbooking.openactive.published.values import UnreadableError, display_text, read_text


class PageReader:
    """Reads the items of pages into a spool.

    Args:
        spool: The spool.
        sellers: Remember the Sellers that the items describe.
        report: Receives a line for each item that cannot be read.
        source: The source of the items.
        horizon: The instants between which the sessions of Schedules are made; None to make none.
    """

    def __init__(
        self, spool: Spool, sellers: Sellers, report: Report, source: Source, horizon: Horizon | None = None
    ) -> None:
        self._spool = spool
        self._sellers = sellers
        self._report = report
        self._source = source
        self._horizon = horizon

    async def read(self, pages: AsyncIterator[ReceivedPage]) -> None:
        """Read all pages into the spool. Report unreadable pages, unreadable items and superseded versions."""
        # The progress of a feed counts pages until the first page is yielded, and items from then on.
        first = await anext(pages, None)
        with self._report.counting("Read") as advance:
            if first:
                self._read_page(first, advance)
            async for received in pages:
                self._read_page(received, advance)
        # An EventSeries may come after the items that inherit from it, so that these are read again.
        for event_series, content, position in self._spool.members_of_event_series():
            reading = read_item(read_entry(msgspec.Raw(content), self._source, position), event_series, self._horizon)
            self._report_faults(reading, position)
            self._note_sellers(reading)
            self._spool.replace_drafts(reading, position)
        self._spool.delete_by_id(self._source)
        for dropped in self._spool.duplicates():
            self._report_dropped(dropped)

    def _read_page(self, received: ReceivedPage, advance: Callable[[], None]) -> None:
        """Read the items of a page. Report a page that could not be read; the import continues with the next page."""
        if received.page is None:
            self._report.add(Line(outcome=Outcome.UNREAD, item=display_text(received.origin), reason=received.fault))
            return
        for number, item in received.page.numbered():
            self._read_item(item, f"{display_text(received.origin)} item {number}")
            advance()

    def _read_item(self, item: msgspec.Raw, position: str) -> None:
        """Put an item into the spool. Report an item that is not understood; the page continues with the next item."""
        try:
            entry = read_entry(item, self._source, position)
        except UnreadableError as fault:
            self._report.add(Line(outcome=Outcome.FAILED, item=position, reason=str(fault)))
            return
        reading = read_item(entry, horizon=self._horizon)
        self._report_faults(reading, position)
        if reading.event_series:
            self._keep_event_series(reading, entry)
            return
        if not reading.sources:
            return
        self._note_sellers(reading)
        dropped = self._spool.put(entry, reading, bytes(item))
        if dropped:
            self._report_dropped(dropped)

    def _keep_event_series(self, reading: ReadItem, entry: Entry) -> None:
        """Keep an EventSeries for the items that inherit from it. An EventSeries cannot be booked."""
        id_ = read_text(reading.event_series.get("@id"))
        if id_:
            self._spool.put_event_series(event_series_key(id_, entry), reading.event_series)
        reason = "its events inherit its properties" if id_ else "it has no @id by which events could name it"
        outcome = Outcome.PARENT if id_ else Outcome.FAILED
        self._report.add(Line(outcome=outcome, item=reading.label, where=entry.position, reason=reason))

    def _note_sellers(self, reading: ReadItem) -> None:
        for draft in reading.drafts:
            self._sellers.remember(draft.seller)

    def _report_faults(self, reading: ReadItem, position: str) -> None:
        """Report the things in an item that cannot be imported."""
        for label, reason in reading.faults:
            self._report.add(Line(outcome=Outcome.FAILED, item=label, where=position, reason=reason))

    def _report_dropped(self, dropped: DroppedVersion) -> None:
        reason = f"superseded by a later version at {dropped.kept_position}"
        if not dropped.superseded:
            reason = f"duplicate id: the item at {dropped.kept_position} was imported instead"
        self._report.add(
            Line(
                outcome=Outcome.SUPERSEDED if dropped.superseded else Outcome.FAILED,
                item=dropped.label,
                where=dropped.position,
                reason=reason,
            )
        )
