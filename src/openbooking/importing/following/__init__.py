"""Imports that follow feeds: `openbooking import --follow`.

`follow.follow_feeds` runs one task for each feed, so that no feed waits for another. A task (`feed_follower`) reads its
feed page by page with `openbooking.harvest`, imports each page with `importing.run` and then stores the cursor
(`identity.import_records`). A process that is stopped at any moment imports the last page again, which changes nothing.

- `progress` decides when a feed is tried again, and whether it must be read again from its first page.
- `waiting_room` keeps the items whose parents have not been imported yet.
- `missing` withdraws what is no longer in a feed that was read again.
"""
