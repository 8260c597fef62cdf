"""The ASGI application of the sandbox: the Booking System with the control before it.

The control has no passwords, so it answers only to hosts whose names no other web site can have (`is_own_host`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.sandbox.control.api import ControlApi
from openbooking.sandbox.control.instance import Instance
from openbooking.sandbox.control.page import PAGE_PATH, ControlPage

_REFUSED = PlainTextResponse("This host is not that of the sandbox.", HTTPStatus.MISDIRECTED_REQUEST)


def make_control_app(instance: Instance) -> ASGIApp:
    """Return the ASGI application of the sandbox. Its lifespan opens and closes the Booking System."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with instance.opened():
            yield

    root = instance.settings.site_path
    routes = [*ControlApi(instance).routes(root), *ControlPage(instance).routes(root)]
    control = Starlette(routes=routes, lifespan=lifespan)
    mine = f"{root}{PAGE_PATH}"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_http = scope["type"] == "http"
        if is_http and not f"{scope['path']}/".startswith(f"{mine}/"):
            await instance(scope, receive, send)
        elif is_http and not is_own_host(Headers(scope=scope).get("host", ""), instance.settings.site):
            await _REFUSED(scope, receive, send)
        else:
            await control(scope, receive, send)

    return app


def is_own_host(host: str, site: str) -> bool:
    """Return whether a `Host` header names this machine.

    A page of another site can reach the sandbox if its name is made to lead to this machine (DNS rebinding). Its
    requests then have its own name as `Host`, which has a dot and is no address.

    Args:
        host: The value of the header.
        site: The public URL of the sandbox.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == urlsplit(site).hostname or ("." not in name.rstrip(".") and ":" not in name):
            return bool(name)
        return bool(ip_address(name))
    except ValueError:
        return False
