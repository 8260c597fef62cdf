"""The steps of an import: read all items, publish their drafts, and withdraw what is missing."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from openbooking.booking.store import Store
from openbooking.importing.dry_run import DryRunStore, ImportStore
from openbooking.importing.errors import NotConfirmedError
from openbooking.importing.page_sources import ReceivedPage
from openbooking.importing.publish import FeedPart, Publisher
from openbooking.importing.read_pages import PageReader
from openbooking.importing.reading.schedules import Horizon
from openbooking.importing.reading.source import Source
from openbooking.importing.report import Report
from openbooking.importing.sellers import Sellers
from openbooking.importing.spool import Spool
from openbooking.importing.withdraw import Withdrawer
from openbooking.openactive.money import VatTreatment


class ImportOptions(NamedTuple):
    """Options of an import.

    Attributes:
        source: The source of all items.
        seller: The key of the Seller of all items; None for the Sellers that the items name.
        hand_over: Whether to move Opportunities of this source from another Seller to `seller`.
        dry_run: Whether to report only and change nothing.
        vat: The VAT treatment of the Offers; None for the treatment of the Seller (`link_items.link`).
        horizon: The instants between which the sessions of Schedules are made; None to make none.
        part: The part of the feed that is imported; None if the pages are all there is.
    """

    source: Source
    seller: str | None
    hand_over: bool = False
    dry_run: bool = False
    vat: VatTreatment | None = None
    part: FeedPart | None = None
    horizon: Horizon | None = None


Confirm = Callable[[int], bool]


async def run_import(
    store: Store,
    pages: AsyncIterator[ReceivedPage],
    report: Report,
    options: ImportOptions,
    confirm: Confirm | None = None,
) -> None:
    """Import the pages of a source.

    Args:
        store: The store to publish in.
        pages: The pages, each read once.
        report: Receives a line for each item and each Opportunity.
        options: The options.
        confirm: Receives the number of Orders in which the import would cancel an item, and returns whether to
            import. It is called before anything changes, because a cancellation cannot be undone. None to import
            without asking.

    Raises:
        ImportRefusedError: The source cannot be read, or the Seller does not exist.
        NotConfirmedError: `confirm` returned False.
    """
    known = {known.key: known for known in await store.sellers()}
    sellers = Sellers(store, report, known, options.seller)
    with Spool() as spool:
        await PageReader(spool, sellers, report, options.source, options.horizon).read(pages)
        if options.dry_run:
            with DryRunStore(store) as trial:
                await _publish(trial, spool, sellers.for_dry_run(trial, report), report, options)
            return
        if confirm and await store.order_counts():
            quiet = Report()
            with DryRunStore(store) as trial:
                await _publish(trial, spool, sellers.for_dry_run(trial, quiet), quiet, options)
            number = len(quiet.cancelled)
            if number and not confirm(number):
                raise NotConfirmedError(f"Nothing was imported: it would have cancelled {number:,} Orders.")
        await _publish(store, spool, sellers, report, options)


async def _publish(store: ImportStore, spool: Spool, sellers: Sellers, report: Report, options: ImportOptions) -> None:
    """Publish the drafts in the spool, and withdraw the Opportunities that are missing from it."""
    spool.reset_results()
    publisher = Publisher(store, report, spool, sellers, options.source, options.vat, options.part)
    withdrawer = Withdrawer(store, report, spool, options.source, knows_all=options.part is None)
    if options.hand_over:
        await withdrawer.release()
    with report.counting("Processed", spool.count()) as advance:
        await publisher.publish(advance)
    await withdrawer.withdraw()
