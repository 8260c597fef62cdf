"""A client of the Open Booking API, with which a Broker finds, books and pays, and follows what becomes of its Orders.

The package imports `harvest` and `openactive` only, and loads no server. What it does is written as flows without I/O
(`flow.py`), so that one core serves blocking and asynchronous callers.
"""
