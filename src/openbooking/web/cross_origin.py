"""Open data for pages of other sites: browsers may read the responses of an `OpenRoute` across origins (CORS).

Every site may read these responses, and only read them: they are the same for everybody, and never depend on a cookie.
The booking API, sign-in and the console are not open, so browsers keep their responses from other sites.
"""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openbooking.web.operation import Operation
from openbooking.web.routes import ApiRoute

OPEN_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-ID",
}
_PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_ADDED = [(name.lower().encode(), value.encode()) for name, value in OPEN_HEADERS.items()]


class OpenRoute(ApiRoute):
    """A route with GET, HEAD and OPTIONS whose responses pages of all sites may read, also its errors.

    Args:
        path: The path below the address of the site.
        endpoint: Answers GET and HEAD.
        operation: The operation of GET; None for what programs do not read, such as a picture.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], operation: Operation | None = None) -> None:
        super().__init__(path, endpoint, {"GET": operation} if operation else {})
        self.methods = {"GET", "HEAD", "OPTIONS"}
        self.include_in_schema = operation is not None
        self.app = _open_to_browsers(self.app)


def _open_to_browsers(app: ASGIApp) -> ASGIApp:
    """Return an application that answers the preflight requests of browsers, and lets all sites read the responses."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await Response(headers=_PREFLIGHT_HEADERS)(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_ADDED]}
            await send(message)

        await app(scope, receive, send_open)

    return answer
