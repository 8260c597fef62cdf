"""The second half of an import: what was read is joined with parents and Sellers, and published in batches."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from openbooking.booking.opportunity import Opportunity
from openbooking.booking.publish import GetOpportunity, Publish, Withdraw
from openbooking.booking.store import Store
from openbooking.importing.kinds import KINDS, rank
from openbooking.importing.link_items import Imported, link
from openbooking.importing.read_items import Draft
from openbooking.importing.read_values import UnreadableError, shown
from openbooking.importing.report import Line, Outcome, Report
from openbooking.importing.sellers import IMPORTER, Sellers
from openbooking.importing.spool import Spool
from openbooking.spec.errors import NotFoundError, OpenBookingError
from openbooking.spec.values import VatTreatment

AT_ONCE = 200

_Parents = tuple[Opportunity, ...]


class _Ready(NamedTuple):
    draft: Draft
    where: str
    imported: Imported


class Publisher:
    """Publishes what lies in a spool."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that it depends on
        self,
        store: Store,
        report: Report,
        spool: Spool,
        sellers: Sellers,
        now: datetime,
        vat: VatTreatment | None,
    ) -> None:
        self._store = store
        self._report = report
        self._spool = spool
        self._sellers = sellers
        self._now = now
        self._vat = vat
        self._batch: list[_Ready] = []
        self._rank = 0
        self._last_parents: tuple[tuple[str, ...], _Parents] = ((), ())

    async def let_go(self) -> None:
        """Withdraw all that is to be published, as far as it was published from here, so that it is nobody's."""
        for sources in self._spool.sources_of_things(AT_ONCE):
            await self._store.execute(Withdraw(sources=sources, actor=IMPORTER))

    async def publish(self, one_more: Callable[[], None]) -> None:
        """Publish the best draft of everything, parents before children."""
        for draft, where in self._spool.things():
            if len(self._batch) == AT_ONCE or rank(draft.opportunity.type) != self._rank:
                await self._flush()
                self._rank = rank(draft.opportunity.type)
            try:
                if not (draft.copy and await self._is_published_by_itself(draft)):
                    self._batch.append(_Ready(draft, where, await self._link(draft)))
            except UnreadableError as fault:
                self._fail(draft, where, str(fault))
            one_more()
        await self._flush()

    async def withdraw(self) -> None:
        """Withdraw what items held that have been deleted, or that hold something else now.

        What could not be imported completely is spared: what it was before may be better than nothing.
        """
        for sources, paths in self._spool.sources(AT_ONCE):
            await self._store.execute(Withdraw(sources=sources, keep=paths, actor=IMPORTER))

    async def _link(self, draft: Draft) -> Imported:
        parents = await self._parents(draft)
        seller, remarks = await self._sellers.of(draft, parents[0] if parents else None)
        return link(draft, parents, seller, remarks, self._now, self._vat)

    async def _parents(self, draft: Draft) -> _Parents:
        """The parents, nearest first; the children of one come one after the other."""
        wanted, found = self._last_parents
        if draft.parents != wanted:
            found = await self._load_parents(draft)
            self._last_parents = (draft.parents, found)
        return found

    async def _load_parents(self, draft: Draft) -> _Parents:
        if not draft.parents:
            return ()
        parent = None
        for path in draft.parents:
            parent = parent or await self._get(path)
        name = f"its {KINDS[draft.opportunity.type].parent} {shown(draft.parent_name or draft.parents[0])}"
        if parent is None:
            raise UnreadableError(f"parent not found: {name} is not among what was imported")
        if self._spool.is_deleted(parent.source):
            raise UnreadableError(f"parent not found: {name} was deleted")
        further = await self._get(parent.parent) if parent.parent else None
        return (parent, further) if further else (parent,)

    async def _get(self, path: str) -> Opportunity | None:
        try:
            found = await self._store.execute(GetOpportunity(path, actor=IMPORTER))
        except NotFoundError:
            return None
        return found if isinstance(found, Opportunity) else None

    async def _is_published_by_itself(self, draft: Draft) -> bool:
        """Whether a parent that is only embedded here was imported by itself before: then that is the better one."""
        known = await self._get(draft.opportunity.path)
        return known is not None and known.source != draft.opportunity.source

    async def _flush(self) -> None:
        """Publish the batch; if it is refused, one by one, so that a bad one spoils no other."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        try:
            await self._execute_publish(*batch)
        except OpenBookingError:
            for ready in batch:
                await self._publish_alone(ready)
        else:
            for ready in batch:
                self._tell(ready)

    async def _execute_publish(self, *some: _Ready) -> None:
        opportunities = tuple(ready.imported.opportunity for ready in some)
        await self._store.execute(Publish(opportunities, own_only=self._sellers.named_by_items, actor=IMPORTER))

    async def _publish_alone(self, ready: _Ready) -> None:
        try:
            await self._execute_publish(ready)
        except OpenBookingError as refusal:
            self._fail(ready.draft, ready.where, str(refusal))
        else:
            self._tell(ready)

    def _tell(self, ready: _Ready) -> None:
        imported = ready.imported
        outcome = Outcome.NOT_BOOKABLE if imported.why_not else Outcome.BOOKABLE
        parent = not imported.opportunity.type.bookable
        self._report.tell(
            Line(
                outcome=Outcome.PARENT if parent else outcome,
                item=ready.draft.label,
                where=ready.where,
                path=imported.opportunity.path,
                reason="" if parent else imported.why_not or "",
                remarks=imported.remarks,
            )
        )

    def _fail(self, draft: Draft, where: str, reason: str) -> None:
        self._spool.spare(draft.opportunity.source)
        self._report.tell(
            Line(outcome=Outcome.FAILED, item=draft.label, where=where, reason=reason, remarks=draft.remarks)
        )
