"""Feed pages of 500 items per second, as fractions of nginx serving the same bytes from a file: `make bench`.

For cached pages one page is requested repeatedly. Uncached pages begin at another change number each time. nginx is
Debian's; it runs on a free port with one worker process and a configuration of its own.
"""

import asyncio
import gzip
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from openbooking.openactive.rpde import PAGE_SIZE
from profiles import profile
from stage import HOST, Load, folder, free_port, load, process, server, tell_medians
from stock import settings_of, stock

SERIES = 5_000
CALLERS = 8
ROUNDS = 3
SECONDS = 3.0
URLS = 4_000
FEED = "/feeds/session-series"
GZIP = ["Accept-Encoding=gzip"]

NGINX = """
daemon off;
worker_processes 1;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 100000000;
    client_body_temp_path {place}/client;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    default_type application/json;
    open_file_cache max=10;
    server {{
        listen {host}:{port};
        root {place};
        location /static/ {{ gzip_static on; }}
        location /dynamic/ {{ gzip on; gzip_types application/json; }}
    }}
}}
"""


@contextmanager
def nginx(place: Path, page: bytes) -> Iterator[str]:
    """Run nginx with the page, compressed in advance below /static and per request below /dynamic; yield its URL."""
    port = free_port()
    for name in ("static", "dynamic"):
        (place / name).mkdir()
        (place / name / "page").write_bytes(page)
    (place / "static" / "page.gz").write_bytes(gzip.compress(page))
    for path in (place, place / "static", place / "dynamic"):
        path.chmod(0o755)
    configuration = place / "nginx.conf"
    configuration.write_text(NGINX.format(place=place, host=HOST, port=port), encoding="utf-8")
    with process(["nginx", "-c", configuration, "-e", place / "error.log"], port):
        yield f"http://{HOST}:{port}"


def pages(url: str, arguments: list[str], script: str = "get.lua") -> Load:
    """Return the pages per second."""
    return load(url, callers=CALLERS, seconds=SECONDS, script=script, arguments=arguments)


def main() -> None:
    """Print the ratios."""
    with folder() as place:
        port = free_port()
        site = f"http://{HOST}:{port}"
        database = place / "feeds.sqlite3"
        asyncio.run(stock(settings_of(str(database), port), series=SERIES))
        with server(database, port) as pid:
            first = httpx2.get(site + FEED).raise_for_status()
            numbers = [item["modified"] for item in first.json()["items"]]
            last = numbers[-1] + (SERIES - 2 * PAGE_SIZE) * (numbers[-1] - numbers[0]) // PAGE_SIZE
            urls = place / "urls"
            starts = random.sample(range(numbers[0], last), URLS)
            urls.write_text("\n".join(f"{FEED}?afterChangeNumber={start}" for start in starts), encoding="utf-8")
            shrunk = len(gzip.compress(first.content, 1))
            print(f"A page of {PAGE_SIZE} items: {len(first.content):,} bytes, {shrunk:,} with gzip", flush=True)
            with nginx(place, first.content) as files:
                compare(site, files, urls, pid)


def compare(site: str, files: str, urls: Path, pid: int) -> None:
    """Measure in turns, and print a profile of the server at the end."""
    for what, ours, theirs, encoding, aim in (
        ("cached page", None, "/static/page", [], 0.65),
        ("cached page, gzip (nginx: gzip_static)", None, "/static/page", GZIP, 0.3),
        ("uncached page", urls, "/static/page", [], 0.15),
        ("uncached page, gzip (nginx: on the fly)", urls, "/dynamic/page", GZIP, 1.2),
    ):
        asked = (site, [str(ours), *encoding], "urls.lua") if ours else (site + FEED, encoding)
        rounds = [(pages(*asked).rate, pages(files + theirs, encoding).rate) for _ in range(ROUNDS)]
        tell_medians(what, rounds, aim)
        with profile(pid, urls.parent):
            pages(*asked)


if __name__ == "__main__":
    main()
