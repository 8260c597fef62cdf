"""The faults of the sandbox: `plans` says which requests meet which fault, and `playing` plays them.

`playing.Watch` is the ASGI middleware outside of the Booking System. It also records every exchange. `connection` lets
the middleware close a connection without an answer, and `page_memory` keeps earlier pages of feeds.
"""
