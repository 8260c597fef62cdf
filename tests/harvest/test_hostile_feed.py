"""A copy equals a faulty feed in the end, although its reader is killed many times.

`make hostile` runs this test with 100,000 items.
"""

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from support.feeds.hostile_feed import FAULTS, PATH, Upstream
from support.feeds.readers import Readers
from support.feeds.server import serving

SEED = 14
LEAST_KILLS = 10
ITEMS_A_KILL = 1_000
MOST_BYTES = 300_000_000

_log = logging.getLogger(__name__)


def kept(path: Path) -> tuple[dict[tuple[str, str], bytes], set[bytes]]:
    """Return the items of a copy by id and kind, and the items without an id."""
    with closing(sqlite3.connect(path)) as copy:
        rows = copy.execute("SELECT id, kind, content FROM harvest_item").fetchall()
    return {(id_, kind): item for id_, kind, item in rows if id_}, {item for id_, _, item in rows if not id_}


@pytest.mark.spec("OB-FEED-07", "OB-FEED-17", "OB-FEED-32")
def test_a_copy_equals_its_feed_after_faults_and_killed_readers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    items = request.config.getoption("--hostile")
    kills = max(LEAST_KILLS, items // ITEMS_A_KILL)
    upstream = Upstream(items, SEED)
    readers = Readers(kills, every=max(2, upstream.pages * 3 // 2 // kills), seed=SEED)
    began = time.monotonic()
    with serving(lambda path: readers.maybe_kill(upstream.answer(path)), tmp_path) as site:
        upstream.site = site.url
        readers.run(site.url + PATH, str(tmp_path / "copy"), str(site.certificate))
    _log.info(
        "%s items shaped by %s in %s requests; %s kills; most memory %.0f MB; %.0f s; faults: %s",
        items, upstream.shaped_by, len(site.asked), readers.kills, max(readers.peaks) / 1e6, time.monotonic() - began,
        dict(sorted(upstream.served.items())),
    )  # fmt: skip
    named, nameless = upstream.items()
    copied, copied_nameless = kept(tmp_path / "copy")
    assert copied.keys() == named.keys()
    assert [key for key, item in named.items() if copied[key] != item] == []
    assert copied_nameless == nameless
    assert readers.kills == kills
    assert FAULTS.keys() - upstream.served.keys() == set()
    assert max(readers.peaks) < MOST_BYTES
