"""A connection that the middleware of the sandbox can close without an answer (`CuttableConnection`)."""

from collections.abc import Callable

from starlette.types import Scope

from openbooking.serving.connection import Connection

_CLOSE = "openbooking.sandbox.close"


class CuttableConnection(Connection):
    """A connection of the sandbox. The scope of each request has a function that closes the connection."""

    def on_message_begin(self) -> None:
        """Start a request, and put the function into its scope."""
        super().on_message_begin()
        self.scope["extensions"] = {_CLOSE: self._close}  # type: ignore[dict-item] # an extension of our own

    def _close(self) -> None:
        """Close the connection after what was sent."""
        self.transport.close()


def closer_of(scope: Scope) -> Callable[[], None]:
    """Return the function that closes the connection of a request."""
    close: Callable[[], None] = scope["extensions"][_CLOSE]
    return close
