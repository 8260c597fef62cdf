"""The flow of an import: everything is read, what can be is published, what is gone is withdrawn."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from openbooking.booking.store import Store
from openbooking.importing.errors import NotConfirmedError
from openbooking.importing.pages import Got
from openbooking.importing.publish import Publisher
from openbooking.importing.read import Reader
from openbooking.importing.rehearsal import ImportStore, RehearsalStore
from openbooking.importing.report import Report
from openbooking.importing.sellers import Sellers
from openbooking.importing.source import Source
from openbooking.importing.spool import Spool
from openbooking.importing.withdraw import Withdrawer
from openbooking.spec.values import VatTreatment


class ImportOptions(NamedTuple):
    """What all that is imported comes from, and the key of who sells it (None: whom the items name).

    With `hand_over` it becomes that Seller's even if it was another's. With `dry_run` nothing is changed. `vat` is the
    VAT treatment of its Offers; None for the Seller's default.
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

    `confirm` is asked before anything is changed, with the number of Orders of which an item is going to be cancelled:
    cancellations cannot be undone. Raises NotConfirmedError where it says no.
    """
    known = {known.key: known for known in await store.sellers()}
    sellers = Sellers(store, report, known, options.seller)
    with Spool() as spool:
        await Reader(spool, sellers, report, options.source).read(pages)
        if options.dry_run:
            with RehearsalStore(store) as rehearsal:
                await _publish(rehearsal, spool, sellers.rehearsing(rehearsal, report), report, options)
            return
        if confirm and await store.order_counts():
            quiet = Report()
            with RehearsalStore(store) as rehearsal:
                await _publish(rehearsal, spool, sellers.rehearsing(rehearsal, quiet), quiet, options)
            if quiet.cancelled and not confirm(len(quiet.cancelled)):
                number = len(quiet.cancelled)
                raise NotConfirmedError(f"Nothing was imported: it would have cancelled {number:,} Orders.")
        await _publish(store, spool, sellers, report, options)


async def _publish(store: ImportStore, spool: Spool, sellers: Sellers, report: Report, options: ImportOptions) -> None:
    """The second half of an import: what lies in the spool is published, and what is gone is withdrawn."""
    spool.begin()
    publisher = Publisher(store, report, spool, sellers, options.source, options.vat)
    withdrawer = Withdrawer(store, report, spool, options.source)
    if options.hand_over:
        await withdrawer.let_go()
    with report.counting("Processed", spool.count()) as one_more:
        await publisher.publish(one_more)
    await withdrawer.withdraw()
