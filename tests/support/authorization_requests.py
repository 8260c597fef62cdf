"""An authorization request of the client alice, and links for new users."""

from urllib.parse import urlencode

from openbooking.identity.oauth.authorization_lifecycle import challenge
from openbooking.identity.records import Role
from openbooking.identity.sign_in.accounts import Accounts
from openbooking.identity.sign_in.passwords import Passwords
from support.http_system import World
from support.parties import MANAGER

VERIFIER = "v" * 48
ASKED = {
    "response_type": "code",
    "client_id": "alice",
    "redirect_uri": "https://alice.example.com/cb",
    "scope": "openid offline_access openactive-openbooking",
    "state": "xyz",
    "code_challenge": challenge(VERIFIER),
    "code_challenge_method": "S256",
}
AUTHORIZE = f"/oauth/authorize?{urlencode(ASKED)}"


async def link_for(world: World, name: str = "eve") -> str:
    """Add a manager of the centre, and return the link with which the manager sets a password."""
    accounts = Accounts(world.identity, world.settings.identity_policy, world.clock, Passwords())
    return await accounts.add(name, "centre", Role.MANAGER, MANAGER)
