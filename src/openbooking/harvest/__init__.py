"""A reader of RPDE feeds: a core without I/O, a durable copy of a feed, and an async and a sync client.

Nothing of a server is imported here, so that a Booking Partner can use it by itself.
"""
