"""Requests for access to the API: developers of apps send them, and an administrator decides about them.

A request is erased after a time. Each address may send a few requests an hour, and the number of requests that wait
for a decision is bounded.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from openbooking.booking.model.actor import Actor
from openbooking.clock import Clock
from openbooking.identity.access_request_records import AccessRequest, AccessRequestState
from openbooking.identity.activity_log import recorded_name
from openbooking.identity.digests import new_id
from openbooking.identity.oauth.errors import InvalidRedirectUriError
from openbooking.identity.oauth.registration import check_redirect_uri
from openbooking.identity.partner_administration import NewPartner, PartnerAdministration, PartnerExistsError
from openbooking.identity.sign_in.attempt_limiter import AttemptLimiter
from openbooking.identity.sign_in.attempt_limits import request_subject
from openbooking.identity.store import IdentityStore
from openbooking.openactive.contact_details import is_email
from openbooking.openactive.web_addresses import is_web_address
from openbooking.user_error import UserError

LONGEST_TEXT, LONGEST_USE_CASE = 200, 2_000
MOST_REDIRECT_URIS = 10
# The most requests that wait for a decision. Further requests are refused until some are decided or erased.
MOST_OPEN = 500


class UnknownRequestError(UserError):
    """No request has this id."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"There is no access request {id_}.")


class RequestDecidedError(UserError):
    """Somebody has decided about the request already."""

    def __init__(self) -> None:
        super().__init__("Somebody has decided about this access request already.")


class TooManyOpenRequestsError(UserError):
    """So many requests wait for a decision that no other is accepted."""

    def __init__(self) -> None:
        super().__init__("Too many access requests wait already. Try again another day, or write to the publisher.")


class Fault(NamedTuple):
    """A fault of a request: the name of the field, and the message for the person who asks."""

    field: str
    text: str


class NewAccessRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is typed. The fields are those of `AccessRequest`."""

    name: str
    email: str
    organisation: str
    phone: str = ""
    site: str = ""
    use_case: str = ""
    redirect_uris: tuple[str, ...] = ()

    def faults(self) -> list[Fault]:
        """Return the faults of the request, in the order of the fields."""
        return [*self._faults()]

    def _faults(self) -> Iterator[Fault]:
        if not _is_line(self.name):
            yield Fault("name", f"Write your name on one line, with at most {LONGEST_TEXT} characters.")
        if not (_is_line(self.email) and is_email(self.email)):
            yield Fault("email", "Give an e-mail address at which you can be reached, such as name@example.com.")
        if not _is_line(self.organisation):
            yield Fault("organisation", f"Write the name of your organisation, with at most {LONGEST_TEXT} characters.")
        if self.phone and not _is_line(self.phone):
            yield Fault("phone", f"Write the telephone number on one line, with at most {LONGEST_TEXT} characters.")
        if self.site and not (_is_line(self.site) and is_web_address(self.site)):
            yield Fault("site", "Give the address of a web site, which begins with https:// or http://.")
        if not 0 < len(self.use_case) <= LONGEST_USE_CASE:
            yield Fault("use_case", f"Say what your app does, with at most {LONGEST_USE_CASE:,} characters.")
        if fault := self._redirect_fault():
            yield Fault("redirect_uris", fault)

    def _redirect_fault(self) -> str:
        if len(self.redirect_uris) > MOST_REDIRECT_URIS or any(len(uri) > LONGEST_TEXT for uri in self.redirect_uris):
            return f"Give at most {MOST_REDIRECT_URIS} redirect URIs, each of at most {LONGEST_TEXT} characters."
        try:
            for uri in self.redirect_uris:
                check_redirect_uri(uri)
        except InvalidRedirectUriError as fault:
            return fault.description
        return ""


class Approved(NamedTuple):
    """An approved request, and the API key or client secret of its partner. The secret cannot be read again later."""

    request: AccessRequest
    secret: str


class AccessRequests:
    """Stores requests, and decides about them on behalf of an administrator.

    Args:
        store: The store of identity records.
        partners: Adds the Booking Partners of approved requests.
        limiter: Limits how many requests an address may send.
        kept: How long a request is stored.
        clock: The clock.
    """

    def __init__(
        self,
        store: IdentityStore,
        partners: PartnerAdministration,
        limiter: AttemptLimiter,
        kept: timedelta,
        clock: Clock,
    ) -> None:
        self._store = store
        self._partners = partners
        self._limiter = limiter
        self._kept = kept
        self._clock = clock

    async def receive(self, new: NewAccessRequest, address: str) -> None:
        """Store a request without faults.

        Args:
            new: The request.
            address: The IP address of the person who asks, which is counted and not stored with the request.

        Raises:
            ValueError: The request has faults.
            TooManyAttemptsError: The address has sent too many requests.
            TooManyOpenRequestsError: Too many requests wait for a decision.
        """
        if new.faults():
            raise ValueError("The request has faults, which its sender must mend.")
        await self._limiter.count(request_subject(address))
        waiting = [request for request in await self.requests() if request.state is AccessRequestState.OPEN]
        if len(waiting) >= MOST_OPEN:
            raise TooManyOpenRequestsError
        now = self._clock()
        fields = msgspec.structs.asdict(new)
        await self._store.save(AccessRequest(**fields, id=new_id(), received=now, expires=now + self._kept))

    async def requests(self) -> Sequence[AccessRequest]:
        """Return the requests that have not been erased, the latest first."""
        now = self._clock()
        stored = [request for request in await self._store.find(AccessRequest) if request.expires > now]
        return sorted(stored, key=lambda request: request.received, reverse=True)

    async def request(self, id_: str) -> AccessRequest:
        """Return the request with this id, or raise UnknownRequestError."""
        found = await self._store.find(AccessRequest, id=id_)
        if not found or found[0].expires <= self._clock():
            raise UnknownRequestError(id_)
        return found[0]

    async def approve(self, id_: str, key: str, sellers: Sequence[str], by: Actor) -> Approved:
        """Add a Booking Partner for a request, and return its API key or client secret.

        Args:
            id_: The id of the request.
            key: The key of the new partner.
            sellers: The keys of the Sellers that the partner may book for; EVERY_SELLER for all of them.
            by: The administrator.

        Raises:
            UnknownRequestError: No request has this id.
            RequestDecidedError: Somebody has decided about the request already.
            InvalidKeyError: The key cannot be part of an `@id`.
            PartnerExistsError: The key is in use.
            UnknownSellerError: One of the Sellers does not exist.
        """
        request = await self._open_request(id_)
        new = NewPartner(
            key=key,
            name=request.organisation,
            sellers=tuple(sellers),
            redirect_uris=request.redirect_uris,
            contacts=(request.email,),
        )
        approved = self._decided(request, AccessRequestState.APPROVED, by, key)
        try:
            secret = await self._partners.add(new, by, approved)
        except PartnerExistsError:
            await self._open_request(id_)
            raise
        return Approved(approved, secret)

    async def refuse(self, id_: str, by: Actor) -> None:
        """Refuse a request. Raise UnknownRequestError or RequestDecidedError."""
        while not await self._store.save(
            self._decided(await self._open_request(id_), AccessRequestState.REFUSED, by),
        ):
            pass

    async def erase_request(self, id_: str) -> None:
        """Erase one request at once. The Booking Partner that was added for it stays."""
        await self._store.remove(AccessRequest, id=id_)

    async def of_person(self, contact: str) -> Sequence[AccessRequest]:
        """Return the requests of the person with this e-mail address or telephone number."""
        return [request for request in await self.requests() if contact_matches(request, contact)]

    async def erase(self, contact: str) -> int:
        """Erase the requests of the person with this e-mail address or telephone number; return their number.

        The Booking Partners that were added for these requests stay.
        """
        found = await self.of_person(contact)
        for request in found:
            await self.erase_request(request.id)
        return len(found)

    async def _open_request(self, id_: str) -> AccessRequest:
        request = await self.request(id_)
        if request.state is not AccessRequestState.OPEN:
            raise RequestDecidedError
        return request

    def _decided(
        self, request: AccessRequest, state: AccessRequestState, by: Actor, partner: str = ""
    ) -> AccessRequest:
        now = self._clock()
        return replace(request, state=state, decided=now, decided_by=recorded_name(by), partner=partner)


def contact_matches(request: AccessRequest, contact: str) -> bool:
    """Return whether a request has exactly this e-mail address, in any case, or this telephone number."""
    contact, digits = contact.strip(), _digits(contact)
    return contact.casefold() == request.email.casefold() or (
        bool(digits) and not contact.strip("+0123456789 ()-./") and digits == _digits(request.phone)
    )


def _digits(text: str) -> str:
    """Return the digits of a telephone number, with +44 as a leading 0."""
    digits = "".join(character for character in text if character.isdecimal())
    return f"0{digits.removeprefix('44')}" if text.strip().startswith("+44") else digits


def _is_line(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable() and bool(text.strip())
