"""A reader of RPDE feeds: a core without I/O, a durable copy of a feed, and an async and a sync client.

It imports no server library, so that a Booking Partner can use it without the Booking System.
"""
