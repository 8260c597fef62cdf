"""Plans of the Seller's decisions about one OrderProposal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from openbooking.back_office.office import Office
from openbooking.back_office.pages import OccurrencesOnce
from openbooking.back_office.plans.plan import Plan
from openbooking.back_office.rows.order_rows import describe_shortage, order_reference
from openbooking.back_office.waiting_proposals import shortages, wanted_spaces
from openbooking.booking.commands.orders.proposal_decisions import AmendProposal, DecideProposal
from openbooking.booking.model.actor import Actor
from openbooking.booking.model.order import SeenProposal
from openbooking.booking.model.record import ProposalRecord


class ProposalPlanner:
    """Plans decisions about one OrderProposal. If somebody else decides meanwhile, the command is refused.

    Args:
        office: The bookings of the Seller.
        record: The OrderProposal.
        note: The note to the Customer; may be empty.
        actor: The actor of the decisions.
    """

    def __init__(self, office: Office, record: ProposalRecord, note: str, actor: Actor) -> None:
        self._office = office
        self._record = record
        self._note = note or None
        self._actor = actor
        self._reference = order_reference(record.key)
        self._seen = SeenProposal(record.proposal.version, record.proposal.status)

    async def accept(self) -> Plan:
        """Plan to accept the proposal; warn if that leaves too little for another one."""
        views = self._office.views
        short = await shortages(OccurrencesOnce(views), self._record, await wanted_spaces(views))
        warning = "; ".join(map(describe_shortage, short))
        return Plan(
            command=self._decide(accept=True),
            done=f"Accepted {self._reference}. The partner can book now.",
            effect=f"Not all waiting proposals can be booked. {warning}." if warning else "",
        )

    def reject(self) -> Plan:
        """Plan to reject the proposal, which cannot be undone."""
        return Plan(
            command=self._decide(accept=False),
            done=f"Rejected {self._reference}. The partner learns of it from its feed.",
        )

    def amend(self, without: Sequence[int], prices: Mapping[int, Decimal], version: str) -> Plan:
        """Plan a new version of the proposal.

        Args:
            without: The numbers of the items that the new version omits.
            prices: The new prices, by the numbers of the items.
            version: A fresh UUID.
        """
        command = AmendProposal(
            order=self._record.key,
            version=version,
            note=self._note,
            seen=self._seen,
            without=frozenset(without),
            prices=prices,
            actor=self._actor,
        )
        return Plan(command=command, done=f"Offered {self._reference} with the changes. The customer decides now.")

    def _decide(self, *, accept: bool) -> DecideProposal:
        return DecideProposal(
            order=self._record.key, accept=accept, note=self._note, seen=self._seen, actor=self._actor
        )
