"""The second half of an import: drafts get their parents and Sellers, and are published in batches.

Parents are published before their children. `link_items.link` works out what a child inherits from its parents.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.commands.opportunities.find_opportunities import GetOpportunities
from openbooking.booking.commands.opportunities.publish import Publish
from openbooking.booking.model.opportunity import Opportunity, SaleState, is_on_sale
from openbooking.booking.model.report import OpportunityReport
from openbooking.booking.rules.opportunities.ownership import source_name
from openbooking.importing.dry_run import ImportStore
from openbooking.importing.link_items import Imported, link
from openbooking.importing.reading.identity import is_same_thing
from openbooking.importing.reading.items import Draft
from openbooking.importing.reading.sellers import NamedSeller
from openbooking.importing.reading.source import Source
from openbooking.importing.report import Line, Outcome, Report, counts_of
from openbooking.importing.sellers import IMPORTER, NoSellerError, Sellers
from openbooking.importing.spool import ReadResult, Spool
from openbooking.openactive.errors import BelongsToAnotherError, OpenBookingError
from openbooking.openactive.money import VatTreatment
from openbooking.openactive.published.values import UnreadableError, display_text

AT_ONCE = 200

_NOT_UNDERSTOOD = "Its parent is not understood."
_OVER = "it ended more than an hour ago"
_PARENT_OVER = "its parent ended more than an hour ago"
_Parents = tuple[Opportunity, ...]


class _Ready(NamedTuple):
    """A draft with everything that its publication needs."""

    draft: Draft
    position: str
    parents: _Parents
    imported: Imported


class FeedPart(msgspec.Struct):
    """A part of a feed, whose other items were imported before or will be imported later.

    Attributes:
        now: The time of the import.
        waiting: The names of the items whose parents are not imported yet, with the paths that the parents may have.
    """

    now: datetime
    waiting: dict[str, tuple[str, ...]] = {}


class _ParentMissingError(UnreadableError):
    """The parent of a draft was not imported."""


class _ParentOverError(Exception):
    """The parent of a draft is over, and was left out."""


class Publisher:
    """Publishes the drafts in a spool, and reports a line for each."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that it depends on
        self,
        store: ImportStore,
        report: Report,
        spool: Spool,
        sellers: Sellers,
        source: Source,
        vat: VatTreatment | None,
        part: FeedPart | None = None,
    ) -> None:
        self._store = store
        self._report = report
        self._spool = spool
        self._sellers = sellers
        self._source = source
        self._vat = vat
        self._part = part
        self._last_parents: tuple[tuple[str, ...], _Parents] = ((), ())
        # The paths of the parents that were left out.
        self._over: set[str] = set()

    async def publish(self, advance: Callable[[], None]) -> None:
        """Publish the best draft of each Opportunity, parents before children. Call `advance` after each draft."""
        for some in self._spool.things(AT_ONCE):
            known = await self._stored_opportunities(draft for draft, _ in some)
            batch: list[_Ready] = []
            for draft, position in some:
                path = self._stored_path(draft, known)
                try:
                    if not _is_published_by_itself(draft, known.get(path)):
                        parents = await self._cached_parents(draft)
                        batch.append(_Ready(draft, position, parents, await self._link(draft, path, parents)))
                except NoSellerError as fault:
                    self._report_failure(draft, position, str(fault), ReadResult.NOT_THEIRS)
                except _ParentOverError:
                    self._report_over(draft, position, draft.opportunity.path, _PARENT_OVER)
                except _ParentMissingError as fault:
                    self._report_missing_parent(draft, position, str(fault))
                except UnreadableError as fault:
                    self._report_failure(draft, position, str(fault))
                advance()
            await self._publish(batch)

    async def _stored_opportunities(self, drafts: Iterable[Draft]) -> Mapping[str, Opportunity]:
        """Return the stored Opportunities that may be the same as drafts with former paths, or as embedded parents."""
        paths: set[str] = set()
        for draft in drafts:
            if draft.former or draft.copy:
                paths |= {draft.opportunity.path, *draft.former}
        return await self._get_opportunities(paths)

    async def _get_opportunities(self, paths: Iterable[str]) -> Mapping[str, Opportunity]:
        wanted = frozenset(paths)
        if not wanted:
            return {}
        return await self._store.execute(GetOpportunities(wanted, actor=IMPORTER))

    def _stored_path(self, draft: Draft, known: Mapping[str, Opportunity]) -> str:
        """Return the path under which the Opportunity is stored already, or otherwise the path of its draft."""
        path = draft.opportunity.path
        if path in known:
            return path
        for former in draft.former:
            stored = known.get(former)
            if stored is None or source_name(stored.source) not in self._source:
                continue
            if is_same_thing(stored, draft.opportunity, by_id=draft.by_id):
                return former
        return path

    async def _link(self, draft: Draft, path: str, parents: _Parents) -> Imported:
        """Return the Opportunity of a draft, with its Seller."""
        named = self._named_seller(draft)
        sold_with = parents[0] if parents else None
        if sold_with is None and named is None:
            # An update that names no Seller keeps the Seller of the stored Opportunity.
            sold_with = (await self._get_opportunities([path])).get(path)
        seller, remarks = await self._sellers.choose(sold_with.seller if sold_with else None, named)
        return link(draft, path, parents, seller, remarks, self._vat)

    def _named_seller(self, draft: Draft) -> NamedSeller | None:
        """Return the Seller that a draft names, or the only Seller that the children of the draft name."""
        if draft.seller or not draft.opportunity.type.has_children:
            return draft.seller
        named = self._spool.sellers_of_children(draft.opportunity.path)
        return named[0] if len(named) == 1 else None

    async def _cached_parents(self, draft: Draft) -> _Parents:
        """Return the parents of a draft, nearest first. Siblings follow each other, so the last parents are cached."""
        wanted, found = self._last_parents
        if draft.parents != wanted:
            found = await self._load_parents(draft)
            self._last_parents = (draft.parents, found)
        return found

    async def _load_parents(self, draft: Draft) -> _Parents:
        """Return the parents of a draft from the store.

        Raises:
            UnreadableError: The parent is missing or deleted.
            _ParentOverError: The parent was left out, because it is over.
        """
        if not draft.parents:
            return ()
        paths = [self._spool.published_path(path) or path for path in draft.parents]
        known = await self._get_opportunities(paths)
        parent = next((known[path] for path in paths if path in known), None)
        if parent is None and not self._over.isdisjoint(paths):
            raise _ParentOverError
        name = f"its {draft.opportunity.type.parent_property} {display_text(draft.parent_name or draft.parents[0])}"
        if parent is None:
            raise _ParentMissingError(f"parent not found: {name} is not among what was imported")
        if self._spool.is_deleted(parent.source):
            raise UnreadableError(f"parent not found: {name} was deleted")
        further = (await self._get_opportunities([parent.parent])).get(parent.parent) if parent.parent else None
        parents = (parent, further) if further else (parent,)
        return tuple(map(self._with_final_sale_state, parents))

    def _with_final_sale_state(self, parent: Opportunity) -> Opportunity:
        """Return the parent with the sale state that it will have at the end of this import."""
        if self._spool.is_published(parent.path) or not self._spool.is_not_understood(parent.source):
            return parent
        return replace(parent, sale=SaleState.NOT_UNDERSTOOD)

    async def _publish(self, batch: list[_Ready]) -> None:
        """Publish a batch. If the store refuses the batch, publish each of its drafts alone."""
        if not batch:
            return
        try:
            reports = await self._send_publish(*batch)
        except OpenBookingError:
            for ready in batch:
                await self._publish_alone(ready)
        else:
            for ready in batch:
                self._report_published(ready, reports)

    async def _publish_alone(self, ready: _Ready) -> None:
        """Publish one draft, and report a refusal."""
        try:
            reports = await self._send_publish(ready)
        except BelongsToAnotherError as refusal:
            self._report_failure(ready.draft, ready.position, str(refusal), ReadResult.NOT_THEIRS)
        except OpenBookingError as refusal:
            self._report_failure(ready.draft, ready.position, str(refusal))
        else:
            self._report_published(ready, reports)

    async def _send_publish(self, *some: _Ready) -> Mapping[str, OpportunityReport]:
        opportunities = tuple(ready.imported.opportunity for ready in some)
        publish = Publish(
            opportunities,
            own_only=self._sellers.named_by_items,
            keep_cancelled_here=True,
            known_by_feed=frozenset(ready.imported.opportunity.path for ready in some if ready.draft.by_feed),
            without_over=True,
            actor=IMPORTER,
        )
        return await self._store.execute(publish)

    def _report_published(self, ready: _Ready, reports: Mapping[str, OpportunityReport]) -> None:
        """Report a published Opportunity, and whether it can be booked."""
        path = ready.imported.opportunity.path
        if path not in reports:
            self._report_over(ready.draft, ready.position, path, _OVER)
            return
        reported = reports[path]
        why_not = reported.why_not or ("" if is_on_sale(reported.opportunity, ready.parents) else _NOT_UNDERSTOOD)
        self._spool.note_published(ready.draft, path)
        self._report.note_published(reported.opportunity)
        self._report.cancelled |= reported.orders.cancelled
        outcome = Outcome.NOT_BOOKABLE if why_not else Outcome.BOOKABLE
        parent = not reported.opportunity.type.bookable
        self._report.add(
            Line(
                outcome=Outcome.PARENT if parent else outcome,
                item=ready.draft.label,
                where=ready.position,
                path=path,
                reason="" if parent else why_not,
                orders=counts_of(reported.orders),
                remarks=(*ready.imported.remarks, *_status_remark(ready.imported.opportunity, reported.opportunity)),
            )
        )

    def _report_missing_parent(self, draft: Draft, position: str, reason: str) -> None:
        """Report a draft without a parent. An item of a part of a feed waits for the parent, unless it is over."""
        if self._part is None or draft.embedded or draft.copy:
            self._report_failure(draft, position, reason)
            return
        leaves_at = draft.opportunity.leaves_feed_at
        if leaves_at and leaves_at <= self._part.now:
            self._report_over(draft, position, draft.opportunity.path, _OVER)
            return
        self._part.waiting[draft.opportunity.source] = draft.parents
        self._spool.lower_result(draft.opportunity.source, ReadResult.NOT_UNDERSTOOD)
        self._report.add(Line(outcome=Outcome.WAITING, item=draft.label, where=position, reason=reason))

    def _report_over(self, draft: Draft, position: str, path: str, reason: str) -> None:
        """Report a draft that is left out because it is over."""
        if draft.opportunity.type.has_children:
            self._over.add(path)
        self._report.add(Line(outcome=Outcome.OVER, item=draft.label, where=position, reason=reason))

    def _report_failure(
        self, draft: Draft, position: str, reason: str, result: ReadResult = ReadResult.NOT_UNDERSTOOD
    ) -> None:
        """Report a draft that is not published, and lower the result of its item."""
        self._spool.lower_result(draft.opportunity.source, result)
        self._report.add(
            Line(outcome=Outcome.FAILED, item=draft.label, where=position, reason=reason, remarks=draft.remarks)
        )


def _status_remark(read: Opportunity, published: Opportunity) -> tuple[str, ...]:
    """Return a remark if the Opportunity stays cancelled although the item does not say so."""
    stays = published.status is not read.status and not published.takes_place
    return ("it was cancelled or postponed before, and stays so",) if stays else ()


def _is_published_by_itself(draft: Draft, known: Opportunity | None) -> bool:
    """Return whether the draft is an embedded parent that an item of its own has published. That item is preferred."""
    return draft.copy and known is not None and known.source != draft.opportunity.source
