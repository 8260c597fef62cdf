"""The Sellers of imported things: one Seller for all of them, or the Sellers that the items name."""

from openbooking.booking.commands.publish import PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.importing.dry_run import ImportStore
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.reading.sellers import NamedSeller
from openbooking.importing.report import Line, Outcome, Report
from openbooking.openactive.errors import OpenBookingError

IMPORTER = Actor(ActorKind.ADMINISTRATOR, "import")


class NoSellerError(Exception):
    """A thing has no known Seller; the message says why."""


class Sellers:
    """The known Sellers, and the Sellers that items describe, which are added when they are first needed.

    A known Seller stays as it is, because the operator may have corrected it.
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
        """Whether the items name their Sellers, which the operator has not confirmed."""
        return self._only is None

    def note(self, named: NamedSeller | None) -> None:
        """Remember the description of a Seller, if it is the most complete so far."""
        if named and named.seller and named.key not in self._known:
            known = self._described.get(named.key)
            if known is None or _completeness(named) > _completeness(known):
                self._described[named.key] = named

    def for_dry_run(self, store: ImportStore, report: Report) -> "Sellers":
        """Return a copy that adds Sellers to the store of a dry run."""
        only = self._only.key if self._only else None
        return Sellers(store, report, dict(self._known), only, self._described)

    async def of(self, settled: str | None, named: NamedSeller | None) -> tuple[Seller, tuple[str, ...]]:
        """Return the Seller of a thing, with remarks.

        Args:
            settled: The key of the Seller that the thing must have: the Seller of its parent, because Brokers find the
                Seller there, or otherwise the Seller that it had before. None if it may have any Seller.
            named: The Seller that the thing names, if any.

        Raises:
            NoSellerError: The thing has no known Seller.
        """
        if self._only:
            return self._only, _remark_on_other_seller(named, self._only)
        if settled:
            seller = self._known[settled]
            return seller, _remark_on_other_seller(named, seller)
        if named is None:
            raise NoSellerError("missing Seller: it has no organizer or provider, and no --seller was given")
        key = next((key for key in (named.key, named.former_key) if key in self._known), None)
        if key is None:
            await self._add(named)
        return self._known[key or named.key], ()

    async def _add(self, named: NamedSeller) -> None:
        described = self._described.get(named.key)
        if described is None or described.seller is None:
            raise NoSellerError(f"missing Seller: {named.label} is not described")
        try:
            await self._store.execute(PublishSeller(described.seller, actor=IMPORTER))
        except OpenBookingError as refusal:
            raise NoSellerError(str(refusal)) from refusal
        self._known[named.key] = described.seller
        self._report.tell(
            Line(
                outcome=Outcome.SELLER,
                item=described.label,
                path=f"sellers/{described.key}",
                remarks=described.remarks,
            )
        )


def _completeness(named: NamedSeller) -> int:
    return len(named.seller.properties) - len(named.remarks) if named.seller else 0


def _remark_on_other_seller(named: NamedSeller | None, seller: Seller) -> tuple[str, ...]:
    """Return a remark if a thing names another Seller than the one that sells it."""
    same = named is None or named.key == seller.key or (named.seller and named.seller.name == seller.name)
    return () if same or named is None else (f"sold by {seller.name}, not by {named.label}",)
