"""The identity provider, which creates and connects all parts of `identity`."""

from collections.abc import Mapping
from typing import Any

from openbooking.booking.model.opportunity import Seller
from openbooking.booking.store import Store
from openbooking.clock import Clock
from openbooking.identity.access_requests import AccessRequests
from openbooking.identity.authentication import AccessTokenAuthentication, Authenticate
from openbooking.identity.oauth.access_tokens import AccessTokens
from openbooking.identity.oauth.authorization_endpoint import AuthorizationEndpoint
from openbooking.identity.oauth.claims import ClaimWriter
from openbooking.identity.oauth.registration import Registration
from openbooking.identity.oauth.signing_keys import SigningKeys
from openbooking.identity.oauth.token_endpoint import TokenEndpoint
from openbooking.identity.partner_administration import PartnerAdministration
from openbooking.identity.partner_reports import PartnerReports
from openbooking.identity.partners.feed_positions import FeedPositionRecorder
from openbooking.identity.partners.grants import Grants
from openbooking.identity.partners.last_use import LastUseRecorder
from openbooking.identity.policy import IdentityPolicy
from openbooking.identity.sign_in.accounts import Accounts
from openbooking.identity.sign_in.passwords import Passwords
from openbooking.identity.sign_in.roles import Roles
from openbooking.identity.sign_in.second_factors import SecondFactors
from openbooking.identity.staff_administration import StaffAdministration
from openbooking.identity.store import IdentityStore
from openbooking.identity.user_administration import UserAdministration
from openbooking.openactive.ids import Identifiers


class Provider:
    """The identity provider of one Booking System.

    Args:
        store: The store of identity records.
        bookings: The store of Sellers and Orders.
        policy: The settings of the provider.
        ids: The identifiers of the Booking System.
        booking_service: The BookingService that tokens describe (OB 10.1.17); None if it is not published.
        clock: The clock.
        passwords: The password hasher; None for argon2id with its default parameters.
    """

    def __init__(  # noqa: PLR0913 - the parts of the provider
        self,
        *,
        store: IdentityStore,
        bookings: Store,
        policy: IdentityPolicy,
        ids: Identifiers,
        booking_service: Mapping[str, Any] | None,
        clock: Clock,
        passwords: Passwords | None = None,
    ) -> None:
        self.store = store
        self.policy = policy
        self._bookings = bookings
        self._clock = clock
        claims = ClaimWriter(policy, ids, booking_service)
        self.last_use_recorder = LastUseRecorder(store, clock)
        self.feed_positions = FeedPositionRecorder(store, bookings, clock)
        self.keys = SigningKeys(store, policy, clock)
        self.grants = Grants(store, bookings, clock)
        self.accounts = Accounts(store, policy, clock, passwords or Passwords())
        self.second_factors = SecondFactors(store, policy, self.accounts, clock)
        self.partner_administration = PartnerAdministration(store, self.grants, self.seller, clock)
        self.access_requests = AccessRequests(
            store, self.partner_administration, self.accounts.attempt_limiter, policy.access_requests_kept, clock
        )
        self.partner_reports = PartnerReports(store, bookings, self.partner_administration, clock)
        roles = Roles(store, self.accounts, clock)
        self.user_administration = UserAdministration(store, self.accounts, roles, self.second_factors, self.seller)
        self.staff_administration = StaffAdministration(self.accounts, roles)
        self.registration = Registration(store, clock)
        self.authorization = AuthorizationEndpoint(store, self.grants, policy, clock)
        access_tokens = AccessTokens(self.keys, claims, policy, clock)
        self.tokens = TokenEndpoint(
            store=store,
            keys=self.keys,
            claims=claims,
            access_tokens=access_tokens,
            policy=policy,
            last_use_recorder=self.last_use_recorder,
            clock=clock,
            find_seller=self.seller,
        )
        self.authenticate_access_token: Authenticate = AccessTokenAuthentication(
            store, access_tokens, self.last_use_recorder, clock
        )

    async def close(self) -> None:
        """Wait until pending writes of last use and of feed positions are done, and close the identity store."""
        await self.last_use_recorder.wait_until_written()
        await self.feed_positions.wait_until_written()
        await self.store.close()

    async def seller(self, key: str) -> Seller | None:
        """Return the Seller with this key; None if there is none."""
        return next((seller for seller in await self._bookings.sellers() if seller.key == key), None)
