"""Who sells what is imported: one Seller for everything, or those whom the items name."""

from openbooking.booking.commands.publish import PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.reading.sellers import NamedSeller
from openbooking.importing.rehearsal import ImportStore
from openbooking.importing.report import Line, Outcome, Report
from openbooking.openactive.errors import OpenBookingError

IMPORTER = Actor(ActorKind.ADMINISTRATOR, "import")


class NobodySellsError(Exception):
    """Nobody is known to sell a thing; the message says why."""


class Sellers:
    """The Sellers there are, and those that items describe, who are added when they are first needed.

    A Seller that is there already stays as it is, for whoever runs this system may have mended it.
    """

    def __init__(
        self,
        store: ImportStore,
        report: Report,
        known: dict[str, Seller],
        only: str | None,
        described: dict[str, NamedSeller] | None = None,
    ) -> None:
        if only is not None and only not in known:
            raise ImportRefusedError(f"There is no Seller {only}: add it with `openbooking seller add`.")
        self._store = store
        self._report = report
        self._known = known
        self._only = known[only] if only is not None else None
        self._described = {} if described is None else described

    @property
    def named_by_items(self) -> bool:
        """Whether the items themselves say who sells them, and nobody else has confirmed it."""
        return self._only is None

    def note(self, named: NamedSeller | None) -> None:
        """Remember the fullest description of a Seller."""
        if named and named.seller and named.key not in self._known:
            known = self._described.get(named.key)
            if known is None or _fullness(named) > _fullness(known):
                self._described[named.key] = named

    def rehearsing(self, store: ImportStore, report: Report) -> "Sellers":
        """The same Sellers for a rehearsal, which adds them to another store."""
        only = self._only.key if self._only else None
        return Sellers(store, report, dict(self._known), only, self._described)

    async def of(self, settled: str | None, named: NamedSeller | None) -> tuple[Seller, tuple[str, ...]]:
        """The Seller of a thing, with remarks.

        Args:
            settled: The key of the Seller that it must have: its parent's, because Brokers find the Seller there and
                an Order has one Seller; or the one that it had before. None if it may have any.
            named: The Seller that it names, if it names one.

        Raises:
            NobodySellsError: Nobody sells it.
        """
        if self._only:
            return self._only, _instead(named, self._only)
        if settled:
            seller = self._known[settled]
            return seller, _instead(named, seller)
        if named is None:
            raise NobodySellsError("missing Seller: it has no organizer or provider, and no --seller was given")
        key = next((key for key in (named.key, named.former_key) if key in self._known), None)
        if key is None:
            await self._add(named)
        return self._known[key or named.key], ()

    async def _add(self, named: NamedSeller) -> None:
        described = self._described.get(named.key)
        if described is None or described.seller is None:
            raise NobodySellsError(f"missing Seller: {named.label} is not described")
        try:
            await self._store.execute(PublishSeller(described.seller, actor=IMPORTER))
        except OpenBookingError as refusal:
            raise NobodySellsError(str(refusal)) from refusal
        self._known[named.key] = described.seller
        self._report.tell(
            Line(
                outcome=Outcome.SELLER,
                item=described.label,
                path=f"sellers/{described.key}",
                remarks=described.remarks,
            )
        )


def _fullness(named: NamedSeller) -> int:
    return len(named.seller.properties) - len(named.remarks) if named.seller else 0


def _instead(named: NamedSeller | None, seller: Seller) -> tuple[str, ...]:
    """A remark if another Seller is named than the one that sells."""
    same = named is None or named.key == seller.key or (named.seller and named.seller.name == seller.name)
    return () if same or named is None else (f"sold by {seller.name}, not by {named.label}",)
