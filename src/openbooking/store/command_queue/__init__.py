"""Commands that wait for the database: `queue` writes them in batches, one transaction each.

`blocked` keeps the commands whose rows another transaction has locked. `pending` keeps their deadlines.
"""
