"""The ASGI application of the sandbox: the Booking System with the control before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from openbooking.sandbox.control.api import ControlApi
from openbooking.sandbox.control.instance import Instance
from openbooking.sandbox.control.page import PAGE_PATH, ControlPage


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
        is_control = scope["type"] != "http" or f"{scope['path']}/".startswith(f"{mine}/")
        await (control if is_control else instance)(scope, receive, send)

    return app
