"""Money and Orders agree: the journal of purchases, the hooks of payment, and what is done after a crash.

Each step of a purchase is written to the journal and committed before it is done. `purchase.py` says which step follows
which. After `recover` a payment is captured if and only if its Order exists, and no authorisation is forgotten.
"""
