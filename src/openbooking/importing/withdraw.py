"""The end of an import: missing Opportunities are withdrawn, and those that are not understood are taken off sale.

An Opportunity is missing if its item is deleted, or if its item no longer holds it. The latest version of an item may
not be understood: then all its Opportunities are taken off sale until a version is understood.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter

from openbooking.booking.commands.opportunities.find_opportunities import FindBySource
from openbooking.booking.commands.opportunities.sale_state import TakeOffSale
from openbooking.booking.commands.opportunities.withdraw import Withdraw
from openbooking.booking.model.opportunity import Opportunity
from openbooking.booking.model.report import OpportunityReport
from openbooking.importing.dry_run import ImportStore
from openbooking.importing.publish import AT_ONCE
from openbooking.importing.reading.source import Source
from openbooking.importing.report import Line, Outcome, Report, counts_of
from openbooking.importing.sellers import IMPORTER
from openbooking.importing.spool import Item, ReadResult, Spool
from openbooking.openactive.opportunity_types import OpportunityType
from openbooking.openactive.published.kinds import USUAL_KINDS, type_of_kind
from openbooking.openactive.published.values import display_text, read_text

_DELETED = "its provider deleted it"
_NOT_HELD = "its item no longer holds it"
_WITH_PARENT = "its parent was withdrawn"
_NOT_IMPORTED_AGAIN = "it was withdrawn for the hand-over, and not imported again"
_NOT_UNDERSTOOD = "its latest version is not understood"
_NOTHING_HERE = "deleted, but nothing is published from this item"

# The sources from which something is published, with the type of their outermost Opportunity. They are grouped by the
# prefix that the names of all items with one RPDE id share.
_Stored = Mapping[str, Mapping[str, OpportunityType]]


class Withdrawer:
    """Withdraws the published Opportunities that the items in a spool no longer hold.

    Args:
        store: The store.
        report: Receives a line for each Opportunity.
        spool: The items.
        source: The source of the items.
        knows_all: Whether the spool has all items of the source. Otherwise an item with the same `id` and another
            `kind` may still be in the feed, and stays, unless a deletion can mean no other item.
    """

    def __init__(
        self, store: ImportStore, report: Report, spool: Spool, source: Source, *, knows_all: bool = True
    ) -> None:
        self._store = store
        self._report = report
        self._spool = spool
        self._source = source
        self._knows_all = knows_all
        self._released: dict[str, Line] = {}
        # The paths withdrawn so far. A dry run withdraws nothing, so it would find and report them again.
        self._gone: set[str] = set()

    async def release(self) -> None:
        """Withdraw everything published from the items in the spool, before a hand-over to another Seller."""
        for sources in self._spool.sources_of_things(AT_ONCE):
            reports = await self._store.execute(Withdraw(sources=sources, actor=IMPORTER))
            for path, report in reports.items():
                self._released.setdefault(path, _report_line(Outcome.WITHDRAWN, path, report, _NOT_IMPORTED_AGAIN))
            self._gone |= reports.keys()

    async def withdraw(self) -> None:
        """Withdraw Opportunities that the items no longer hold; take off sale those that are not understood."""
        for items in self._spool.items(AT_ONCE):
            stored = await self._find_published(items)
            targets = {
                item: self._sources_to_withdraw(item, stored) for item in items if item.result is ReadResult.UNDERSTOOD
            }
            reasons = {
                source: _DELETED if item.is_deleted else _NOT_HELD
                for item, sources in targets.items()
                for source in sources
            }
            keep = self._spool.published_paths([name for item in items for name in item.sources])
            withdrawn = await self._withdraw(reasons, keep)
            await self._take_off_sale(
                {
                    source
                    for item in items
                    if item.result is ReadResult.NOT_UNDERSTOOD
                    for source in self._sources_to_withdraw(item, stored)
                },
                keep,
            )
            for item, sources in targets.items():
                if item.is_deleted and withdrawn.isdisjoint(sources):
                    self._report_unmatched(item, stored)
        for path, line in self._released.items():
            if not self._spool.is_published(path):
                self._report.add(line)

    async def _find_published(self, items: Sequence[Item]) -> _Stored:
        """Return the published sources with the RPDE `id` of an item that is deleted or may have had another kind."""
        ids: dict[str, str] = {}
        for item in items:
            if item.same_id and (item.is_deleted or (self._source.is_one_feed and self._knows_all)):
                ids[item.same_id] = item.same_id
            if item.same_id and item.is_deleted:
                # Earlier versions of this system named items by their kind. The usual kinds are tried.
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

    def _sources_to_withdraw(self, item: Item, stored: _Stored) -> Collection[str]:
        """Return the sources under which earlier versions of the item may have published Opportunities (AMB-74).

        These are the sources of the item itself. For a feed that changed the `kind` of an item, they include the
        sources with the same `id` and another `kind` that are no longer in the feed. A deletion takes such a source
        only if there is exactly one.
        """
        known = stored.get(item.same_id, {})
        others = {source for source in known.keys() - {*item.sources} if not self._spool.is_undeleted(source)}
        if not item.is_deleted:
            return {*item.sources, *others}
        if known.keys().isdisjoint(item.sources) and len(others) == 1:
            return {source for source in others if self._may_mean(item.kind, known[source])}
        return item.sources

    def _may_mean(self, deleted: str, type_: OpportunityType) -> bool:
        """Return whether a deletion with this `kind` may mean an item of this type."""
        if self._knows_all:
            return self._source.may_mean(deleted, type_)
        return type_of_kind(deleted) in (None, type_)

    async def _withdraw(self, reasons: Mapping[str, str], keep: frozenset[str]) -> set[str]:
        """Withdraw the Opportunities of some sources, and return the sources whose Opportunities were withdrawn.

        Args:
            reasons: The sources, each with the reason for the report.
            keep: The paths of Opportunities that stay.
        """
        withdraw = Withdraw(sources=frozenset(reasons), keep=keep, actor=IMPORTER)
        reports = await self._store.execute(withdraw)
        for path, report in reports.items():
            self._report_opportunity(
                Outcome.WITHDRAWN, path, report, reasons.get(report.opportunity.source, _WITH_PARENT)
            )
        sources = {report.opportunity.source for path, report in reports.items() if path not in self._gone}
        self._gone |= reports.keys()
        return sources

    async def _take_off_sale(self, sources: Collection[str], keep: frozenset[str]) -> None:
        """Take off sale the Opportunities from these sources, except those at the paths in `keep`."""
        off = TakeOffSale(sources=frozenset(sources), keep=keep, actor=IMPORTER)
        for path, report in (await self._store.execute(off)).items():
            self._report_opportunity(Outcome.OFF_SALE, path, report, _NOT_UNDERSTOOD)

    def _report_opportunity(self, outcome: Outcome, path: str, report: OpportunityReport, reason: str) -> None:
        # In a dry run, an Opportunity that another item has taken over still has its former source.
        if not self._spool.is_published(path) and path not in self._gone:
            self._report.add(_report_line(outcome, path, report, reason))

    def _report_unmatched(self, item: Item, stored: _Stored) -> None:
        """Report a deletion that withdraws nothing."""
        others = {*stored.get(item.same_id, ()), *self._spool.undeleted_with(item.same_id)}
        several = len(others.difference(item.sources))
        reason = f"deleted, but {several} items have this id under other kinds" if several > 1 else _NOTHING_HERE
        self._report.add(Line(outcome=Outcome.UNMATCHED, item=item.label, where=item.position, reason=reason))


def _report_line(outcome: Outcome, path: str, report: OpportunityReport, reason: str) -> Line:
    opportunity = report.opportunity
    name = read_text(opportunity.properties.get("name")) or ""
    label = f"{opportunity.type} {display_text(name)}".rstrip()
    return Line(outcome=outcome, item=label, path=path, reason=reason, orders=counts_of(report.orders))
