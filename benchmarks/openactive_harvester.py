"""A process that harvests feeds with the package `openactive` from PyPI, in a venv of its own, without pauses.

`openactive_harvester.py SITE FEED…` prints the pages and the seconds of the reading.
"""

import contextlib
import io
import json
import sys
import time

import openactive


def main(site: str, *feeds: str) -> None:
    """Read the feeds to their ends."""
    began = time.monotonic()
    pages = 0
    with contextlib.redirect_stdout(io.StringIO()):
        for feed in feeds:
            read = openactive.get_opportunities(f"{site}/{feed}", seconds_wait_next=0)  # type: ignore[attr-defined]
            if read["status"] != "COMPLETE":
                raise SystemExit(read["status"])
            # The last page, which is empty, is not among its numbered pages.
            pages += read["num_urls"] + 1
    print(json.dumps({"pages": pages, "reading": time.monotonic() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
