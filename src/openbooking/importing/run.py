"""The flow of an import: everything is read, what can be is published, what is gone is withdrawn."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from openbooking.booking.store import Store
from openbooking.importing.errors import NotConfirmedError
from openbooking.importing.page_sources import Got
from openbooking.importing.publish import Publisher
from openbooking.importing.read_pages import PageReader
from openbooking.importing.reading.source import Source
from openbooking.importing.rehearsal import ImportStore, RehearsalStore
from openbooking.importing.report import Report
from openbooking.importing.sellers import Sellers
from openbooking.importing.spool import Spool
from openbooking.importing.withdraw import Withdrawer
from openbooking.openactive.money import VatTreatment


class ImportOptions(NamedTuple):
    """How to import.

    Attributes:
        source: What everything is imported from.
        seller: The key of the Seller of everything; None for the Sellers that the items name.
        hand_over: Whether items of another Seller become this Seller's.
        dry_run: Whether to report only, and change nothing.
        vat: The VAT treatment of the Offers; None for the Seller's default.
    """

    source: Source
    seller: str | None
    hand_over: bool = False
    dry_run: bool = False
    vat: VatTreatment | None = None


Confirm = Callable[[int], bool]


async def run_import(
    store: Store, pages: AsyncIterator[Got], report: Report, options: ImportOptions, confirm: Confirm | None = None
) -> None:
    """Import the pages.

    Args:
        store: Where to publish.
        pages: The pages, each read once.
        report: What gets a line for each item.
        options: How to import.
        confirm: Called before anything changes, with the number of Orders of which an item would be cancelled, because
            a cancellation cannot be undone. Returns whether to go on. None to go on without a rehearsal.

    Raises:
        ImportRefusedError: There is nothing to read, or nobody to sell it.
        NotConfirmedError: `confirm` returned False.
    """
    known = {known.key: known for known in await store.sellers()}
    sellers = Sellers(store, report, known, options.seller)
    with Spool() as spool:
        await PageReader(spool, sellers, report, options.source).read(pages)
        if options.dry_run:
            with RehearsalStore(store) as rehearsal:
                await _publish(rehearsal, spool, sellers.rehearsing(rehearsal, report), report, options)
            return
        if confirm and await store.order_counts():
            quiet = Report()
            with RehearsalStore(store) as rehearsal:
                await _publish(rehearsal, spool, sellers.rehearsing(rehearsal, quiet), quiet, options)
            number = len(quiet.cancelled)
            if number and not confirm(number):
                raise NotConfirmedError(f"Nothing was imported: it would have cancelled {number:,} Orders.")
        await _publish(store, spool, sellers, report, options)


async def _publish(store: ImportStore, spool: Spool, sellers: Sellers, report: Report, options: ImportOptions) -> None:
    """The second half of an import: publish what is in the spool, and withdraw what is gone."""
    spool.begin()
    publisher = Publisher(store, report, spool, sellers, options.source, options.vat)
    withdrawer = Withdrawer(store, report, spool, options.source)
    if options.hand_over:
        await withdrawer.let_go()
    with report.counting("Processed", spool.count()) as one_more:
        await publisher.publish(one_more)
    await withdrawer.withdraw()
