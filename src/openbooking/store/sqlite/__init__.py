"""The backend for SQLite.

One transaction at a time writes to the file (`write_lock`, `SqliteDatabase.write`), so no rows are locked, and change
numbers are given before the commit (`openbooking.store.numbering`).
"""
