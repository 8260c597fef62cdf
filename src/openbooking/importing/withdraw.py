"""The end of an import: missing things are withdrawn, and things that are not understood are taken off sale."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter

from openbooking.booking.commands.find_opportunities import FindBySource
from openbooking.booking.commands.sale_state import TakeOffSale
from openbooking.booking.commands.withdraw import Withdraw
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.report import OpportunityReport
from openbooking.importing.dry_run import ImportStore
from openbooking.importing.publish import AT_ONCE
from openbooking.importing.reading.kinds import USUAL_KINDS
from openbooking.importing.reading.source import Source
from openbooking.importing.reading.values import read_text, shown
from openbooking.importing.report import Line, Outcome, Report, counts_of
from openbooking.importing.sellers import IMPORTER
from openbooking.importing.spool import Item, ReadResult, Spool
from openbooking.openactive.opportunity_types import OpportunityType

_DELETED = "its provider deleted it"
_NOT_HELD = "its item no longer holds it"
_WITH_PARENT = "its parent was withdrawn"
_NOT_IMPORTED_AGAIN = "it was withdrawn for the hand-over, and not imported again"
_NOT_UNDERSTOOD = "its latest version is not understood"
_NOTHING_HERE = "deleted, but nothing is published from this item"

# By the prefix that the names of all items with one RPDE id share: the published sources, each with the type of the
# outermost Opportunity that comes from it.
_Stored = Mapping[str, Mapping[str, OpportunityType]]


class Withdrawer:
    """Withdraws what was published from the items in a spool and is in them no longer."""

    def __init__(self, store: ImportStore, report: Report, spool: Spool, source: Source) -> None:
        self._store = store
        self._report = report
        self._spool = spool
        self._source = source
        self._released: dict[str, Line] = {}
        # A dry run withdraws nothing, so that these would be found, and reported, again.
        self._gone: set[str] = set()

    async def release(self) -> None:
        """Withdraw everything published from the items in the spool, so that another Seller can have it."""
        for sources in self._spool.sources_of_things(AT_ONCE):
            reports = await self._store.execute(Withdraw(sources=sources, actor=IMPORTER))
            for path, report in reports.items():
                self._released.setdefault(path, _line(Outcome.WITHDRAWN, path, report, _NOT_IMPORTED_AGAIN))
            self._gone |= reports.keys()

    async def withdraw(self) -> None:
        """Withdraw what is missing from the items now; take off sale what is no longer understood."""
        for items in self._spool.items(AT_ONCE):
            stored = await self._stored(items)
            targets = {item: self._targets(item, stored) for item in items if item.result is ReadResult.UNDERSTOOD}
            reasons = {
                source: _DELETED if item.is_deleted else _NOT_HELD
                for item, sources in targets.items()
                for source in sources
            }
            keep = self._spool.paths_published([name for item in items for name in item.sources])
            withdrawn = await self._withdraw(reasons, keep)
            await self._take_off_sale(
                {
                    source
                    for item in items
                    if item.result is ReadResult.NOT_UNDERSTOOD
                    for source in self._targets(item, stored)
                },
                keep,
            )
            for item, sources in targets.items():
                if item.is_deleted and withdrawn.isdisjoint(sources):
                    self._report_unmatched(item, stored)
        for path, line in self._released.items():
            if not self._spool.is_published(path):
                self._report.tell(line)

    async def _stored(self, items: Sequence[Item]) -> _Stored:
        """Return the published sources that share the RPDE `id` of an item that is deleted or may have another kind."""
        ids: dict[str, str] = {}
        for item in items:
            if item.same_id and (item.is_deleted or self._source.is_one_feed):
                ids[item.same_id] = item.same_id
            if item.same_id and item.is_deleted:
                # Items that an earlier version imported are found by the kind they have in most feeds.
                former = (self._source.former_item(kind, item.id) for kind in (*USUAL_KINDS, item.kind))
                ids |= {name: item.same_id for name in former if name}
        found = await self._store.execute(FindBySource(frozenset(ids), actor=IMPORTER)) if ids else {}
        assert isinstance(found, Mapping)  # noqa: S101 - what FindBySource is answered with
        stored: dict[str, dict[str, OpportunityType]] = defaultdict(dict)
        for member in found.values():
            if isinstance(member, Opportunity):
                begins = member.source.rpartition("/")[0] + "/"
                types = stored[ids.get(member.source) or begins]
                types[member.source] = min(types.get(member.source, member.type), member.type, key=attrgetter("depth"))
        return stored

    def _targets(self, item: Item, stored: _Stored) -> Collection[str]:
        """Return the sources of everything that earlier versions of the item may have published (AMB-74).

        These are the sources of the item itself. An item that is published under one other kind only, which is no
        longer in the feed, is the same item. If there are several such kinds, none is taken.
        """
        known = stored.get(item.same_id, {})
        others = {source for source in known.keys() - {*item.sources} if not self._spool.is_alive(source)}
        if not item.is_deleted:
            return {*item.sources, *others}
        if known.keys().isdisjoint(item.sources) and len(others) == 1:
            return {source for source in others if self._source.may_mean(item.kind, known[source])}
        return item.sources

    async def _withdraw(self, reasons: Mapping[str, str], keep: frozenset[str]) -> set[str]:
        """Withdraw what was published from these sources; return the sources of what has been withdrawn."""
        withdraw = Withdraw(sources=frozenset(reasons), keep=keep, actor=IMPORTER)
        reports = await self._store.execute(withdraw)
        for path, report in reports.items():
            self._tell(Outcome.WITHDRAWN, path, report, reasons.get(report.opportunity.source, _WITH_PARENT))
        sources = {report.opportunity.source for path, report in reports.items() if path not in self._gone}
        self._gone |= reports.keys()
        return sources

    async def _take_off_sale(self, sources: Collection[str], keep: frozenset[str]) -> None:
        off = TakeOffSale(sources=frozenset(sources), keep=keep, actor=IMPORTER)
        for path, report in (await self._store.execute(off)).items():
            self._tell(Outcome.OFF_SALE, path, report, _NOT_UNDERSTOOD)

    def _tell(self, outcome: Outcome, path: str, report: OpportunityReport, reason: str) -> None:
        # In a dry run, a thing that another item has taken over still has its former source.
        if not self._spool.is_published(path) and path not in self._gone:
            self._report.tell(_line(outcome, path, report, reason))

    def _report_unmatched(self, item: Item, stored: _Stored) -> None:
        others = {*stored.get(item.same_id, ()), *self._spool.alive_with(item.same_id)}
        several = len(others.difference(item.sources))
        reason = f"deleted, but {several} items have this id under other kinds" if several > 1 else _NOTHING_HERE
        self._report.tell(Line(outcome=Outcome.UNMATCHED, item=item.label, where=item.position, reason=reason))


def _line(outcome: Outcome, path: str, report: OpportunityReport, reason: str) -> Line:
    opportunity = report.opportunity
    name = read_text(opportunity.properties.get("name")) or ""
    label = f"{opportunity.type} {shown(name)}".rstrip()
    return Line(outcome=outcome, item=label, path=path, reason=reason, orders=counts_of(report.orders))
