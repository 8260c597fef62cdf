"""A process that harvests the feeds of `provider_feeds.py` into a Broker's database.

`harvester.py SITE DATABASE FEED…` prints the pages and the seconds of the reading, the seconds of the index, and the
most bytes of memory.
"""

import json
import resource
import sys
import time

from openbooking.broker.catalogue.feeds import FeedKeeper
from openbooking.broker.catalogue.index import Index
from openbooking.broker.catalogue.tables import TABLES
from openbooking.broker.store.database import open_database
from openbooking.harvest.client import harvest, sync_client
from openbooking.harvest.reader import End


def main(site: str, location: str, *feeds: str) -> None:
    """Read the feeds to their ends, and bring the index up to date."""
    database = open_database(location)
    with database.transaction() as transaction:
        for statement in TABLES:
            transaction.execute(statement)
    began = time.monotonic()
    pages = 0
    with sync_client() as client:
        for feed in feeds:
            for step in harvest(f"{site}/{feed}", FeedKeeper(database, site, feed), client):
                if isinstance(step, End) and step.fault:
                    raise SystemExit(step.fault)
                pages += not isinstance(step, End)
    read = time.monotonic()
    index = Index(database)
    while index.update():
        pass
    index.tidy()
    told = {
        "pages": pages,
        "reading": read - began,
        "index": time.monotonic() - read,
        "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(told))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
