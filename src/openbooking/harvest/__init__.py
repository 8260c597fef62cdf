"""A reader of RPDE feeds, used by imports and by `openbooking feed verify`.

- `reader` is the core without I/O. It decides retries and backoff, and where a feed continues and ends.
- `copy` keeps the items of a feed and its cursor in an SQLite file.
- `client` sends the requests, with an async and a sync client.
- `verification` checks a feed by `feed_rules` and compares it with the database.

This package imports no server library, so that a Booking Partner can use it without the Booking System.
"""
