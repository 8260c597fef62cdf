"""A feed in this process, served over HTTP from given pages."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

SITE = "http://site"


@contextmanager
def feed(*pages: Any) -> Iterator[str]:
    """Yield the URL of a feed with these pages. The number or the query in its URL selects a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if isinstance(pages[0], dict) and "" in pages[0]:
                found = pages[0][self.path.partition("?")[2]]
            else:
                found = pages[int(self.path.rpartition("=")[2]) if "=" in self.path else 0]
            content = json.dumps(found).replace(SITE, f"http://{self.headers['Host']}").encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed"
        finally:
            server.shutdown()
            thread.join()


def item(modified: int, id_: str = "x", **changes: Any) -> dict[str, Any]:
    return {"id": id_, "kind": "Slot", "state": "updated", "modified": modified, "data": {}, **changes}


def page(following: int, *items: Any) -> dict[str, Any]:
    return {
        "items": list(items),
        "next": f"{SITE}/feed?afterChangeNumber={following}",
        "license": "https://example.com/",
    }
