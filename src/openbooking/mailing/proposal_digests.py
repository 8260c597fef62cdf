"""Digests by e-mail: they tell staff of a Seller that OrderProposals wait for a decision.

A digest has no personal data of Customers. A user who wants digests has a ProposalMail record for each Seller. It
keeps which proposals the user was told of. Several processes may do this work: a process that sends a digest first
claims it, by a change of the record that only one process can make.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from email.message import EmailMessage

import structlog
from msgspec.structs import replace

from openbooking.back_office.console_paths import MAIL_PATH, PROPOSALS_PATH
from openbooking.booking.model.opportunity import Seller
from openbooking.booking.model.record import ProposalRecord
from openbooking.booking.store import Store
from openbooking.booking.views import Views
from openbooking.clock import Clock
from openbooking.identity.records import ProposalMail, User
from openbooking.identity.store import IdentityStore
from openbooking.mailing.smtp import make_message, send_message
from openbooking.settings import Settings

# A process that dies while it sends, or fails to send, leaves the digest to a later attempt of any process.
RETRY = timedelta(minutes=5)
_PAGE = 200
_log = structlog.get_logger()


class ProposalDigests:
    """Sends the digests that are due.

    Args:
        settings: The settings, with the SMTP server.
        identity: The store of users and of their wishes.
        bookings: The store of Sellers.
        views: The views of that store.
        clock: The clock.
    """

    def __init__(
        self, settings: Settings, identity: IdentityStore, bookings: Store, views: Views, clock: Clock
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._bookings = bookings
        self._views = views
        self._clock = clock
        self._pause = timedelta(minutes=settings.proposal_mail_minutes)

    async def send_due(self) -> None:
        """Send a digest to each user who wants one, if proposals wait that the user was not told of.

        A failure is logged, and the digest is tried again later.

        Raises:
            StoreUnavailableError: The database does not answer.
        """
        waiting: dict[str, list[ProposalRecord]] = {}
        sellers = {seller.key: seller for seller in await self._bookings.sellers()}
        for wish in await self._identity.find(ProposalMail):
            if wish.next_attempt and self._clock() < wish.next_attempt:
                continue
            if wish.seller not in sellers or not await self._is_current(wish):
                await self._identity.remove(ProposalMail, seller=wish.seller, username=wish.username)
                continue
            if wish.seller not in waiting:
                waiting[wish.seller] = await self._waiting(wish.seller)
            await self._send_if_new(wish, sellers[wish.seller], waiting[wish.seller])

    async def _is_current(self, wish: ProposalMail) -> bool:
        """Return whether the account of the user still exists and has a role at the Seller."""
        users = await self._identity.find(User, name=wish.username)
        return bool(users) and users[0].account == wish.account and wish.seller in users[0].roles

    async def _waiting(self, seller: str) -> list[ProposalRecord]:
        found: list[ProposalRecord] = []
        after: str | None = ""
        while after is not None:
            page = await self._views.of(seller).proposals(after, _PAGE)
            found += page.rows
            after = page.next
        return found

    async def _send_if_new(self, wish: ProposalMail, seller: Seller, waiting: Collection[ProposalRecord]) -> None:
        keys = {_name(record): record for record in waiting}
        new = keys.keys() - set(wish.told)
        if not new:
            return
        claimed = replace(wish, next_attempt=self._clock() + RETRY)
        if not await self._identity.save(claimed):
            # Another process sends this digest, or the user has just changed the wish.
            return
        try:
            await send_message(self._settings, self._digest(wish, seller, waiting, len(new)))
        except OSError as fault:
            # The text of the fault may have the address.
            _log.warning("proposal_mail.failed", seller=seller.key, reason=type(fault).__name__)
            return
        told = replace(
            claimed,
            revision=claimed.revision + 1,
            told=tuple(sorted(keys)),
            next_attempt=self._clock() + self._pause,
        )
        await self._identity.save(told)
        _log.info("proposal_mail.sent", seller=seller.key, waiting=len(waiting))

    def _digest(
        self, wish: ProposalMail, seller: Seller, waiting: Collection[ProposalRecord], new: int
    ) -> EmailMessage:
        number = len(waiting)
        ends = min((record.proposal.expires for record in waiting if record.proposal.expires), default=None)
        site = self._settings.site
        text = (
            f"{_proposals(number)} for a decision of {seller.name}. {new} of them {'is' if new == 1 else 'are'} new.\n"
            f"{self._first_end(ends) if ends else ''}\n"
            f"Decide here: {site}{PROPOSALS_PATH}\n\n"
            f"You get this e-mail because you have asked for it. Stop it here: {site}{MAIL_PATH}\n"
        )
        subject = f"{_proposals(number)} at {seller.name}"
        return make_message(self._settings, wish.address, subject, text, self._clock())

    def _first_end(self, ends: datetime) -> str:
        local = ends.astimezone(self._settings.policy.time_zone)
        return f"Decide before {local:%A} {local.day} {local:%B %Y} at {local:%H:%M}, when the first one ends.\n"


def _proposals(number: int) -> str:
    return "1 proposal waits" if number == 1 else f"{number} proposals wait"


def _name(record: ProposalRecord) -> str:
    return f"{record.partner}/{record.uuid}"
