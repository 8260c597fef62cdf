"""How the other Booking System recognises a Broker."""

import base64
from urllib.parse import quote

from support.other_system.caller import Caller


def test_an_api_key_is_in_the_header_that_the_system_wants(caller: Caller) -> None:
    caller.system.differ(api_key_header="X-API-Key")
    assert caller.quote("yoga").status_code == 403
    caller.headers |= {"X-API-Key": caller.system.api_key}
    assert caller.quote("yoga").status_code == 200
    caller.headers |= {"X-API-Key": "wrong"}
    assert caller.quote("yoga").status_code == 401


def test_access_tokens_are_given_for_client_credentials(caller: Caller) -> None:
    system = caller.system
    system.differ(access="client credentials")
    assert caller.quote("yoga").status_code == 401
    issuer = system.url.replace("openactive", "identity")
    provider = caller.client.get(f"{issuer}/.well-known/openid-configuration").json()
    assert provider["issuer"] == issuer
    both = f"{quote(system.client_id, safe='')}:{quote(system.client_secret, safe='')}"
    basic = {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
    post = {"client_id": system.client_id, "client_secret": system.client_secret}
    for headers, form in ((basic, {}), ({}, post)):
        token = caller.client.post(
            provider["token_endpoint"], data={"grant_type": "client_credentials", **form}, headers=headers
        ).json()
        caller.headers["Authorization"] = f"Bearer {token['access_token']}"
        assert caller.quote("yoga").status_code == 200
    system.expire_tokens()
    assert caller.quote("yoga").json()["@type"] == "InvalidAuthorizationDetailsError"
