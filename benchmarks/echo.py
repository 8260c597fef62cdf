"""The server as `openbooking serve` configures it, answering every request with the bytes of a file: PORT FILE."""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbooking.openactive.terms import BOOKING_MEDIA_TYPE


def main() -> None:
    """Serve the file."""
    port, file = sys.argv[1:]
    body = Path(file).read_bytes()

    async def echo(request: Request) -> Response:
        await request.body()
        return Response(body, media_type=BOOKING_MEDIA_TYPE)

    app = Starlette(routes=[Route("/{path:path}", echo, methods=["PUT"])])
    uvicorn.run(app, port=int(port), loop="auto", http="httptools", ws="none", log_config=None, access_log=False)


if __name__ == "__main__":
    main()
