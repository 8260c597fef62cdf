"""A reader of RPDE feeds, used by imports, by `openbooking feed verify` and by the client of Brokers.

- `reader` is the core without I/O. It decides retries and backoff, and where a feed continues and ends.
- `items` keeps the items of feeds and their cursors in an SQL database, and `copy` those of one feed in an SQLite file.
- `client` sends the requests, with an async and a sync client.
- `verification` checks a feed by `feed_rules` and compares it with the database.

This package imports no server library, so that a Booking Partner can use it without the Booking System.
"""
