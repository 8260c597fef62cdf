"""Browsers of people who have signed in to the console."""

from collections.abc import Awaitable, Callable

from support.browsers.form_browser import Visitor
from support.http_system import World
from support.identity_provider import PASSWORD

SignIn = Callable[[str], Awaitable[Visitor]]


async def signed_in(world: World, name: str) -> Visitor:
    """Sign in with a new browser."""
    visitor = Visitor(world.client)
    await visitor.sign_in(name, PASSWORD)
    return visitor
