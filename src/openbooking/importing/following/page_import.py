"""The import of one page of a followed feed, in parts of a limited size."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import IO, NamedTuple

from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.store import Store
from openbooking.harvest.documents import Page
from openbooking.importing.page_sources import ReceivedPage
from openbooking.importing.publish import FeedPart
from openbooking.importing.reading.source import Source
from openbooking.importing.report import Report
from openbooking.importing.run import Confirm, ImportOptions, run_import
from openbooking.openactive.money import VatTreatment

AT_ONCE = 500


class FollowOptions(NamedTuple):
    """Options of an import that follows feeds.

    Attributes:
        seller: The key of the Seller of all items; None for the Sellers that the items name.
        vat: The VAT treatment of the Offers; None for the treatment of the Seller.
        confirm: Receives the number of Orders in which a part of a page would cancel an item, and returns whether to
            import it; None to import without asking.
        json_lines: The file for the lines of the report as JSON; None for no file.
        again: Whether each feed is read again from its first page at the start.
    """

    seller: str | None = None
    vat: VatTreatment | None = None
    confirm: Confirm | None = None
    json_lines: IO[bytes] | None = None
    again: bool = False


class PartReport(Report):
    """The report of a part of a page, which also notes what was published.

    Attributes:
        paths: The paths of the published Opportunities and parents.
        sellers: The keys of their Sellers.
    """

    def __init__(self, json_lines: IO[bytes] | None = None) -> None:
        super().__init__(json_lines)
        self.paths: set[str] = set()
        self.sellers: set[str] = set()

    def note_published(self, opportunity: Opportunity) -> None:
        """Note a published Opportunity or parent."""
        self.paths.add(opportunity.path)
        self.sellers.add(opportunity.seller)


class Part(NamedTuple):
    """The result of the import of a part of a page.

    Attributes:
        report: The report.
        waiting: The names of the items without a parent, with the paths that the parents may have.
    """

    report: PartReport
    waiting: dict[str, tuple[str, ...]]


def parts_of(page: Page) -> Iterator[Page]:
    """Yield the parts of a page."""
    numbered = page.numbered()
    for start in range(0, len(numbered), AT_ONCE):
        some = numbered[start : start + AT_ONCE]
        yield page._replace(items=[item for _, item in some], numbers=tuple(number for number, _ in some))


async def import_part(  # noqa: PLR0913, PLR0917 - all that it depends on
    store: Store, source: Source, url: str, page: Page, options: FollowOptions, now: datetime
) -> Part:
    """Import a part of a page.

    Args:
        store: The store to publish in.
        source: The source of the feed.
        url: The URL of the page, for the report.
        page: The part.
        options: The options.
        now: The time.

    Raises:
        ImportRefusedError: The Seller does not exist.
        NotConfirmedError: Too many Orders would be cancelled.
    """

    async def pages() -> AsyncIterator[ReceivedPage]:
        yield ReceivedPage(url, page)

    report, part = PartReport(options.json_lines), FeedPart(now)
    chosen = ImportOptions(source, options.seller, vat=options.vat, part=part)
    await run_import(store, pages(), report, chosen, options.confirm)
    if options.json_lines:
        options.json_lines.flush()
    return Part(report, part.waiting)
