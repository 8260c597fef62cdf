"""The Sellers of imported Opportunities: one Seller for all, or the Sellers that the items name."""

from collections.abc import Iterable

from openbooking.booking.commands.opportunities.publish import PublishSeller
from openbooking.booking.model.actor import Actor, ActorKind
from openbooking.booking.model.opportunity import Seller
from openbooking.importing.dry_run import ImportStore
from openbooking.importing.errors import ImportRefusedError
from openbooking.importing.reading.sellers import NamedSeller
from openbooking.importing.report import Line, Outcome, Report
from openbooking.openactive.errors import OpenBookingError

IMPORTER = Actor(ActorKind.ADMINISTRATOR, "import")


def check_seller_exists(key: str | None, known: Iterable[Seller]) -> None:
    """Raise ImportRefusedError if a key is given, and no known Seller has it."""
    if key is not None and all(seller.key != key for seller in known):
        raise ImportRefusedError(f"There is no Seller {key}: add it with `openbooking seller add`.")


class NoSellerError(Exception):
    """No known Seller sells an Opportunity; the message says why."""


class Sellers:
    """Chooses the Seller of each imported Opportunity.

    A Seller that items describe is added when an Opportunity first needs it. An import does not change a known Seller,
    because the operator may have corrected it.

    Args:
        store: The store to which Sellers are added.
        report: Receives a line for each added Seller.
        known: The Sellers of the store, by key.
        only: The key of the Seller of all items; None for the Sellers that the items name.
        described: The Sellers that items describe, by key.

    Raises:
        ImportRefusedError: No Seller has the key `only`.
    """

    def __init__(
        self,
        store: ImportStore,
        report: Report,
        known: dict[str, Seller],
        only: str | None,
        described: dict[str, NamedSeller] | None = None,
    ) -> None:
        check_seller_exists(only, known.values())
        self._store = store
        self._report = report
        self._known = known
        self._only = known[only] if only is not None else None
        self._described = {} if described is None else described

    @property
    def named_by_items(self) -> bool:
        """Whether each item names its Seller; otherwise the operator has named one Seller for all items."""
        return self._only is None

    def remember(self, named: NamedSeller | None) -> None:
        """Keep the description of a Seller, if it is the most complete description so far."""
        if named and named.seller and named.key not in self._known:
            known = self._described.get(named.key)
            if known is None or _completeness(named) > _completeness(known):
                self._described[named.key] = named

    def for_dry_run(self, store: ImportStore, report: Report) -> "Sellers":
        """Return a copy that adds Sellers to the store of a dry run."""
        only = self._only.key if self._only else None
        return Sellers(store, report, dict(self._known), only, self._described)

    async def choose(self, fixed: str | None, named: NamedSeller | None) -> tuple[Seller, tuple[str, ...]]:
        """Return the Seller of an Opportunity, and remarks for the report.

        Args:
            fixed: The key of the Seller that the Opportunity must have; None for any Seller. It is the Seller of the
                parent, because Brokers look there, or otherwise the Seller of the stored Opportunity.
            named: The Seller that the item names, if any.

        Raises:
            NoSellerError: No known Seller sells the Opportunity.
        """
        if self._only:
            return self._only, _remark_on_other_seller(named, self._only)
        if fixed:
            seller = self._known[fixed]
            return seller, _remark_on_other_seller(named, seller)
        if named is None:
            raise NoSellerError("missing Seller: it has no organizer or provider, and no --seller was given")
        key = next((key for key in (named.key, named.former_key) if key in self._known), None)
        if key is None:
            await self._add(named)
        return self._known[key or named.key], ()

    async def _add(self, named: NamedSeller) -> None:
        """Add a Seller that an item describes. Raise NoSellerError if no item describes the Seller."""
        described = self._described.get(named.key)
        if described is None or described.seller is None:
            raise NoSellerError(f"missing Seller: {named.label} is not described")
        try:
            await self._store.execute(PublishSeller(described.seller, actor=IMPORTER))
        except OpenBookingError as refusal:
            raise NoSellerError(str(refusal)) from refusal
        self._known[named.key] = described.seller
        self._report.add(
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
    """Return a remark if an item names a different Seller from the Seller of its Opportunity."""
    same = named is None or named.key == seller.key or (named.seller and named.seller.name == seller.name)
    return () if same or named is None else (f"sold by {seller.name}, not by {named.label}",)
