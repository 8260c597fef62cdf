"""Dynamic registration of a Broker at an OpenID provider, with a token of the Booking System (OB-AUTH-33, RFC 7591)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from openbooking.broker.api.openid import OpenIdClient, find_provider, read_oauth_reply
from openbooking.broker.errors import AuthorizationError
from openbooking.broker.flow import Flow, Request, send


class Registration(NamedTuple):
    """What a Broker says about itself when it registers.

    Attributes:
        name: The name that Sellers see when they are asked for consent.
        redirect_uris: The URLs to which Sellers return after consent. The first is used.
        site: The web site of the Broker; empty to leave it out.
        logo: The URL of a logo; empty to leave it out.
        contacts: E-mail addresses.
    """

    name: str
    redirect_uris: Sequence[str] = ()
    site: str = ""
    logo: str = ""
    contacts: Sequence[str] = ()


def register(authority: str, token: str, registration: Registration) -> Flow[OpenIdClient]:
    """Register a Broker, and return its client id and secret, which the application keeps.

    The request is sent once, because each request registers another client.

    Args:
        authority: The URL of the OpenID provider, from the dataset site.
        token: The initial access token, from the operator of the Booking System.
        registration: What the Broker says about itself.

    Raises:
        AuthorizationError: The provider refuses the registration, or offers none.
        DiscoveryError: The provider cannot be read.
        NoAnswerError: No answer came. The provider may or may not have registered the Broker.
    """
    provider = yield from find_provider(authority)
    if not provider.registration_endpoint:
        raise AuthorizationError("The OpenID provider offers no registration. Ask its operator for a client.")
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "accept": "application/json",
    }
    body = msgspec.json.encode(_metadata(registration))
    answer = yield from send(Request("POST", provider.registration_endpoint, headers, body))
    reply = read_oauth_reply(answer)
    id_, secret = reply.get("client_id"), reply.get("client_secret")
    if not isinstance(id_, str) or not isinstance(secret, str):
        raise AuthorizationError("The OpenID provider registered no client with a secret.")
    return OpenIdClient(id_, secret, next(iter(registration.redirect_uris), ""))


def _metadata(registration: Registration) -> dict[str, Any]:
    grants = ["client_credentials"]
    if registration.redirect_uris:
        grants = ["authorization_code", "refresh_token", *grants]
    members = {
        "client_name": registration.name,
        "client_uri": registration.site,
        "logo_uri": registration.logo,
        "contacts": list(registration.contacts),
        "redirect_uris": list(registration.redirect_uris),
        "grant_types": grants,
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    return {name: value for name, value in members.items() if value}
